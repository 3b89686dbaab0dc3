"""Trace's collections, and everything asked of them or written to them: filters, pipelines, operations. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import IndexModel, InsertOne, UpdateOne

from chassis.collections import Collection
from contracts.trace import Record, Step
from services.trace import rows, told
from services.trace.corrections.declarations import State
from services.trace.domain import Decision, Sighting
from services.trace.entry import candidate_ids
from services.trace.evidence import sealing
from services.trace.evidence.lanes import Lane
from services.trace.lineage import HANDOVERS, TAKEOVERS
from services.trace.recalls import rows as recall_rows
from services.trace.told import Stored
from services.trace.truth import store as truth_store
from services.trace.watch import handoffs
from services.trace.watch import store as watch_store

EVENTS: Final = "events"
SITES: Final = "sites"

DECLARATIONS: Final = "declarations"

SEALED: Final = (EVENTS, DECLARATIONS)
"""What blocks are of."""

FLAGGED: Final = IndexModel(
    [("flags.rule", 1), ("time", -1)], name="flagged", partialFilterExpression={"flags.rule": {"$exists": True}}
)
"""Of the events that have a flag: nearly all have none."""

_SCHEMA: Final = {
    "required": ["source", "message_id", "step", "time", "recorded_at", "site", "batches"],
    "properties": {
        "_id": {"bsonType": "string"},
        "step": {"enum": [step.value for step in Step]},
        "time": {"bsonType": "date"},
        "site": {"bsonType": "string", "minLength": 1},
        "batches": {"bsonType": "array"},
    },
}

COLLECTIONS: Final = (
    Collection(
        EVENTS,
        (
            IndexModel([("inputs", 1)]),
            IndexModel([("outputs", 1)]),
            IndexModel([("batches", 1)]),
            IndexModel([("site", 1), ("time", -1)]),
            IndexModel([("division", 1), ("time", -1)]),
            IndexModel([("parties", 1), ("time", -1)]),
            FLAGGED,
            IndexModel([("unplaced", 1)], sparse=True),
            IndexModel([("block", 1)]),
            IndexModel([("references", 1)], sparse=True),
            truth_store.VEHICLES,
            # Sources and steps are few: a query by them alone reads this one.
            IndexModel([("time", -1), ("_id", -1)]),
        ),
        _SCHEMA,
        # A walk reads events of one chain from all over the store.
        page_kb=16,
    ),
    Collection(
        SITES,
        (
            IndexModel([("alias_of", 1)], sparse=True),
            IndexModel([("names", 1)], sparse=True),
            IndexModel([("operator", 1)]),
        ),
    ),
    Collection(
        DECLARATIONS,
        (
            IndexModel([("event_id", 1)]),
            IndexModel([("at", -1), ("_id", -1)]),
            IndexModel([("state", 1)], partialFilterExpression={"state": State.PENDING}),
            IndexModel([("block", 1)]),
        ),
        {"required": ["event_id", "reason", "by", "who", "at", "state"], "properties": {"state": {"enum": [*State]}}},
    ),
    *watch_store.COLLECTIONS,
    *sealing.COLLECTIONS,
    truth_store.COLLECTION,
    *recall_rows.COLLECTIONS,
)


# Capture


def writes(
    decision: Decision, correlations: Mapping[str, str | None], recorded_at: datetime, lane: Lane
) -> dict[str, list[Any]]:
    """Operations of a decision, its events sealed in a block of the lane; `correlations` by record id."""
    events = [rows.event_row(entry, correlations.get(entry.record.id), recorded_at) for entry in decision.entries]
    sealed = lane.seal(events, recorded_at)
    halves = [watch_store.half_told(half) for entry in decision.entries for half in handoffs.told(entry)]
    return {
        EVENTS: [*map(InsertOne, sealed.documents if sealed else ()), *map(_sighted, decision.sightings)],
        watch_store.HANDOFFS: halves,
        **sealing.stored(sealed),
    }


def _sighted(sighting: Sighting) -> UpdateOne:
    return UpdateOne({"_id": sighting.event_id}, {"$addToSet": {"also_from": sighting.source}})


KNOWN_FIELDS: Final = dict.fromkeys(("source", "batches", "also_from", "declared", *told.TOLD), 1)


def recorded_already(records: Iterable[Record]) -> Stored:
    """Filter of the events that a batch of records may collide with."""
    return {"_id": {"$in": [id for record in records for id in candidate_ids(record)]}}


def sites_named(records: Iterable[Record]) -> set[str]:
    """Ids of the sites on either side of the records."""
    parties = (party for record in records for party in (record.site, record.counterparty) if party)
    return {party.site for party in parties if party.site}


def sites_to_place(records: Iterable[Record]) -> set[str]:
    """Ids of the sites whose division the records leave to the registry."""
    return {record.site.site for record in records if record.site.site and not record.site.division}


# Proposed receipts


def shipments(ids: Sequence[str]) -> Stored:
    """Filter of the events among these that hand goods over to a named site."""
    return {"_id": {"$in": list(ids)}, "step": {"$in": sorted(HANDOVERS)}, "there": {"$ne": ""}, "declared": None}


def receipts(nodes: Sequence[str]) -> Stored:
    """Filter of receipts that brought goods to these nodes."""
    return {"outputs": {"$in": list(nodes)}, "step": {"$in": sorted(TAKEOVERS)}, "declared": None}
