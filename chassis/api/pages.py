"""Page sizes and page tokens of list RPCs.

A token holds the position after the last item shown, and a digest of the question, so that it continues that question
only. It is no secret and needs no signature: scope is part of every query.
"""

import base64
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, Protocol

from chassis.api.errors import InvalidArgument
from contracts.egress import FieldError

DEFAULT_SIZE: Final = 50
LARGEST_SIZE: Final = 500
DIGEST_CHARACTERS: Final = 16


class ListRequest(Protocol):
    """A request of a list RPC (a protobuf message)."""

    page_size: int
    page_token: str


def page_size(request: ListRequest, default: int = DEFAULT_SIZE, largest: int = LARGEST_SIZE) -> int:
    """How many items to answer: the default when not said, the largest at most. Raises InvalidArgument below 0."""
    if request.page_size < 0:
        raise InvalidArgument([_wrong("page_size", str(request.page_size), "must not be negative")])
    return min(request.page_size or default, largest)


def page_token(request: ListRequest, position: Sequence[str | int]) -> str:
    """The token that continues this request after `position`, the sort key of the last item shown."""
    text = json.dumps([_digest(request), *position], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position(request: ListRequest, *read: Callable[[Any], Any]) -> list[Any] | None:
    """Where the page begins: what was given to `page_token`, each key as its `read` takes it; None for the first page.

    Raises InvalidArgument when the token is not ours (`read` may raise ValueError, TypeError or OverflowError), or was
    given for another question.
    """
    if not request.page_token:
        return None
    match _decoded(request.page_token):
        case [_, *after] if len(after) == len(read):
            with suppress(ValueError, TypeError, OverflowError):
                if page_token(request, after) == request.page_token:
                    return [take(key) for take, key in zip(read, after, strict=True)]
    raise InvalidArgument([_wrong("page_token", request.page_token, "is not a token of this question")])


def _decoded(token: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError):
        return None


def _digest(request: Any) -> str:
    question = type(request)()
    question.CopyFrom(request)
    question.ClearField("page_size")
    question.ClearField("page_token")
    named = question.DESCRIPTOR.full_name.encode() + b"\0" + question.SerializeToString(deterministic=True)
    return sha256(named).hexdigest()[:DIGEST_CHARACTERS]


def _wrong(field: str, value: str, message: str) -> FieldError:
    return FieldError(field=field, value=value, rule=field, message=message)
