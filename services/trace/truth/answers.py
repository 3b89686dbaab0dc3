"""Answers what an examination asks of the store, for a worker."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from services.trace import store
from services.trace.asks import SitesOf
from services.trace.reading import Reader
from services.trace.told import Stored
from services.trace.truth import asks
from services.trace.truth import store as truth_store
from services.trace.truth.asks import Citing, Crowd, Doubted, LeadingTo, Licensed, Named, Request, Touching, Watched
from services.trace.truth.statements import Statement
from services.trace.walks import store as walk_store
from services.trace.watch import store as watch_store

AT_ONCE: Final = 200
"""Documents in memory beside what is kept of them, some 10 kB each."""


class Answers:
    """Of one examination: an event that several of its requests find is read once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._met: dict[str, Statement] = {}

    def to(self, request: Request) -> Any:
        """What is sent for a request (`asks`)."""
        find = self._reader.find
        match request:
            case SitesOf():
                return walk_store.reply(request, find(*walk_store.query(request)))
            case Licensed(sites, before, doubted):
                return _licences(self._reader, truth_store.licences(sites, before, doubted))
            case Watched(numbers):
                found = find(store.EVENTS, truth_store.watched(request), {"references": 1}, asks.MOST)
                told = {number for row in found for number in row["references"]}
                # Of those that were not seen among so many nobody knows.
                return sorted(told & {*numbers}) if len(found) < asks.MOST else list(numbers)
            case Doubted():
                found = find(watch_store.FINDINGS, truth_store.doubted(request), {"event_id": 1})
                return [row["event_id"] for row in found]
            case Named(ids):
                return self._events(ids)
        most = asks.MOST + 1 if isinstance(request, Touching | LeadingTo | Citing) else 0
        found = find(store.EVENTS, truth_store.where(request), {"_id": 1}, most)
        if 0 < most <= len(found):
            return Crowd()
        return [each for each in self._events([row["_id"] for row in found]) if not each.declared]

    def _events(self, ids: Sequence[str]) -> list[Statement]:
        new = [id for id in ids if id not in self._met]
        for at in range(0, len(new), AT_ONCE):
            where = truth_store.where(Named(tuple(new[at : at + AT_ONCE])))
            for row in self._reader.find(store.EVENTS, where, truth_store.FIELDS):
                self._met[row["_id"]] = truth_store.statement(row)
        return [self._met[id] for id in ids if id in self._met]


def _licences(reader: Reader, where: Stored) -> dict[str, date]:
    found = reader.find(store.SITES, where, {"licence_valid_until": 1})
    return {row["_id"]: date.fromisoformat(until) for row in found if (until := row.get("licence_valid_until"))}
