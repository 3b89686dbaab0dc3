"""Inspection's collections, and what both runtimes ask of them: filters, pipelines, operations. No I/O."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import IndexModel

from chassis.collections import Collection
from contracts.inspection import CaseState, Standing, TaskState
from services.inspection.cases.handlings import Earlier, a_year_before, parties
from services.inspection.documents import Document
from services.inspection.places import Place

TASKS: Final = "tasks"
CASES: Final = "cases"
FINDINGS: Final = "findings"
TESTS: Final = "tests"
LEDGER: Final = "ledger"
SITES: Final = "sites"
CELLS: Final = "cells"
MARKS: Final = "marks"
SAMPLES: Final = "samples"
FRAMES: Final = "frames"

_TEXT: Final = {"bsonType": "string"}
_TIME: Final = {"bsonType": "date"}
_AREAS: Final = {"bsonType": "array", "minItems": 1, "items": _TEXT}


def _schema(required: Iterable[str], **properties: Any) -> dict[str, Any]:
    return {"bsonType": "object", "required": ["_id", *required], "properties": {"_id": _TEXT, **properties}}


COLLECTIONS: Final = (
    Collection(
        TASKS,
        (
            # A worklist's page is one walk along one of these, whatever the caller's scope.
            IndexModel([("areas", 1), ("state", 1), ("order", 1)]),
            IndexModel([("station", 1), ("state", 1), ("order", 1)]),
            IndexModel([("officers", 1), ("state", 1), ("order", 1)]),
            IndexModel([("site", 1), ("state", 1), ("order", 1)]),
            IndexModel([("order", 1)]),
            IndexModel([("checked_level", 1), ("inspected_at", -1)]),
            IndexModel([("cause_id", 1)], partialFilterExpression={"cause": "recall"}),
        ),
        _schema(
            ("kind", "state", "version", "title", "cause", "site", "areas", "order", "due_at", "opened_at", "taken"),
            state={"enum": [*TaskState]},
            areas=_AREAS,
            due_at=_TIME,
            opened_at=_TIME,
            level={"enum": ["station", "county", "city", "province"]},
        ),
    ),
    Collection(
        CASES,
        (
            IndexModel([("areas", 1), ("order", -1)]),
            IndexModel([("order", -1)]),
            IndexModel([("site", 1), ("state", 1), ("order", -1)]),
            IndexModel([("item", 1), ("handlings.name", 1), ("opened_at", -1)]),
        ),
        _schema(
            ("state", "version", "cause", "cause_id", "site", "areas", "triggers", "musts", "gates", "opened_at"),
            state={"enum": [*CaseState]},
            areas=_AREAS,
        ),
    ),
    Collection(FINDINGS, (), _schema(("version", "open", "task"))),
    Collection(
        TESTS,
        (
            IndexModel([("areas", 1), ("order", -1)]),
            IndexModel([("areas", 1), ("qualified", 1), ("order", -1)]),
            IndexModel([("order", -1)]),
            IndexModel([("site", 1), ("order", -1)]),
            IndexModel([("batch", 1), ("order", -1)]),
            IndexModel([("operator", 1), ("order", -1)]),
            IndexModel([("recorded_by", 1), ("order", -1)]),
            IndexModel([("parked", 1)], sparse=True),
        ),
        _schema(
            ("source", "kind", "item", "site", "qualified", "tested_at", "recorded_at", "content", "areas", "order"),
            standing={"enum": [*Standing]},
        ),
    ),
    Collection(
        LEDGER,
        (
            IndexModel([("officer", 1), ("at", -1), ("_id", -1)]),
            IndexModel([("areas", 1), ("at", -1), ("_id", -1)]),
            IndexModel([("subject", 1), ("at", -1), ("_id", -1)]),
        ),
        _schema(("at", "recorded_at", "officer", "role", "action", "subject", "areas", "outcome"), at=_TIME),
    ),
    Collection(
        SITES,
        (
            IndexModel([("alias_of", 1)], sparse=True),
            IndexModel([("division", 1), ("link", 1), ("state", 1), ("_id", 1)]),
        ),
    ),
    Collection(CELLS),
    Collection(
        MARKS,
        (IndexModel([("site", 1), ("time", 1)]), IndexModel([("batches", 1)])),
        _schema(("site", "time"), time=_TIME),
    ),
    Collection(SAMPLES, (IndexModel([("areas", 1), ("order", -1)]),), _schema(("seed", "quarter", "sites", "areas"))),
    Collection(FRAMES, (IndexModel([("sample", 1), ("stratum", 1)]),), _schema(("sample", "stratum", "sites"))),
)


class Query(NamedTuple):
    """What a rule asks the store: documents of a collection that match, with all or some fields; `most` 0 is all."""

    collection: str
    filter: Document
    fields: Mapping[str, Any] | None = None
    most: int = 0


# What waits for a site to be known


def open_at(sites: Iterable[str]) -> Document:
    """Filter of the tasks and cases at these sites that are not done with."""
    return {"site": {"$in": sorted(sites)}, "state": {"$nin": ["closed", "cancelled"]}}


def unplaced_at(sites: Iterable[str]) -> Document:
    """Filter of the tests at these sites of which it was not known where or whose they are."""
    return {"site": {"$in": sorted(sites)}, "$or": [{"division": None}, {"operator": None}]}


# Earlier cases, for interview and accountability


def earlier_cases(wanted: Sequence[tuple[Place, str]], now: datetime) -> Document:
    """Filter of the cases that count against a unit or department for an item: of the year, or still open."""
    names = sorted({name for place, _ in wanted for name in parties(place).values()})
    items = sorted({item for _, item in wanted})
    lasting = [{"opened_at": {"$gte": a_year_before(now)}}, {"state": CaseState.OPEN.value}]
    wanted_ones = {"item": {"$in": items}, "handlings.name": {"$in": names}, "rescinded": {"$ne": True}}
    return {**wanted_ones, "$or": lasting}


EARLIER_FIELDS: Final = {"item": 1, "handlings.name": 1, "opened_at": 1, "state": 1}


def earlier(row: Mapping[str, Any]) -> Earlier:
    """A case on record as `handlings.handling` needs it."""
    return Earlier(frozenset(each["name"] for each in row["handlings"]), row["opened_at"], row["state"])


# Batches that events name


def asked_events(batches: Iterable[str]) -> Generator[Query, list[Document], dict[str, str]]:
    """For each batch that events name, the id of one: yields queries, and is sent rows. A batch may have thousands.

    What was declared wrong names nothing.
    """
    events: dict[str, str] = {}
    for batch in sorted(batches):
        found = yield Query(MARKS, {"batches": batch, "declared": None}, {"_id": 1}, 1)
        if found:
            events[batch] = found[0]["_id"]
    return events
