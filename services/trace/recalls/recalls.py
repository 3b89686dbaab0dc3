"""Recalls: opened on a simulation, grown by late records, closed. Pure (食品召回管理办法; domain: "Recall clocks")."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from bson import Binary
from pymongo import InsertOne, ReplaceOne

from chassis import clock, timers
from chassis.caller import Caller
from chassis.outgoing import Commit, Outgoing
from contracts.recalls import CLOCKS
from contracts.workdays import Days, deadline
from services.trace.lineage import split
from services.trace.privacy import OPERATOR
from services.trace.recalls.changes import NONE, Difference
from services.trace.recalls.rows import RECALLS, VERSIONS, current, freeze, version_id
from services.trace.recalls.simulation import Simulation
from services.trace.told import Stored

OPEN: Final = "open"
CLOSED: Final = "closed"

TIMER: Final = "trace.recalls"
AGAIN: Final = timedelta(minutes=1)
"""How often an open recall looks for late records."""

OVERLAP: Final = timedelta(minutes=2)
"""An event may be seen so much later than it was stamped as recorded."""


class Order(NamedTuple):
    """Who recalls, and why. `operator` recalls goods of its own; `division` is the opener's."""

    reason: str
    recall_class: int
    issuer: str
    known_at: datetime
    operator: str | None
    division: str | None
    opened_by: str


def opened(id: str, order: Order, simulation: Simulation, now: datetime) -> Stored:
    """A new recall. Its time to begin runs from when the risk was known (art. 13), to end from now, in working days
    (art. 18).
    """
    term = CLOCKS[order.recall_class]
    finish = deadline(now, term.finish_days, Days.WORKING)
    product, category = simulation.product()
    recall: Stored = {
        "_id": id,
        "state": OPEN,
        "version": 0,
        "batches": list(simulation.batches),
        "product": product,
        "category": category,
        **order._asdict(),
        "start_by": order.known_at + term.start,
        "opened_at": now,
        "finish_by": finish.at,
        "provisional": finish.provisional,
        "closed_at": None,
        "closed_reason": None,
        "nodes": [],
        "sites": [],
        "divisions": [],
        "operators": [],
        "versions": [],
    }
    return grown(recall, simulation, now)


def further(recall: Mapping[str, Any], simulation: Simulation) -> list[str]:
    """Nodes of the simulation that the recall does not name yet; those outside the province are named too."""
    known = set(recall["nodes"])
    return [key for key in simulation.nodes if key not in known]


def grown(recall: Mapping[str, Any], simulation: Simulation, now: datetime, found: Difference = NONE) -> Stored:
    """The recall's next version, where `found` is what else it changes. What it named once stays named, whatever is
    declared wrong later.
    """
    sites = [site for site in simulation.sites if site not in set(recall["sites"])]
    places = [held.place for held in simulation.nodes.values()]
    divisions = {place.division for place in places} | {recall["division"], *recall["divisions"]}
    operators = {place.operator for place in places} | {recall["operator"], *recall["operators"]}
    after = {
        **recall,
        "version": recall["version"] + 1,
        "nodes": [*recall["nodes"], *further(recall, simulation)],
        "sites": [*recall["sites"], *sites],
        "divisions": sorted(filter(None, divisions)),
        "operators": sorted(filter(None, operators)),
        "looked_at": now,
    }
    after["count"] = len(after["sites"])
    share = simulation.share
    told = {"version": after["version"], "at": now, "added": sites, "sites": len(after["sites"])}
    told["changed"] = len({split(key)[1] for key in found.nodes})
    return after | {"versions": [*recall["versions"], told | {"share": None if share is None else float(share)}]}


def closed(recall: Mapping[str, Any], reason: str, now: datetime) -> Stored:
    """The recall, ended."""
    return {**recall, "state": CLOSED, "closed_at": now, "closed_reason": reason}


def may_close(recall: Mapping[str, Any], caller: Caller) -> bool:
    """Who opened it may, and the authority over them."""
    if caller.role == OPERATOR:
        return bool(recall["operator"] == caller.operator_id)
    return bool(caller.division and (recall["division"] or "").startswith(caller.division))


def chain_of(recall: Mapping[str, Any]) -> list[str]:
    """Every batch of its chain."""
    return sorted({split(key)[0] for key in recall["nodes"]})


def commit(before: Mapping[str, Any] | None, after: Stored, simulation: Simulation, told: Sequence[Outgoing]) -> Commit:
    """A version with the simulation frozen in it, and its announcements."""
    version: Stored = {
        "_id": version_id(after["_id"], after["version"]),
        "recall": after["_id"],
        "version": after["version"],
        "at": after["looked_at"],
        "simulation": Binary(freeze(simulation)),
    }
    writes: dict[str, list[Any]] = {RECALLS: [written(before, after)], VERSIONS: [InsertOne(version)]}
    return Commit(writes | look_again(after, after["looked_at"]), list(told))


def closing(before: Mapping[str, Any], after: Stored, told: Sequence[Outgoing]) -> Commit:
    """The end of a recall and of looking for late records, and its announcements."""
    return Commit({RECALLS: [written(before, after)], **timers.done(row_id(after))}, list(told))


def written(before: Mapping[str, Any] | None, after: Stored) -> Any:
    """The operation that takes a recall from what was read to what it is; it collides where others were faster."""
    return InsertOne(after) if before is None else ReplaceOne(current(before), after, upsert=True)


def look_again(recall: Mapping[str, Any], now: datetime) -> dict[str, list[Any]]:
    """Writes that have a worker look for what is recorded from now on, by the clock that stamps events."""
    return timers.due(row_id(recall), TIMER, now + AGAIN, {"recall": recall["_id"], "since": clock.recorded()})


def row_id(recall: Mapping[str, Any]) -> str:
    """The due row of a recall."""
    return f"{TIMER}:{recall['_id']}"
