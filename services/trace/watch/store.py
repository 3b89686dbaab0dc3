"""What trace watches, and what it found: handoffs, sites' days with events, findings, as documents. No I/O.

A row with `look_at` is to be judged at that time. Writes collide with whoever changed the row since it was read: what
was read is in the filter, and `upsert` then meets the `_id`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from pymongo import IndexModel, InsertOne, ReplaceOne, UpdateMany, UpdateOne

from chassis.collections import Collection
from contracts.findings import Finding, FindingKind
from contracts.trace import Category, Step
from services.trace.rows import decimal128, quantity_of
from services.trace.told import Stored
from services.trace.watch import terms
from services.trace.watch.findings import OF_HANDOFFS, Change
from services.trace.watch.handoffs import Half, Handoff, Told
from services.trace.watch.silence import KEPT_DAYS, earliest

HANDOFFS: Final = "handoffs"
ACTIVITY: Final = "activity"
FINDINGS: Final = "findings"

_OPEN: Final = {"open": True}

COLLECTIONS: Final = (
    Collection(
        HANDOFFS,
        (
            IndexModel([("batch", 1)]),
            IndexModel([("look_at", 1)], sparse=True),
            IndexModel([("loose", 1)], sparse=True),
        ),
        {
            "required": ["batch", "from", "to"],
            "properties": {"look_at": {"bsonType": "date"}, "shipped": {"bsonType": "array"}},
        },
    ),
    Collection(ACTIVITY, (IndexModel([("look_at", 1)], sparse=True),), {"required": ["days"]}),
    Collection(
        FINDINGS,
        (
            IndexModel([("opened_at", -1), ("_id", -1)]),
            IndexModel([("division", 1), ("opened_at", -1)]),
            IndexModel([("operator", 1), ("opened_at", -1)]),
            IndexModel([("site", 1), ("opened_at", -1)]),
            IndexModel([("counterparty", 1)], partialFilterExpression=_OPEN),
            IndexModel([("batches", 1), ("opened_at", -1), ("_id", -1)]),
        ),
        {
            "required": ["kind", "open", "version", "site", "due_at", "opened_at"],
            "properties": {"kind": {"enum": [*FindingKind]}, "version": {"minimum": 1}},
        },
    ),
)


# Handoffs


def half_told(told: Told) -> UpdateOne:
    """Adds what an event says of a handoff: in any order, any number of times, the row is the same."""
    row = {"batch": told.batch, "from": told.tail, "to": told.head}
    side = "shipped" if told.handed_over else "received"
    news: Stored = {
        "$setOnInsert": row | {"loose": told.batch} if told.loose else row,
        "$addToSet": {side: _half_row(told.half)},
    }
    if not told.half.external:
        news["$min"] = {"look_at": told.half.time + terms.SHORTEST}
    return UpdateOne({"_id": told.id}, news, upsert=True)


def _half_row(half: Half) -> Stored:
    row: Stored = {"time": half.time, "event": half.event, "step": half.step, "category": half.category}
    if half.quantity is not None:
        row |= {"quantity": decimal128(half.quantity), "unit": half.unit}
    if half.external:
        row["external"] = True
    return row


def halves_withdrawn(events: Iterable[str], batches: Iterable[str], now: datetime) -> UpdateMany:
    """Takes what these events said out of the handoffs of their batches, and has the next sweep judge them.

    An event's own batches are enough (`batches` of its document).
    """
    told = {"event": {"$in": list(events)}}
    news = {"$pull": {"shipped": told, "received": told}, "$min": {"look_at": now}}
    return UpdateMany(handoffs_of(batches), news)


def handoffs_of(batches: Iterable[str], sites: Sequence[str] = ()) -> Stored:
    """Filter of every handoff of these batches, or of those between any of these sites."""
    between = {"from": {"$in": sites}, "to": {"$in": sites}} if sites else {}
    return {"batch": {"$in": list(batches)}, **between}


def handoff(row: Mapping[str, Any]) -> Handoff:
    """A handoff on record."""
    return Handoff(
        row["_id"],
        row["batch"],
        row["from"],
        row["to"],
        _halves(row.get("shipped", ())),
        _halves(row.get("received", ())),
        row.get("look_at"),
    )


def _halves(told: Iterable[Stored]) -> frozenset[Half]:
    return frozenset(map(_half, told))


def _half(told: Stored) -> Half:
    step, category = Step(told["step"]), Category(told["category"])
    external = told.get("external", False)
    return Half(told["time"], told["event"], step, category, quantity_of(told), told.get("unit"), external)


def loose(batches: Iterable[str]) -> Stored:
    """Filter of the handoffs of these batches that name one side only."""
    return {"loose": {"$in": list(batches)}}


def handoffs_woken(batches: Iterable[str], now: datetime) -> UpdateMany:
    """Has the handoffs of these batches judged by the next sweep."""
    return UpdateMany(handoffs_of(batches), {"$min": {"look_at": now}})


def looked(id: str, seen: datetime | None, again: datetime | None, as_read: Stored) -> list[UpdateOne]:
    """Sets when a row is looked at again; nothing when that is as it was.

    `as_read` is what else was read of it, its required fields among that: an upsert that lacks them is no collision.
    """
    if seen == again:
        return []
    news = {"$unset": {"look_at": 1}} if again is None else {"$set": {"look_at": again}}
    return [UpdateOne({"_id": id, "look_at": seen} | as_read, news, upsert=True)]


def as_read(handoff: Handoff) -> Stored:
    """Filter of a handoff of which no half was told or withdrawn since: that need not change when it is looked at."""
    ends = dict(zip(("batch", "from", "to"), handoff.id.split("@"), strict=True))
    return ends | _with("shipped", len(handoff.shipped)) | _with("received", len(handoff.received))


def _with(side: str, halves: int) -> Stored:
    return {side: {"$size": halves}} if halves else {f"{side}.0": {"$exists": False}}


def to_look_at(now: datetime) -> Stored:
    """Filter of the rows whose time has come."""
    return {"look_at": {"$lte": now}}


# Activity


def marked(site: str, days: Iterable[date]) -> UpdateOne:
    """Adds days with events of a site, of which the last ones are kept; when it must be looked at moves on."""
    told = sorted(days)
    all_days = {"$setUnion": [{"$ifNull": ["$days", []]}, [day.isoformat() for day in told]]}
    news = {
        "days": {"$slice": [{"$sortArray": {"input": all_days, "sortBy": 1}}, -KEPT_DAYS]},
        "look_at": {"$max": ["$look_at", earliest(told[-1])]},
    }
    return UpdateOne({"_id": site}, [{"$set": news}], upsert=True)


def sites_woken(sites: Iterable[str], now: datetime) -> UpdateMany:
    """Has those of these sites judged by the next sweep for which no time is set: silent ones, suspended ones."""
    return UpdateMany({"_id": {"$in": list(sites)}, "look_at": None}, {"$set": {"look_at": now}})


# Findings


def finding(row: Mapping[str, Any]) -> Finding:
    """A finding on record."""
    return Finding.model_validate({**row, "id": row["_id"]})


def changed(change: Change) -> InsertOne[Stored] | ReplaceOne[Stored]:
    """Writes a finding as it is now."""
    row = {"_id": change.after.id, **change.after.model_dump(exclude={"id"})}
    if change.before is None:
        return InsertOne(row)
    return ReplaceOne({"_id": change.after.id, "version": change.before.version}, row, upsert=True)


def open_about_batches(batches: Iterable[str]) -> Stored:
    """Filter of open findings about handoffs of any of these batches."""
    return {"open": True, "batches": {"$in": list(batches)}, "kind": {"$in": OF_HANDOFFS}}


def open_about_sites(sites: Sequence[str]) -> Stored:
    """Filter of open findings that name any of these sites."""
    return {"open": True, "$or": [{"site": {"$in": sites}}, {"counterparty": {"$in": sites}}]}
