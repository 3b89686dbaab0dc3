"""What the calls read: operators, sites and cells with the caller's scope in every query."""

from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from chassis.api.calls import current_call, current_caller
from chassis.api.errors import InvalidArgument, NotFound
from chassis.api.mongo import Store
from chassis.outgoing import Commit
from contracts import rules
from services.registry import announce, queries, store
from services.registry.claims import SELF
from services.registry.decision import By, Decision
from services.registry.documents import CellRow, Claim, Edit, Operator, Site
from services.registry.standing import World

MOST: Final = 500
"""Ids in one call."""


class Sight(NamedTuple):
    """Whole components of operators, and what of the world matters to them."""

    operators: list[Operator]
    world: World


class Reading:
    """The part that all calls share. What the caller may not see is not found."""

    def __init__(self, own: Store) -> None:
        self._store = own
        self._operators = own.db[store.OPERATORS]

    async def _visible(self, id: str) -> Operator:
        caller = current_caller()
        found = await self._operators.find_one(queries.operators_by(caller, [id]), queries.projection(caller))
        if found is None:
            raise NotFound("operator", id)
        return cast(Operator, found)

    async def _find(self, asked: store.Filter, limit: int = MOST) -> list[Operator]:
        cursor = self._operators.find(asked, queries.projection(current_caller())).sort("_id", 1).limit(limit)
        return cast(list[Operator], await cursor.to_list(limit))

    async def _site(self, id: str) -> tuple[Site, str]:
        found = await self._operators.find_one(*queries.site_by(current_caller(), id))
        if found is None:
            raise NotFound("site", id)
        return found["sites"][0], found["_id"]

    async def _sites(self, ids: Iterable[str]) -> dict[str, tuple[Site, str]]:
        """By every id, the site it means and its operator's id."""
        cursor = self._operators.find(queries.sites_of(current_caller(), [*ids]), queries.projection(current_caller()))
        found = await cursor.to_list(None)
        owned = ((site, operator["_id"]) for operator in found for site in operator["sites"])
        return {id: (site, operator) for site, operator in owned for id in site["ids"]}

    async def _asked_sites(self, ids: Iterable[str]) -> list[Site]:
        """The sites that all of the ids mean. Raises InvalidArgument for none or too many, NotFound for another's."""
        asked = [*dict.fromkeys(ids)]
        if not 0 < len(asked) <= MOST:
            raise InvalidArgument([rules.error("site_ids", len(asked), "too_large" if asked else "required")])
        found = await self._sites(asked)
        for id in asked:
            if id not in found:
                raise NotFound("site", id)
        return [*{found[id][0]["site"]: found[id][0] for id in asked}.values()]

    async def _cell(self, id: str) -> CellRow:
        asked = {"_id": id, **queries.areas_within(current_caller().division)}
        found = await self._store.db[store.CELLS].find_one(asked)
        if found is None:
            raise NotFound("cell", id)
        return cast(CellRow, found)

    async def _sight(self, keys: Iterable[str], claims: Iterable[Claim] = (), edits: Iterable[Edit] = ()) -> Sight:
        component = store.Component(keys)
        while (query := component.missing()) is not None:
            component.add(cast(list[Operator], await self._operators.find(query).to_list(None)))
        asked = store.around(component.operators, claims, edits)
        found = {name: await self._store.db[name].find(query).to_list(None) for name, query in asked.items()}
        return Sight(component.operators, store.world(found))


def by(why: str) -> By:
    """The caller, and why."""
    caller = current_caller()
    return By(caller.subject, caller.role, why)


def reasoned(reason: str) -> By:
    """The caller, who has to say why. Raises InvalidArgument without a reason."""
    if not reason.strip():
        raise InvalidArgument([rules.error("reason", None, "required")])
    return by(reason)


def committed(decision: Decision) -> Commit:
    """The decision, caused by this call."""
    return announce.commit(decision, current_call().envelope(SELF))
