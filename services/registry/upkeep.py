"""What changes how sites stand though nobody told of them: events, days, the grid and whole rosters. Worker's side.

Each function reads a portion and says its commit; a timer's row goes on in the same commit, so that whoever takes over
after a crash continues where the last commit ended.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple, cast

from pymongo import DeleteOne, UpdateOne
from pymongo.database import Database

from chassis.outgoing import Commit
from chassis.timers import Due, done, due
from contracts.envelope import Envelope
from contracts.trace import RecordedEvent
from services.registry import domain, store
from services.registry.announce import commit
from services.registry.claims import SELF
from services.registry.decision import By
from services.registry.documents import Claim, Mark, Operator
from services.registry.roster import roster
from services.registry.standing import INACTIVE_AFTER, World, after, day_of

Db = Database[dict[str, Any]]

PORTION: Final = 200
"""Operators looked at in one commit."""
SWEEP_EVERY: Final = timedelta(minutes=10)
SECOND_LOOK: Final = timedelta(minutes=1)
"""Whoever decided on the grid, or on a site without its mark, as it was before has committed by then, or never will."""

_EVENT, _DAY = By("trace", "system", "accepted event"), By(SELF, "system", "days passed")


class Sight(NamedTuple):
    """Whole components of operators, and what of the world matters to them."""

    operators: list[Operator]
    world: World


def sight(db: Db, keys: Iterable[str], claims: Iterable[Claim] = ()) -> Sight:
    """What there is of these ids, and of what is about to be told of them."""
    component = store.Component(keys)
    while (query := component.missing()) is not None:
        component.add(cast("list[Operator]", list(db[store.OPERATORS].find(query))))
    asked = store.around(component.operators, claims)
    return Sight(component.operators, store.world({name: list(db[name].find(query)) for name, query in asked.items()}))


def record(db: Db, events: Iterable[RecordedEvent], parent: Envelope, now: datetime) -> Commit:
    """Marks the days of accepted events: 上链 on the first, 活跃 from the second on. Any order, any repetition.

    A site that becomes known, or is activated, beside its first mark knows nothing of it yet: it is looked at again.
    """
    told = spans(events)
    stood = {row["_id"]: row for row in db[store.MARKS].find({"_id": {"$in": sorted(told)}})}
    wider = {id: mark for id, mark in told.items() if _is_wider(mark, stood.get(id))}
    if not wider:
        return Commit()
    operators, world = sight(db, wider)
    marks = {**world.marks, **{id: _joined(mark, stood.get(id)) for id, mark in wider.items()}}
    decided = commit(domain.look_again(operators, _EVENT, now, world._replace(marks=marks)), parent)
    marked = {store.MARKS: [_widen(mark) for mark in wider.values()], **_second_look(wider.keys() - stood.keys(), now)}
    return Commit({**decided.writes, **marked}, decided.outgoing)


def look(db: Db, row: Due, now: datetime) -> Commit:
    """Looks again at sites that were marked for the first time a minute ago."""
    operators, world = sight(db, row.data["sites"])
    decided = commit(domain.look_again(operators, _EVENT, now, world), None)
    return Commit({**decided.writes, **done(row.id)}, decided.outgoing)


def _second_look(sites: Iterable[str], now: datetime) -> dict[str, list[Any]]:
    named = sorted(sites)
    id = sha256("\n".join(named).encode()).hexdigest()
    return due(f"look:{id}", "look", now + SECOND_LOOK, {"sites": named}) if named else {}


def sweep(db: Db, row: Due, now: datetime) -> Commit:
    """Looks again at those for whom a day has come: a listing or a phase begins or ends, or 30 days went by idle."""
    day = day_of(now)
    turned = [*db[store.OPERATORS].find({"due": {"$lte": day}}, {"keys": 1}).limit(PORTION)]
    idle = {"lapsed": False, "last": {"$lt": after(day, -INACTIVE_AFTER)}}
    lapsed = [mark["_id"] for mark in db[store.MARKS].find(idle, {"_id": 1}).limit(PORTION)]
    if not turned and not lapsed:
        return Commit(due(row.id, row.kind, now + SWEEP_EVERY))
    operators, world = sight(db, {*lapsed, *(key for found in turned for key in found["keys"])})
    decided = commit(domain.look_again(operators, _DAY, now, world), None)
    seen = [UpdateOne({"_id": id, **idle}, {"$set": {"lapsed": True}}) for id in lapsed]
    return Commit({**decided.writes, store.MARKS: seen, **due(row.id, row.kind, now)}, decided.outgoing)


def walk(db: Db, row: Due, now: datetime) -> Commit:
    """Looks again at all whom a change of the grid or of a phase may concern, and once more a minute later."""
    found = [*db[store.OPERATORS].find(store.concerned(row.data), {"keys": 1}).sort("_id", 1).limit(PORTION)]
    if not found and row.data["again"]:
        return Commit(due(row.id, row.kind, now + SECOND_LOOK, {**row.data, "after": "", "again": False}))
    if not found:
        return Commit(done(row.id))
    operators, world = sight(db, {key for each in found for key in each["keys"]})
    by = By(row.data["who"], row.data["role"], row.data["why"])
    decided = commit(domain.look_again(operators, by, now, world), None)
    onwards = due(row.id, row.kind, now, {**row.data, "after": found[-1]["_id"]})
    return Commit({**decided.writes, **onwards}, decided.outgoing)


def import_roster(db: Db, row: Due, now: datetime) -> Commit:
    """Takes in the next sheet of an import; behind the last one of a whole list, ends what the list has not."""
    listed = db[store.IMPORTS].find_one({"_id": row.data["import"]})
    if listed is None:
        return Commit(done(row.id))
    if sheet := db[store.SHEETS].find_one({"import": listed["_id"]}, sort=[("_id", 1)]):
        return _take(db, row, listed, sheet, now)
    passed = row.data.get("after", "")
    left = {"claims.listing.kind": listed["kind"], "areas": listed["area"], "_id": {"$gt": passed}}
    found = [*db[store.OPERATORS].find(left, {"keys": 1}).sort("_id", 1).limit(PORTION)] if listed["complete"] else []
    if found:
        return _end(db, row, listed, found, now)
    # A part that comes meanwhile collides here: its sheets are not to be forgotten.
    finished = UpdateOne({"_id": listed["_id"], "parts": listed["parts"]}, {"$set": {"done": True}}, upsert=True)
    return Commit({store.IMPORTS: [finished], **done(row.id)})


def _take(db: Db, row: Due, listed: Mapping[str, Any], sheet: Mapping[str, Any], now: datetime) -> Commit:
    entries: list[Claim] = sheet["entries"]
    operators, world = sight(db, store.named(entries), entries)
    decision, new, refused = roster.take(operators, entries, _importer(listed), now, world)
    counted = UpdateOne({"_id": listed["_id"]}, {"$inc": {"taken": len(entries), "changed": new, "refused": refused}})
    decided = commit(decision, None)
    gone = [DeleteOne({"_id": sheet["_id"]})]
    onwards = due(row.id, row.kind, now, row.data)
    return Commit({**decided.writes, store.SHEETS: gone, store.IMPORTS: [counted], **onwards}, decided.outgoing)


def _end(db: Db, row: Due, listed: Mapping[str, Any], found: list[dict[str, Any]], now: datetime) -> Commit:
    operators, world = sight(db, {key for each in found for key in each["keys"]})
    kind, area, as_of = listed["kind"], listed["area"], listed["as_of"]
    decision, ended = roster.end(operators, kind, area, as_of, _importer(listed), now, world)
    decided = commit(decision, None)
    counted = UpdateOne({"_id": listed["_id"]}, {"$inc": {"ended": ended}})
    onwards = due(row.id, row.kind, now, {**row.data, "after": found[-1]["_id"]})
    return Commit({**decided.writes, store.IMPORTS: [counted], **onwards}, decided.outgoing)


def _importer(listed: Mapping[str, Any]) -> By:
    return By(listed["who"], listed["role"], f"roster {listed['_id']}")


def spans(events: Iterable[RecordedEvent]) -> dict[str, Mark]:
    """First and last day of events, by the site they name."""
    found: dict[str, Mark] = {}
    for event in events:
        day = day_of(event.time)
        found[event.site] = _joined({"_id": event.site, "first": day, "last": day}, found.get(event.site))
    return found


def _joined(mark: Mark, other: Mapping[str, Any] | None) -> Mark:
    if other is None:
        return mark
    first, last = min(mark["first"], other["first"]), max(mark["last"], other["last"])
    return {"_id": mark["_id"], "first": first, "last": last}


def _is_wider(mark: Mark, stood: Mapping[str, Any] | None) -> bool:
    return stood is None or mark["first"] < stood["first"] or mark["last"] > stood["last"]


def _widen(mark: Mark) -> UpdateOne:
    told = {"$min": {"first": mark["first"]}, "$max": {"last": mark["last"]}, "$set": {"lapsed": False}}
    return UpdateOne({"_id": mark["_id"]}, told, upsert=True)
