"""Dead letters: what their headers say, and how they go back to the queue they died in. Pure."""

import json
from typing import Any, Final, NamedTuple

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
    """What a message in `<queue>.dead` says of itself. One the broker gave up on carries the broker's headers only."""
    key = str(headers.get(ROUTING_KEY) or _first_key(headers))
    return Letter(
        id=str(headers.get("x-shilian-message-id") or headers.get("ce-id") or message_id or ""),
        queue=str(headers.get("x-shilian-queue") or queue),
        routing_key=key,
        type=str(headers.get("ce-type") or key),
        reason=str(headers.get("x-shilian-reason") or headers.get("x-first-death-reason") or "unknown"),
        records=int(headers.get("x-shilian-records") or 1),
        errors=tuple(json.loads(headers.get("x-shilian-errors") or "[]")),
    )


def revived(headers: Json) -> Json:
    """Headers of a letter that is sent back: as they were, with the first routing key, which tells its source."""
    kept = {
        name: value
        for name, value in headers.items()
        if not name.startswith(PREFIX) and not name.startswith(BROKERS_OWN)
    }
    key = headers.get(ROUTING_KEY) or _first_key(headers)
    return kept | ({ROUTING_KEY: key} if key else {})


def _first_key(headers: Json) -> str:
    """Where the broker dead-lettered it from first; it puts the latest death in front."""
    deaths = headers.get("x-death") or [{}]
    return str(next(iter(deaths[-1].get("routing-keys") or ()), ""))
