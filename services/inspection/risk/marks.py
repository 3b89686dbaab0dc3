"""What trace's events say of a site's recording, as idempotent marks: one per event, so that nothing counts twice.

On time, complete, accurate (每季度抽查) are read from the flags an event was recorded with. Pure.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne

from contracts.rules import FLAG, RULES
from contracts.trace import RecordedEvent
from services.inspection.documents import Document

LATE: Final = frozenset({"late_upload"})
INCOMPLETE: Final = frozenset({"kde_missing", "unit_not_convertible", "unknown_counterparty"})
STANDING: Final = frozenset({"operator_unregistered", "operator_suspended", "operator_revoked", "licence_expired"})
"""Flags about who recorded, not about what was recorded."""

INACCURATE: Final = frozenset(RULES[id].id for id in RULES if RULES[id].effect is FLAG) - LATE - INCOMPLETE - STANDING

FAULTS: Final = {"late": LATE, "incomplete": INCOMPLETE, "inaccurate": INACCURATE}

_FOUR_PLACES: Final = Decimal("0.0001")


def mark(event: RecordedEvent) -> Document:
    """An event's mark: whose, when, of which batches; and what is wrong with it, if anything is."""
    row: Document = {"_id": event.id, "site": event.site, "time": event.time, "batches": list(event.batches)}
    if event.flags:
        row |= {name: True for name, rules in FAULTS.items() if not rules.isdisjoint(event.flags)}
    return row


def withdrawn(event: RecordedEvent) -> UpdateOne:
    """Takes an event's mark back, for it was declared wrong; one that is told of only later finds it so."""
    return UpdateOne({"_id": event.id}, {"$set": {"declared": True}, "$setOnInsert": mark(event)}, upsert=True)


class Score(NamedTuple):
    """Events of a site or a sample in a quarter, and how many were late, incomplete, inaccurate."""

    events: int = 0
    late: int = 0
    incomplete: int = 0
    inaccurate: int = 0

    def rate(self, faults: int) -> str:
        """From 0 to 1 with four decimals; empty when there is nothing to judge."""
        if not self.events:
            return ""
        return str((Decimal(self.events - faults) / self.events).quantize(_FOUR_PLACES))


def total(scores: Iterable[Score]) -> Score:
    """The scores of a whole sample: by event, not by site."""
    return Score(*map(sum, zip(*(tuple(score) for score in scores), strict=True))) if scores else Score()


def counted(sites: Sequence[str], since: datetime, until: datetime) -> list[Document]:
    """Pipeline on the marks: events and faults by site id, between two times (`until` excluded)."""

    def faults(name: str) -> dict[str, Any]:
        return {"$sum": {"$cond": [f"${name}", 1, 0]}}

    sums = {name: faults(name) for name in FAULTS}
    return [
        {"$match": {"site": {"$in": list(sites)}, "time": {"$gte": since, "$lt": until}, "declared": None}},
        {"$group": {"_id": "$site", "events": {"$sum": 1}, **sums}},
    ]
