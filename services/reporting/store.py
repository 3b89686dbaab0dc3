"""Reporting's collections, and everything asked of them or written to them: pipelines and operations. No I/O."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import IndexModel, InsertOne, UpdateOne

from chassis.collections import TIMERS, Collection
from chassis.replicas import aliased, changed
from chassis.timers import first
from contracts import divisions
from contracts.findings import Finding
from contracts.inspection import CaseFacts, TaskFacts, TestFacts
from contracts.notices import DeliveryFacts
from contracts.registry import Alias, Cell, SiteFacts
from contracts.trace import RecordedEvent
from services.reporting import facts, months
from services.reporting.facts import Mark, Upload

Document = dict[str, Any]
Writes = dict[str, list[Any]]

SITES: Final = "sites"
CELLS: Final = "cells"
MARKS: Final = "marks"
UPLOADS: Final = "uploads"
FINDINGS: Final = "findings"
TASKS: Final = "tasks"
CASES: Final = "cases"
TESTS: Final = "tests"
DELIVERIES: Final = "deliveries"
DECLARATIONS: Final = "declarations"
STANDARDS: Final = "standards"
BULLETINS: Final = "bulletins"
INPUTS: Final = "inputs"

FACTS: Final = (SITES, CELLS, MARKS, UPLOADS, FINDINGS, TASKS, CASES, TESTS, DELIVERIES)
"""What `RebuildFacts` copies anew; the rest is reporting's own."""

_DAY: Final = {"bsonType": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_TEXTS: Final = {"bsonType": "array", "items": {"bsonType": "string"}}
_OPEN: Final = (IndexModel([("opened_at", 1)]), IndexModel([("closed_at", 1)]))

COLLECTIONS: Final = (
    Collection(SITES, (IndexModel([("alias_of", 1)], sparse=True), IndexModel([("division", 1)]))),
    Collection(CELLS, (IndexModel([("station", 1)]),)),
    Collection(
        MARKS,
        (
            IndexModel([("day", 1)]),
            IndexModel([("site", 1), ("day", 1)]),
            IndexModel([("day", 1)], name="withdrawn", partialFilterExpression={"withdrawn": {"$exists": True}}),
        ),
        {
            "required": ["site", "day", "kinds"],
            "properties": {"day": _DAY, "kinds": _TEXTS, "closed": _TEXTS, "linked": _TEXTS},
        },
    ),
    Collection(UPLOADS, (IndexModel([("day", 1)]),), {"required": ["source", "day"], "properties": {"day": _DAY}}),
    Collection(FINDINGS, _OPEN),
    Collection(TASKS, _OPEN),
    Collection(CASES, _OPEN),
    Collection(TESTS, (IndexModel([("tested_at", 1)]),)),
    Collection(DELIVERIES, (IndexModel([("created_at", 1)]),)),
    Collection(DECLARATIONS, (IndexModel([("month", 1), ("system", 1)]),)),
    Collection(STANDARDS, (IndexModel([("division", 1), ("from_day", 1)]),)),
    Collection(
        BULLETINS,
        (IndexModel([("month", -1), ("version", -1)], unique=True),),
        {"required": ["month", "version", "frozen_at", "inputs", "figures"]},
    ),
    Collection(INPUTS, (IndexModel([("month", 1), ("version", 1), ("part", 1)], unique=True),)),
)


# Facts in


def recorded(events: Iterable[RecordedEvent]) -> Writes:
    """Marks of a batch of events."""
    events = list(events)
    return {MARKS: [*map(_marked, facts.marks(events))], UPLOADS: [*map(_uploaded, facts.uploads(events))]}


def _marked(mark: Mark) -> UpdateOne:
    sets: dict[str, Iterable[str]] = {"kinds": mark.kinds}
    if mark.linked:
        sets |= {"linked": mark.linked}
    if mark.closed:
        sets |= {"closed": mark.closed}
    sets |= {f"{name}.{key}": ids for name, found in mark.ids.items() for key, ids in found.items()}
    day = mark.day.isoformat()
    return _joined(f"{mark.site}@{day}", {"site": mark.site, "day": day}, sets)


def withdrawn(events: Iterable[RecordedEvent]) -> list[UpdateOne]:
    """Takes back the marks of events that were declared wrong, told of before or only later."""
    return [*map(_withdrawn, events)]


def _withdrawn(event: RecordedEvent) -> UpdateOne:
    day = months.day_of(event.time).isoformat()
    return _joined(f"{event.site}@{day}", {"site": event.site, "day": day}, {"withdrawn": [event.id], "kinds": []})


def _uploaded(upload: Upload) -> UpdateOne:
    day = upload.day.isoformat()
    fields = {"source": upload.source, "day": day}
    return _joined(f"{upload.source}@{day}", fields, {"events": upload.events}, {"$max": {"on_time": upload.on_time}})


def _joined(id: str, fields: Document, sets: Mapping[str, Iterable[str]], more: Document | None = None) -> UpdateOne:
    """A row that only ever grows: the union of all that was told of it."""
    unions = {name: {"$each": sorted(values)} for name, values in sets.items()}
    return UpdateOne({"_id": id}, {"$setOnInsert": fields, "$addToSet": unions, **(more or {})}, upsert=True)


def site_changed(told: SiteFacts) -> UpdateOne:
    """Takes facts over unless newer ones are there: order does not matter."""
    return changed(told.site, _placed(told))


def site_aliased(told: Alias) -> UpdateOne:
    """Notes which site an id means, or that it stands for itself, unless something newer is noted."""
    return aliased(told.alias, told.site, told.version)


def replaced(id: str, told: Cell | Finding | TaskFacts | CaseFacts | TestFacts | DeliveryFacts) -> UpdateOne:
    """A thing as it stands, unless a higher version of it is there."""
    return changed(id, _placed(told))


def _placed(told: SiteFacts | Cell | Finding | TaskFacts | CaseFacts | TestFacts | DeliveryFacts) -> Document:
    """Facts as a row; who still goes by an abolished division counts where that is today."""
    return {**told.model_dump(), "division": told.division and divisions.today(told.division)}


# Late records


LATE: Final = "bulletin.late"


def past_months(events: Iterable[RecordedEvent], now: datetime) -> set[str]:
    """Months before the current one that events fall in."""
    current = months.month_of(now)
    return {month for event in events if (month := months.month_of(event.time)) < current}


def late(frozen: Iterable[str], now: datetime, after: timedelta) -> Writes:
    """Lets the bulletins of months be looked at again, twice `after` from now at most: at moments all share, so that
    others' rows are the same. A row that fires before this commit is never the one that is set.
    """
    step = after.total_seconds()
    at = datetime.fromtimestamp((now.timestamp() // step + 2) * step, UTC) if step else now
    return {TIMERS: [first(f"{LATE}/{month}/{at.isoformat()}", LATE, at) for month in frozen]}


def month_of_look(id: str) -> str:
    """The month that a row of `late` is about."""
    return id.split("/")[1]


# Reporting's own


def standard(row: Document) -> Writes:
    """A standard; two that are set at once collide, for each has a number of its own."""
    return {STANDARDS: [InsertOne(row)]}


def declared(row: Document) -> Writes:
    """What a self-built system declares of a month; the last word counts."""
    return {DECLARATIONS: [UpdateOne({"_id": row["_id"]}, {"$set": row}, upsert=True)]}


def published(bulletin: Document, inputs: Iterable[Document]) -> Writes:
    """A frozen version and the rows it was computed from."""
    return {BULLETINS: [InsertOne(bulletin)], INPUTS: [*map(InsertOne, inputs)]}
