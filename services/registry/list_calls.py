"""Lists of sites: as others are told of them, what they owe, what the grid lacks; and what happened to whom."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.calls import current_caller
from chassis.api.errors import InvalidArgument
from chassis.api.pages import page_size, page_token, position
from contracts import rules
from services.registry import queries, store
from services.registry.documents import Operator, Site
from services.registry.list_translate import change_message, facts_message, gaps_message, obligation_message
from services.registry.reading import Reading
from services.registry.translate import category_word, gap_word

Item = TypeVar("Item")
Items = Callable[[Site, Operator], Iterable[tuple[str, Item]]]
"""What a site adds to a list, each with a key that tells it from the site's others."""

_LAST: Final = "\U0010ffff"
"""Behind every site and every key."""


class ListCalls(Reading):
    """Pages of items that sites have; a position is operator, site and key."""

    async def ListSites(self, request: pb.ListSitesRequest, context: Any) -> pb.ListSitesResponse:
        def items(site: Site, operator: Operator) -> Iterable[tuple[str, pb.SiteFacts]]:
            yield "", facts_message(site, operator)

        found, token = await self._page(request, {}, items)
        return pb.ListSitesResponse(sites=found, next_page_token=token)

    async def ListObligations(self, request: pb.ListObligationsRequest, context: Any) -> pb.ListObligationsResponse:
        category = category_word(request.category)

        def items(site: Site, operator: Operator) -> Iterable[tuple[str, pb.Obligation]]:
            owed = (each for each in site["obligations"] if not category or each == category)
            return ((each, obligation_message(site, operator["_id"], each)) for each in owed)

        given: dict[str, Any] = {"sites.obligations": category or {"$gt": ""}}
        if request.operator_id:
            given["ids"] = request.operator_id
        found, token = await self._page(request, given, items)
        return pb.ListObligationsResponse(obligations=found, next_page_token=token)

    async def ListGaps(self, request: pb.ListGapsRequest, context: Any) -> pb.ListGapsResponse:
        gap = gap_word(request.gap)

        def items(site: Site, operator: Operator) -> Iterable[tuple[str, pb.SiteGaps]]:
            if gap in site["gaps"] or (site["gaps"] and not gap):
                yield "", gaps_message(site, operator["_id"])

        found, token = await self._page(request, queries.gaps_like(gap), items)
        return pb.ListGapsResponse(sites=found, next_page_token=token)

    async def ListChanges(self, request: pb.ListChangesRequest, context: Any) -> pb.ListChangesResponse:
        asked = await self._history(request)
        size, after = page_size(request), position(request, int)
        rows = self._store.db[store.CHANGES].find(asked).sort([("at", -1), ("_id", -1)])
        # Pages of one operator's history are few: skipping is no burden.
        found = await rows.skip(after[0] if after else 0).limit(size + 1).to_list(size + 1)
        token = page_token(request, [(after[0] if after else 0) + size]) if len(found) > size else ""
        return pb.ListChangesResponse(changes=map(change_message, found[:size]), next_page_token=token)

    async def _history(self, request: pb.ListChangesRequest) -> store.Filter:
        """The rows of whom the caller may see. Raises InvalidArgument unless one of the three is named."""
        match (request.operator_id, request.site_id, request.cell_id):
            case (id, "", "") if id:
                return {"operator": {"$in": (await self._visible(id))["ids"]}}
            case ("", id, "") if id:
                return {"site": {"$in": (await self._site(id))[0]["ids"]}}
            case ("", "", id) if id:
                return {"cell": (await self._cell(id))["_id"]}
        raise InvalidArgument([rules.error("operator_id", None, "required")])

    async def _page(self, request: Any, given: Mapping[str, Any], items: Items[Item]) -> tuple[list[Item], str]:
        size, after = page_size(request), position(request, str, str, str) or ["", "", ""]
        asked = queries.sites_like(current_caller(), request.division, given, after[0])
        operators = await self._find(asked, size + 1)
        rows = [
            ([operator["_id"], site["site"], key], item)
            for operator in operators
            for site in sorted(operator["sites"], key=lambda site: site["site"])
            if queries.inside(request.division, site)
            for key, item in items(site, operator)
        ]
        left = [row for row in rows if row[0] > after]
        token = ""
        if len(left) > size:
            token = page_token(request, left[size - 1][0])
        elif len(operators) > size:
            token = page_token(request, [operators[-1]["_id"], _LAST, ""])
        return [item for _, item in left[:size]], token
