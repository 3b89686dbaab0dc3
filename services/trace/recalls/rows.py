"""Simulations as they are frozen, and the collections of recalls with what is asked of them. No I/O."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pymongo import IndexModel

from chassis.caller import Caller
from chassis.collections import Collection
from contracts.divisions import scope_prefix
from contracts.trace import Link
from services.trace.lineage import Place
from services.trace.pages import Position, older
from services.trace.privacy import OPERATOR, SYSTEM
from services.trace.recalls.coverage import Coverage
from services.trace.recalls.portions import Fate, Portion, Why
from services.trace.recalls.simulation import Handover, Held, Simulation
from services.trace.stock.amounts import Amount
from services.trace.told import Stored
from services.trace.walks.chain import Gap

RECALLS: Final = "recalls"
VERSIONS: Final = "recall_versions"

COLLECTIONS: Final = (
    Collection(
        RECALLS,
        (
            IndexModel([("opened_at", -1), ("_id", -1)]),
            IndexModel([("divisions", 1)]),
            IndexModel([("operators", 1)]),
            IndexModel([("batches", 1)]),
        ),
        {"required": ["state", "version", "batches", "reason", "recall_class", "opened_at", "finish_by", "sites"]},
    ),
    Collection(VERSIONS, (), {"required": ["recall", "version", "at", "simulation"]}),
)
"""A recall as it stands; and one document per version with the simulation frozen then."""


def version_id(recall: str, version: int) -> str:
    """The document of a version."""
    return f"{recall}/{version}"


# Frozen


def freeze(simulation: Simulation) -> bytes:
    """The simulation, small enough for a document: 20,000 nodes are a megabyte."""
    told = {
        "batches": simulation.batches,
        "at": simulation.at.isoformat(),
        "nodes": simulation.nodes,
        "portions": simulation.portions,
        "handovers": simulation.handovers,
        "coverages": simulation.coverages,
        "gaps": simulation.gaps,
    }
    return zlib.compress(json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=str).encode())


def thaw(frozen: bytes) -> Simulation:
    """The simulation that was frozen."""
    told = json.loads(zlib.decompress(frozen))
    return Simulation(
        tuple(told["batches"]),
        datetime.fromisoformat(told["at"]),
        {key: Held(_place(place), product, category) for key, (place, product, category) in told["nodes"].items()},
        [_portion(*each) for each in told["portions"]],
        [Handover(tail, head, _amount(amount)) for tail, head, amount in told["handovers"]],
        [_coverage(*each) for each in told["coverages"]],
        [Gap(*each) for each in told["gaps"]],
    )


def _place(told: Sequence[Any]) -> Place:
    place = Place(*told)
    return place._replace(link=Link(place.link)) if place.link else place


def _amount(told: Sequence[str] | None) -> Amount | None:
    return Amount(Decimal(told[0]), told[1]) if told else None


def _portion(node: str, fate: str, amount: Sequence[str] | None, into: Sequence[str], why: str | None) -> Portion:
    return Portion(node, Fate(fate), _amount(amount), tuple(into), Why(why) if why else None)


def _coverage(batch: str, produced: Any, located: Any, unsure: Any, began: Sequence[str], _: None) -> Coverage:
    doubts = tuple((node, Why(why)) for node, why in unsure)
    return Coverage(batch, _amount(produced), _amount(located), doubts, tuple(began))


# Asked


def scope(caller: Caller) -> Stored:
    """Filter of the recalls a caller may see: those that touch its division, or its own sites or goods."""
    if caller.role == SYSTEM:
        return {}
    if caller.role == OPERATOR:
        return {"operators": caller.operator_id}
    return _within(caller.division or "-")


def _within(division: str) -> Stored:
    return {"divisions": {"$elemMatch": {"$gte": division, "$lt": division + ":"}}}


def one(recall: str, caller: Caller) -> Stored:
    """Filter of one recall."""
    return {"$and": [{"_id": recall}, scope(caller)]}


class Listed(NamedTuple):
    """What a caller asks of recalls; what is None does not matter."""

    open: bool | None
    division: str
    batch: str
    after: Position | None


MOST_UNDER_WAY: Final = 50
"""Recalls of the same batches that are named beside one."""

NEWEST_FIRST: Final = (("opened_at", -1), ("_id", -1))
LISTED_FIELDS: Final = {"versions": 0, "nodes": 0, "sites": 0, "operators": 0, "divisions": 0}
"""All but what grows with the chain."""


def asked(listed: Listed, caller: Caller) -> Stored:
    """Filter of the caller's recalls after the last one seen."""
    clauses: list[Stored] = [scope(caller)]
    if listed.open is not None:
        clauses.append({"state": "open" if listed.open else "closed"})
    if listed.division:
        clauses.append(_within(scope_prefix(listed.division)))
    if listed.batch:
        clauses.append({"batches": listed.batch})
    return {"$and": [*clauses, older("opened_at", listed.after)]}


def under_way(batches: Sequence[str], caller: Caller) -> Stored:
    """Filter of the caller's open recalls of any of these batches."""
    return {"$and": [{"batches": {"$in": list(batches)}, "state": "open"}, scope(caller)]}


# Followed


def touched(chain: Iterable[str], since: datetime) -> Stored:
    """Filter of events about batches of a recall that were recorded, or declared errors, since then."""
    later = {"$gt": since}
    return {"batches": {"$in": list(chain)}, "$or": [{"recorded_at": later}, {"declared.at": later}]}


def current(recall: Mapping[str, Any]) -> Stored:
    """Filter of the recall as it was read: one changed meanwhile is not there, and an upsert meets its key."""
    return {"_id": recall["_id"], "version": recall["version"], "state": recall["state"]}
