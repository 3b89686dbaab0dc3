"""What truth checks ask of the store and write there: filters, statements from documents, subjects to examine. No I/O.

A subject to be examined at a time is a row with `look_at`: one whose finding counts only from then on, and what
declarations and the registry's word may change.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pymongo import DeleteOne, IndexModel, UpdateOne

from chassis.collections import Collection
from contracts.fields import SHANGHAI
from contracts.findings import FindingKind
from services.trace import rows
from services.trace.told import Stored
from services.trace.truth.asks import (
    Citing,
    Doubted,
    LeadingTo,
    Named,
    OnVehicle,
    Request,
    ToldAgain,
    Touching,
    Watched,
)
from services.trace.truth.statements import Paper, Statement
from services.trace.truth.subjects import TRUTH, Subject, Topic
from services.trace.watch import store as watch_store

EXAMINE: Final = "to_examine"

COLLECTION: Final = Collection(
    EXAMINE,
    (IndexModel([("look_at", 1)]),),
    {"required": ["look_at"], "properties": {"look_at": {"bsonType": "date"}}},
)

_ON_VEHICLE: Final = {"$type": "string"}
VEHICLES: Final = IndexModel([("vehicle", 1), ("time", 1)], partialFilterExpression={"vehicle": _ON_VEHICLE})
"""Index of the events that name a vehicle."""

FIELDS: Final = dict.fromkeys(
    (
        *("step", "time", "site", "there", "operator", "division", "link", "party", "counterparty", "lots"),
        *("document", "documents", "vehicle", "flags", "declared"),
    ),
    1,
)

_STANDING: Final = {"declared": None}


def where(request: Request) -> Stored:
    """The filter of the events a request asks for."""
    match request:
        case Named(ids):
            return {"_id": {"$in": list(ids)}}
        case Touching(nodes):
            at = {"$in": list(nodes)}
            return _STANDING | {"$or": [{"inputs": at}, {"outputs": at}]}
        case LeadingTo(nodes):
            return _STANDING | {"outputs": {"$in": list(nodes)}}
        case Citing(numbers):
            return _STANDING | {"references": {"$in": list(numbers)}}
        case OnVehicle(days):
            return _STANDING | {"$or": [_of_day(plate, day) for plate, day in days]}
        case ToldAgain(origins):
            again = [{"_id": {"$gte": f"{id}:", "$lt": f"{id};"}} for id in origins]
            return _STANDING | {"$or": [{"_id": {"$in": list(origins)}}, *again]}
    raise TypeError(request)


def _of_day(plate: str, day: date) -> Stored:
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return {"vehicle": {"$eq": plate, **_ON_VEHICLE}, "time": {"$gte": start, "$lt": start + timedelta(days=1)}}


def watched(request: Watched) -> Stored:
    """The filter of the events for which these papers are watched (`subjects.is_watched`)."""
    animals = [{"documents.form": {"$in": ["animal_a", "animal_b"]}}, {"lots.inputs.unit": "HEA"}]
    more = [{"lots.outputs.unit": "HEA"}, {"lots.inputs.ear_tags": {"$exists": True}}]
    told = [{"documents.quantity": {"$exists": True}}, *animals, *more, {"lots.outputs.ear_tags": {"$exists": True}}]
    return {"references": {"$in": list(request.numbers)}, "$or": told}


def doubted(request: Doubted) -> Stored:
    """The filter of open findings that events about these batches may close."""
    return {"open": True, "kind": FindingKind.MEAT_WITHOUT_PAPERS, "batches": {"$in": list(request.batches)}}


def statement(row: Mapping[str, Any]) -> Statement:
    """An event on record as checks need it."""
    inputs, outputs = rows.lots_of(row)
    lots = inputs if outputs is inputs else [*inputs, *outputs]
    until = row.get("counterparty", {}).get("licence_valid_until")
    return Statement(
        rows.event(row),
        tuple(_paper(paper) for paper in row.get("documents", ())),
        row.get("vehicle"),
        tuple(dict.fromkeys(tag for lot in lots for tag in lot.get("ear_tags", ()))),
        _day(until) if until else None,
        any(flag["rule"] == "supplier_unlicensed" and flag["field"] == "counterparty" for flag in row["flags"]),
        row.get("declared") is not None,
    )


def _paper(row: Stored) -> Paper:
    issued, until = row.get("issued_on"), row.get("valid_until")
    return Paper(
        row["kind"],
        row["number"],
        row.get("form"),
        row.get("issuer"),
        _day(issued) if issued else None,
        _day(until) if until else None,
        rows.quantity_of(row),
        row.get("unit"),
    )


@lru_cache(4096)
def _day(text: str) -> date:
    return date.fromisoformat(text)


def to_examine(ids: Iterable[str], at: datetime) -> dict[str, list[UpdateOne]]:
    """Writes that have the next sweep judge again all that these events have to do with: after a declaration, say."""
    return {EXAMINE: [look_again(Subject(Topic.EVENT, id), at) for id in sorted(set(ids))]}


def look_again(subject: Subject, at: datetime) -> UpdateOne:
    """Has a subject examined at a time, or the earlier one already set; counted, so that who looks meanwhile sees."""
    return UpdateOne({"_id": subject.id}, {"$min": {"look_at": at}, "$inc": {"asked": 1}}, upsert=True)


def looked(row: Stored, again: datetime | None) -> DeleteOne | UpdateOne:
    """Sets when a row is looked at again, if at all; one that was asked for meanwhile stays due."""
    seen = {"_id": row["_id"], "look_at": row["look_at"], "asked": row.get("asked")}
    return UpdateOne(seen, {"$set": {"look_at": again}}) if again else DeleteOne(seen)


def open_about_sites(sites: Iterable[str]) -> Stored:
    """Filter of the open findings of truth checks that name any of these sites."""
    return watch_store.open_about_sites(list(sites)) | {"kind": {"$in": list(TRUTH)}}


def licences(sites: Iterable[str], before: date, doubted: Iterable[str]) -> Stored:
    """Filter of the sites no longer licensed on a day, by the registry, and of those whose licence is doubted."""
    ended = {"licence_valid_until": {"$lt": before.isoformat()}}
    return {"_id": {"$in": list(sites)}, "$or": [ended, {"_id": {"$in": list(doubted)}}]}
