"""A message on its way out, whichever runtime sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts.catalogue import MESSAGE_TYPES
from contracts.envelope import Envelope
from contracts.model import Contract

UNLEASED = datetime.fromtimestamp(0, UTC)
"""Lease of a row that any relay may take at once; what an api, which has no relay, writes."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the broker gets: exchange, routing key, headers and body, and the message's id."""

    exchange: str
    key: str
    id: str
    headers: Mapping[str, str | int]
    body: bytes
    content_type: str = "application/json"

    def row(self, lease_until: datetime) -> dict[str, Any]:
        """The message as an outbox row, left alone by other relays until `lease_until`.

        Its `_id` is the message's id, so that it is queued once.
        """
        return {
            "_id": self.id,
            "lease_until": lease_until,
            "exchange": self.exchange,
            "key": self.key,
            "headers": dict(self.headers),
            "body": self.body,
            "content_type": self.content_type,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Outgoing":
        """The message an outbox row holds."""
        return cls(row["exchange"], row["key"], row["_id"], row["headers"], row["body"], row["content_type"])


@dataclass(frozen=True, slots=True)
class Commit:
    """What a handler decided: operations per collection and the messages to announce them.

    Both runtimes' stores carry it out in one transaction: state and outbox rows, all or nothing.
    """

    writes: Mapping[str, list[Any]] = field(default_factory=dict)
    outgoing: list[Outgoing] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.outgoing) or any(self.writes.values())


def outgoing(
    type: str, body: Contract, *, source: str, parent: Envelope | None = None, key: str | None = None
) -> Outgoing:
    """The message of a type in the catalogue, on its exchange; `key` replaces the type's routing key."""
    entry = MESSAGE_TYPES[type]
    envelope = Envelope.new(type, source, parent=parent)
    return Outgoing(
        entry.exchange,
        key or entry.routing_key,
        envelope.id,
        envelope.to_headers(),
        body.model_dump_json(exclude_defaults=True).encode(),
    )
