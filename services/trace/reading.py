"""Answers what pure rules ask of the store, for a worker."""

from collections.abc import Generator
from typing import Any, TypeVar

from chassis import replicas
from chassis.asking import answered
from chassis.worker.mongo import Store
from contracts.registry import SiteFacts
from services.trace import store
from services.trace.domain import Facts
from services.trace.sites import Sites
from services.trace.told import Stored
from services.trace.walks import store as walk_store
from services.trace.watch import store as watch_store
from services.trace.watch.broken import HandoffsOf, Request

T = TypeVar("T")


class Reader:
    """Reads a worker's database."""

    def __init__(self, own: Store) -> None:
        self._db = own.db

    def find(self, name: str, where: Stored, fields: Stored | None = None, most: int = 0) -> list[Stored]:
        return list(self._db[name].find(where, fields, limit=most, batch_size=walk_store.AT_ONCE))

    def any(self, name: str, where: Stored) -> bool:
        """Whether a document is there that the filter lets through."""
        return self._db[name].find_one(where, {"_id": 1}) is not None

    def due(self, name: str, where: Stored, most: int) -> list[Stored]:
        """The rows to look at that have waited longest."""
        return list(self._db[name].find(where).sort("look_at", 1).limit(most))

    def last_event(self, sites: list[str]) -> Stored | None:
        """The last event of a site, given by all its ids."""
        found: Stored | None = self._db[store.EVENTS].find_one({"site": {"$in": sites}}, sort=[("time", -1)])
        return found

    def facts(self, sites: set[str]) -> Facts:
        """What the registry told of sites, by any id they have had."""
        return answered(replicas.meant(sites, SiteFacts), lambda where: self.find(store.SITES, where))

    def sites(self, *ids: str) -> Sites:
        """Sites by any of their ids, with all their aliases."""
        sites = Sites()
        self.driven(sites.resolve((), *ids))
        return sites

    def driven(self, steps: Generator[Any, Any, T]) -> T:
        """Answers a generator's requests until it is done."""
        return answered(steps, self._answer)

    def _answer(self, request: Request) -> list[Any]:
        match request:
            case HandoffsOf(batches, sites):
                found = self.find(watch_store.HANDOFFS, watch_store.handoffs_of(batches, sites))
                return [watch_store.handoff(row) for row in found]
            case _:
                query = walk_store.query(request)
                return walk_store.reply(request, self.find(*query))
