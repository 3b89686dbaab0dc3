"""What callers ask of events: filters and pipelines with the caller's scope inside. No I/O."""

from datetime import datetime
from typing import Final, NamedTuple

from chassis.caller import Caller
from contracts.divisions import scope_prefix
from services.trace.lineage import HANDOVERS, TAKEOVERS
from services.trace.pages import Position, older
from services.trace.privacy import OPERATOR, SYSTEM
from services.trace.store import DECLARATIONS, EVENTS, SITES
from services.trace.told import Stored

PROVINCE_DIGITS: Final = 2


def scope(caller: Caller) -> Stored:
    """Filter of the events a caller may see: its division's, or those its operator is a side of."""
    if caller.role == OPERATOR:
        return {"parties": caller.operator_id}
    return {} if caller.role == SYSTEM else within(caller.division or "-")


def within(division: str) -> Stored:
    """Filter of the events in a division, given as the start of its codes."""
    return {"division": {"$gte": division, "$lt": division + ":"}}


def within_or_nowhere(division: str) -> Stored:
    """The same of what may have no division: a province looks after that."""
    inside = within(division)
    return {"$or": [inside, {"division": None}]} if len(division) == PROVINCE_DIGITS else inside


def whole(event: str, caller: Caller) -> list[Stored]:
    """Pipeline of one event of the caller's, with its `declarations` and the replica's rows of its two `sites`: one
    question in place of three.
    """
    return [
        {"$match": {"$and": [{"_id": event}, scope(caller)]}},
        {"$lookup": {"from": DECLARATIONS, "localField": "_id", "foreignField": "event_id", "as": "declarations"}},
        {"$set": {"sides": ["$site", "$there"]}},
        {"$lookup": {"from": SITES, "localField": "sides", "foreignField": "_id", "as": "sites"}},
    ]


class Question(NamedTuple):
    """What a caller asks of events; what is None does not matter.

    `sites` are all ids of one site; times are aware UTC, `until` excluded.
    """

    batch: str | None = None
    sites: tuple[str, ...] | None = None
    step: str | None = None
    flag: str | None = None
    division: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    source: str | None = None


def asked(question: Question, caller: Caller) -> Stored:
    """Filter of the caller's events that answer the question."""
    fields = {
        "batches": question.batch,
        "site": question.sites and {"$in": list(question.sites)},
        "step": question.step,
        "flags.rule": None if question.flag == UNSHIPPED else question.flag,
        "source": question.source,
    }
    clauses = [scope(caller), {name: value for name, value in fields.items() if value is not None}]
    if question.division:
        clauses.append(within(scope_prefix(question.division)))
    if times := {op: at for op, at in (("$gte", question.since), ("$lt", question.until)) if at}:
        clauses.append({"time": times})
    return {"$and": [clause for clause in clauses if clause] or [{}]}


STANDING: Final[Stored] = {"declared": None}
"""Filter of the events about which no error was declared."""

UNSHIPPED: Final = "unshipped_receipt"
"""A flag that is derived when asked for: whether somebody shipped may become known after the receipt."""


def page(question: Question, caller: Caller, after: Position | None, size: int) -> list[Stored]:
    """Pipeline of one page, newest first, after the time and id of the last event seen."""
    stages: list[Stored] = [{"$match": asked(question, caller)}]
    if after:
        stages.append({"$match": older("time", after)})
    stages.append({"$sort": {"time": -1, "_id": -1}})
    if question.flag == UNSHIPPED:
        stages += _unshipped()
    return [*stages, {"$limit": size}]


def _unshipped() -> list[Stored]:
    """Keeps receipts from within the province with a lot that no other site handed over."""
    shipped = {
        "from": EVENTS,
        "let": {"receiver": "$site"},
        "localField": "lots.inputs.batch",
        "foreignField": "batches",
        "pipeline": [
            {"$match": {"step": {"$in": sorted(HANDOVERS)}, **STANDING, "$expr": {"$ne": ["$site", "$$receiver"]}}},
            {"$unwind": "$batches"},
            {"$group": {"_id": "$batches"}},
        ],
        "as": "shipped",
    }
    lots = {"$setDifference": ["$lots.inputs.batch", "$shipped._id"]}
    return [
        {"$match": {"step": {"$in": sorted(TAKEOVERS)}, "counterparty.external": {"$ne": True}}},
        {"$lookup": shipped},
        {"$match": {"$expr": {"$gt": [{"$size": lots}, 0]}}},
        {"$unset": "shipped"},
    ]


def flag_counts(question: Question, caller: Caller) -> list[Stored]:
    """Pipeline: `{_id: rule, events}` for every flag; `_id` None counts all events."""
    return [
        {"$match": {"$and": [asked(question, caller), STANDING]}},
        {"$project": {"rule": {"$setUnion": [{"$ifNull": ["$flags.rule", []]}, [None]]}}},
        {"$unwind": "$rule"},
        {"$group": {"_id": "$rule", "events": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]


def unshipped_count(question: Question, caller: Caller) -> list[Stored]:
    """Pipeline: how many receipts in question nobody shipped."""
    return [{"$match": {"$and": [asked(question, caller), STANDING]}}, *_unshipped(), {"$count": "events"}]
