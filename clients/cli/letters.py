"""Dead letters: what their headers say, and how they go back to the queue they died in. Pure."""

import json
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from contracts.topology import EXCHANGES

PREFIX: Final = "x-shilian-"
ROUTING_KEY: Final = "x-shilian-routing-key"
BROKERS_OWN: Final = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count")
"""Headers of the broker's own dead-lettering."""

Json = dict[str, Any]


class Letter(NamedTuple):
    """Why a message is dead. `records` counts its refused records, `errors` name field, value and rule."""

    id: str
    queue: str
    routing_key: str
    type: str
    reason: str
    records: int
    errors: tuple[Json, ...]


def letter(queue: str, message_id: str | None, headers: Json) -> Letter:
    """What a message in `<queue>.dead` says of itself.

    On one that the broker gave up on, our headers are not ours: the sender may have written them.
    """
    ours = {} if _given_up(headers) else headers
    key = _routing_key(headers)
    return Letter(
        id=str(ours.get("x-shilian-message-id") or headers.get("ce-id") or message_id or ""),
        queue=str(ours.get("x-shilian-queue") or queue),
        routing_key=key,
        type=str(headers.get("ce-type") or key),
        reason=str(ours.get("x-shilian-reason") or headers.get("x-first-death-reason") or "unknown"),
        records=int(ours.get("x-shilian-records") or 1),
        errors=tuple(json.loads(ours.get("x-shilian-errors") or "[]")),
    )


def revived(headers: Json) -> Json:
    """Headers of a letter that is sent back: as they were, with the first routing key, which tells its source."""
    kept = {
        name: value
        for name, value in headers.items()
        if not name.startswith(PREFIX) and not name.startswith(BROKERS_OWN)
    }
    key = _routing_key(headers)
    return kept | ({ROUTING_KEY: key} if key else {})


def _given_up(headers: Json) -> bool:
    """Whether the broker itself dead-lettered it last; it puts the latest death in front."""
    latest = next(iter(_deaths(headers)), {})
    return bool(latest.get("reason") == "delivery_limit")


def _routing_key(headers: Json) -> str:
    """The key it was first sent with: by the broker's word, else as the consumer noted it.

    What a sender wrote of deaths stands behind what the broker did.
    """
    for death in _deaths(headers):
        if death.get("exchange") in EXCHANGES and (keys := death.get("routing-keys")):
            return str(keys[0])
    return str(headers.get(ROUTING_KEY) or "")


def _deaths(headers: Json) -> list[Json]:
    """The broker's notes on its own dead-lettering; a sender may have written anything in their place."""
    deaths = headers.get("x-death")
    return [death for death in deaths if isinstance(death, dict)] if isinstance(deaths, list) else []


def plain(value: Any) -> Any:
    """What AMQP carries in a header, as JSON has it: times as text, bytes as far as they are text."""
    match value:
        case dict():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case bytes():
            return value.decode(errors="replace")
        case str() | int() | float() | None:
            return value
        case datetime():
            # pika tells the broker's times without a zone: they are UTC.
            return value.replace(tzinfo=UTC).isoformat()
    return str(value)


def readable(value: Any) -> str:
    """Text as it is, and what is JSON, be it inside a text, line by line."""
    if isinstance(value, str):
        value = _parsed(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _parsed(text: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, dict | list) else text
