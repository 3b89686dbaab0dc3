"""Collections as declarations: name, indexes, schema. Pure; each runtime's `mongo` module makes them real."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel

OUTBOX = "outbox"
INBOX = "inbox"
AUDIT = "audit"

INBOX_KEPT_S = 14 * 86_400
"""How long an answer to a `request_id` or a mark of a handled message is kept, in seconds."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of one service: its indexes and the JSON schema its documents must satisfy."""

    name: str
    indexes: tuple[IndexModel, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def validator(self) -> dict[str, Any]:
        """MongoDB's validator for the schema; empty when the collection has none."""
        return {"$jsonSchema": dict(self.schema)} if self.schema else {}


CHASSIS: tuple[Collection, ...] = (
    Collection(OUTBOX, (IndexModel([("lease_until", 1)]),)),
    Collection(INBOX, (IndexModel([("at", 1)], expireAfterSeconds=INBOX_KEPT_S),)),
    Collection(AUDIT, (IndexModel([("at", -1)]), IndexModel([("caller", 1), ("at", -1)]))),
)
"""What every service's database holds beside the service's own collections."""
