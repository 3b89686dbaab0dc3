"""What the api's calls share: reading in scope, the time, and a decision as a commit."""

from collections.abc import Iterable
from typing import Final, cast

from chassis import clock, replicas
from chassis.api.calls import current_call, current_caller
from chassis.api.errors import NotFound
from chassis.api.mongo import Store
from chassis.asking import answered_later
from chassis.outgoing import Commit
from contracts.registry import SiteFacts
from services.inspection import announce, queries, store
from services.inspection.cases.handlings import Earlier
from services.inspection.decision import Decision
from services.inspection.documents import Case, Document, Task
from services.inspection.places import Place, Sites
from services.inspection.store import Query

MOST: Final = 500


class Reading:
    """The calls of one topic extend it; all of them read what their caller may see, and nothing else."""

    def __init__(self, own: Store) -> None:
        self._store = own
        self._db = own.db

    async def _visible(self, collection: str, id: str) -> Document:
        found = await self._db[collection].find_one(queries.one(current_caller(), id))
        if found is None:
            raise NotFound(collection.removesuffix("s"), id)
        return found

    async def _task(self, id: str) -> Task:
        return cast(Task, await self._visible(store.TASKS, id))

    async def _case(self, id: str) -> Case:
        return cast(Case, await self._visible(store.CASES, id))

    async def _page(self, collection: str, asked: Document, sort: list[tuple[str, int]], size: int) -> list[Document]:
        """One more than the page holds, so that it is known whether there is a next one."""
        return await self._db[collection].find(asked).sort(sort).limit(size + 1).to_list(size + 1)

    async def _ask(self, query: Query) -> list[Document]:
        return await self._db[query.collection].find(query.filter, query.fields, limit=query.most).to_list(None)

    async def _known_site(self, id: str) -> SiteFacts:
        """A site that the registry told of, if it lies in the caller's division."""
        known = (await self._sites([id])).get(id)
        caller = current_caller()
        if known is None or not (known.division or "").startswith(caller.division or ""):
            raise NotFound("site", id)
        return known

    async def _aliases(self, sites: Iterable[str]) -> dict[str, str]:
        """Other ids of these sites, each with today's."""
        found = await self._db[store.SITES].find(queries.aliases_of(sites), {"alias_of": 1}).to_list(None)
        return {row["_id"]: row["alias_of"] for row in found}

    async def _sites(self, ids: Iterable[str]) -> Sites:
        rows = self._db[store.SITES]
        return await answered_later(replicas.meant(ids, SiteFacts), lambda where: rows.find(where).to_list(None))

    async def _earlier(self, where: Place, item: str) -> list[Earlier]:
        asked = store.earlier_cases([(where, item)], clock.stamp())
        rows = await self._db[store.CASES].find(asked, store.EARLIER_FIELDS).to_list(None)
        return [store.earlier(row) for row in rows]


def commit(decision: Decision) -> Commit:
    """The decision of the call being answered."""
    return announce.commit(decision, current_call().envelope(announce.SELF))
