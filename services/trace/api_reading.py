"""Answers what pure rules ask of the store, for an api; `reading` is the same for a worker."""

from collections.abc import Generator, Iterable
from typing import Any, TypeVar

from chassis import replicas
from chassis.api.mongo import Store
from chassis.asking import answered_later
from contracts.registry import SiteFacts
from services.trace import store
from services.trace.domain import Facts
from services.trace.sites import Sites
from services.trace.told import Stored
from services.trace.walks import store as walk_store
from services.trace.walks.walk import Request

T = TypeVar("T")


class ApiReader:
    """Reads an api's database."""

    def __init__(self, own: Store) -> None:
        self._db = own.db

    async def find(self, name: str, where: Stored, fields: Stored | None = None, most: int = 0) -> list[Stored]:
        """All documents that a filter lets through, or so many of them."""
        return await self._db[name].find(where, fields, limit=most, batch_size=walk_store.AT_ONCE).to_list(None)

    async def first(
        self, name: str, where: Stored, order: Iterable[tuple[str, int]], most: int, fields: Stored | None = None
    ) -> list[Stored]:
        """The first of them in an order."""
        return await self._db[name].find(where, fields).sort(list(order)).limit(most).to_list(most)

    async def one(self, name: str, where: Stored) -> Stored | None:
        """A document that a filter lets through, if there is one."""
        return await self._db[name].find_one(where)

    async def aggregate(self, pipeline: list[Stored]) -> list[Stored]:
        """What a pipeline makes of events."""
        return await self._db[store.EVENTS].aggregate(pipeline).to_list(None)

    async def walked(self, steps: Generator[Request, Any, T]) -> T:
        """Answers a walk's requests until it is done."""

        async def answer(request: Request) -> list[Any]:
            query = walk_store.query(request)
            return walk_store.reply(request, await self.find(*query))

        return await answered_later(steps, answer)

    async def ids(self, site: str) -> list[str]:
        """Every id of the site, none for none."""
        sites = Sites()
        await self.walked(sites.resolve((), site))
        return sites.ids(sites.now(site)) if site else []

    async def facts(self, rows: list[Stored], read: list[Stored] | None = None) -> Facts:
        """What the registry told of the sites on either side of events; `read` are their rows, where they were read
        with the events: aliases are followed from there.
        """
        sites = {site for row in rows for site in (row["site"], row["there"])}
        steps = replicas.meant(sites, SiteFacts, read)
        return await answered_later(steps, lambda where: self.find(store.SITES, where))
