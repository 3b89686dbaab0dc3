"""Due rows: what a service has to do at a time. Pure; a worker's `chassis.worker.timer` claims and fires them.

A row fires once however many workers run: its handler's own commit takes it away (`done`), or moves it (`due`). One
that came due while nobody ran fires late, with the time it was due.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pymongo import DeleteOne, UpdateOne

from chassis.collections import TIMERS
from chassis.outgoing import UNLEASED


class Due(NamedTuple):
    """A row that has come due: its id, kind, the time it was due (aware UTC) and what it was set with."""

    id: str
    kind: str
    due_at: datetime
    data: Mapping[str, Any]


def due(id: str, kind: str, at: datetime, data: Mapping[str, Any] | None = None) -> dict[str, list[Any]]:
    """Writes for a `Commit` that set a row, or move the one of that id."""
    row = {"kind": kind, "due_at": at, "data": dict(data or {}), "lease_until": UNLEASED}
    return {TIMERS: [UpdateOne({"_id": id}, {"$set": row}, upsert=True)]}


def first(id: str, kind: str, at: datetime) -> UpdateOne:
    """The operation that sets a row unless one of that id stands: for sweeps that set themselves again."""
    row = {"kind": kind, "due_at": at, "data": {}, "lease_until": UNLEASED}
    return UpdateOne({"_id": id}, {"$setOnInsert": row}, upsert=True)


def done(*ids: str) -> dict[str, list[Any]]:
    """Writes for a `Commit` that take rows away."""
    return {TIMERS: [DeleteOne({"_id": id}) for id in ids]}
