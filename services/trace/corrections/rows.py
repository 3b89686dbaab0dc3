"""Error declarations as documents: what is read to settle them, what is written when they take effect. No I/O.

Declarations are few: all of them are sealed in one lane, and two that are made at once collide on its block's number.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import InsertOne, UpdateMany, UpdateOne

from contracts.corrections import Declarer
from services.trace.corrections.declarations import Declaration, Settled, State, settle
from services.trace.evidence import blocks, sealing
from services.trace.store import DECLARATIONS, EVENTS
from services.trace.told import Stored
from services.trace.truth import store as truth_store
from services.trace.watch import store as watch_store

LANE: Final = DECLARATIONS


class Ask(NamedTuple):
    """Asks for documents; with `most`, the last ones by key."""

    collection: str
    where: Stored
    most: int = 0


class Settling(NamedTuple):
    """What declarations come to: the new ones as they are settled, those there already, what is kept and written."""

    new: list[Settled]
    known: dict[str, State]
    rows: list[Stored]
    writes: dict[str, list[Any]]

    @property
    def states(self) -> dict[str, State]:
        """How each declaration stands, new or known."""
        return self.known | {each.declaration.id: each.state for each in self.new}


Steps = Generator[Ask, list[Stored], Settling]


def settling(declarations: Iterable[Declaration], now: datetime) -> Steps:
    """Settles declarations just made. One that is refused at once is not kept."""
    told = {each.id: each for each in declarations}
    known = {row["_id"]: State(row["state"]) for row in (yield Ask(DECLARATIONS, _named(told)))}
    events = {row["_id"]: row for row in (yield Ask(EVENTS, _named(each.event_id for each in told.values())))}
    heads = yield Ask(sealing.BLOCKS, sealing.blocks_of(LANE), 1)
    new = settle([each for id, each in told.items() if id not in known], events)
    kept = [_row(each, now) for each in new if each.state is not State.REFUSED]
    sealed = blocks.seal(LANE, sealing.block(heads[0]) if heads else None, kept, now) if kept else None
    inserts = {DECLARATIONS: [*map(InsertOne, sealed.documents)]} if sealed else {}
    return Settling(new, known, kept, {**inserts, **_effects(new, now), **sealing.stored(sealed)})


def arrived(events: Iterable[str], now: datetime) -> Steps:
    """Settles the declarations that waited for these events."""
    waiting = yield Ask(DECLARATIONS, {"state": State.PENDING, "event_id": {"$in": list(events)}})
    found = {row["_id"]: row for row in (yield Ask(EVENTS, _named(row["event_id"] for row in waiting)))}
    settled = [each for each in settle(map(declaration, waiting), found) if each.event]
    return Settling(settled, {}, [], {DECLARATIONS: [*map(_moved, settled)], **_effects(settled, now)})


ANY_WAITING: Final[Stored] = {"state": State.PENDING}


def _named(ids: Iterable[str]) -> Stored:
    return {"_id": {"$in": list(ids)}}


def _row(settled: Settled, now: datetime) -> Stored:
    told, state, event = settled
    row = {"_id": told.id, **told._asdict(), "corrections": list(told.corrections), "recorded_at": now}
    del row["id"]
    return {**row, "placed_later": True, **_place(event), "state": state}


def _place(event: Mapping[str, Any] | None) -> Stored:
    """Whose a declaration is, once its event is known."""
    return {name: event[name] for name in ("division", "operator", "parties")} if event else {}


def _moved(settled: Settled) -> UpdateOne:
    """Ends the waiting, unless somebody else did meanwhile."""
    declaration, state, event = settled
    still = {"_id": declaration.id, "state": State.PENDING}
    return UpdateOne(still, {"$set": {"state": state, **_place(event)}}, upsert=True)


def declaration(row: Mapping[str, Any]) -> Declaration:
    """A declaration on record."""
    told = {name: row[name] for name in Declaration._fields if name != "id"}
    return Declaration(row["_id"], **told | {"corrections": tuple(row["corrections"]), "by": Declarer(row["by"])})


def _effects(settled: Sequence[Settled], now: datetime) -> dict[str, list[Any]]:
    """The events no longer count: left out wherever events are read, taken out of their handoffs, and what they made
    look true or untrue is examined anew.
    """
    wrong = {each.event["_id"]: each for each in settled if each.event and each.state is State.APPLIED}
    if not wrong:
        return {}
    marks = [_marked(id, each.declaration.id, now) for id, each in wrong.items()]
    batches = {batch for each in wrong.values() if each.event for batch in each.event["batches"]}
    withdrawn: UpdateMany = watch_store.halves_withdrawn(wrong, sorted(batches), now)
    return {EVENTS: marks, watch_store.HANDOFFS: [withdrawn], **truth_store.to_examine(wrong, now)}


def _marked(event: str, declaration: str, now: datetime) -> UpdateOne:
    """The first declaration of an event is the one it bears."""
    return UpdateOne({"_id": event, "declared": None}, {"$set": {"declared": {"id": declaration, "at": now}}})
