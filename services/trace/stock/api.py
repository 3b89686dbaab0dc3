"""The gRPC side of stock: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from datetime import UTC, datetime
from typing import Any

from shilian.trace.v1 import recall_pb2 as pb

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import InvalidArgument, NotFound
from chassis.api.mongo import Store
from chassis.api.pages import page_size, page_token, position
from chassis.api.times import moment, timestamp
from chassis.caller import Caller
from contracts import rules
from services.trace import queries, store
from services.trace.api_reading import ApiReader
from services.trace.asks import Bounds
from services.trace.lineage import split
from services.trace.pages import Position
from services.trace.privacy import OPERATOR, SYSTEM, owns
from services.trace.recalls import messages
from services.trace.recalls.simulation import Held, moving, placed
from services.trace.sites import Sites
from services.trace.stock import stock
from services.trace.stock.books import Books
from services.trace.stock.stock import Asked, Standing


class StockCalls:
    """What stands in the caller's scope; anything else is not found."""

    def __init__(self, own: Store) -> None:
        self._store = own
        self._reader = ApiReader(own)

    async def Stock(self, request: pb.StockRequest, context: Any) -> pb.StockResponse:
        """Raises InvalidArgument unless one of operator, site and batch is asked for; NotFound beyond the scope."""
        if [bool(request.operator_id), bool(request.site_id), bool(request.batch)].count(True) != 1:
            raise InvalidArgument([rules.error("site_id", request.site_id or None, "required")])
        size, after = page_size(request), position(request, _moment, str)
        at = moment(request, "at_time") or clock.stamp()
        asked, caller = await self._asked(request), current_caller()
        where = stock.events(asked, at, queries.scope(caller) if asked.batch else {})
        start: Position | None = (after[0], after[1]) if after else None
        rows = await self._reader.first(store.EVENTS, stock.before(where, start), stock.NEWEST_FIRST, size + 1)
        page = rows[:size]
        told, sites = stock.nodes(page, asked), Sites()
        await self._reader.walked(sites.resolve((), *{split(key)[1] for key in told}))
        keys = stock.today(told, sites)
        if start and keys:
            earlier = stock.shown_before(where, start, stock.ever(keys, sites))
            shown = await self._reader.find(store.EVENTS, earlier, stock.FIELDS)
            before = {*stock.today(stock.nodes(shown, asked), sites)}
            keys = [key for key in keys if key not in before]
        return pb.StockResponse(
            stock=await self._lines(keys, sites, at, caller),
            next_page_token=page_token(request, (page[-1]["time"].isoformat(), page[-1]["_id"])) if rows[size:] else "",
            at_time=timestamp(at),
        )

    async def _asked(self, request: pb.StockRequest) -> Asked:
        if request.batch:
            return Asked(batch=request.batch)
        if request.site_id:
            return await self._at_site(request.site_id)
        return await self._of_operator(request.operator_id)

    async def _at_site(self, site: str) -> Asked:
        sites, caller = Sites(), current_caller()
        await self._reader.walked(sites.resolve((), site))
        today = sites.now(site)
        ids = frozenset(sites.ids(today))
        if today in sites.places:
            place = sites.place(today)
            if owns(caller, place):
                return Asked(ids, tuple(filter(None, [place.operator])))
        elif await self._reader.one(store.EVENTS, {"site": {"$in": sorted(ids)}, **queries.scope(caller)}):
            return Asked(ids)
        raise NotFound("site", site)

    async def _of_operator(self, operator: str) -> Asked:
        """The operator's sites in the caller's scope that the registry knows; without any, those of its events."""
        caller = current_caller()
        if caller.role == OPERATOR and operator != caller.operator_id:
            raise NotFound("operator", operator)
        scope = {} if caller.role in (OPERATOR, SYSTEM) else queries.within(caller.division or "-")
        known = await self._reader.find(store.SITES, {"operator": operator, **scope}, {"_id": 1})
        ids = [row["_id"] for row in known]
        if not ids:
            own = {"parties": operator, "operator": operator, **scope}
            ids = await self._store.db[store.EVENTS].distinct("site", own)
        if not ids:
            raise NotFound("operator", operator)
        sites = Sites()
        await self._reader.walked(sites.resolve((), *ids))
        return Asked(frozenset(older for id in ids for older in sites.ids(sites.now(id))), (operator,))

    async def _lines(self, today: list[str], sites: Sites, at: datetime, caller: Caller) -> list[pb.Stock]:
        """The nodes in today's ids, with what the registry or else the records tell of their places."""
        every = stock.ever(today, sites)
        rows = await self._reader.walked(moving(every, Bounds(until=at + stock.MOMENT), dated=True)) if every else []
        books = Books(rows, sites.now)
        via = {sites.now(site): row["_id"] for row in rows for site in (row["there"], row["site"]) if site}
        shown = {split(key)[1] for key in today}
        await self._reader.walked(placed(sites, {site: id for site, id in via.items() if site in shown}))
        found = [each for each in stock.standing(today, books) if owns(caller, sites.place(split(each.node)[1]))]
        return [_line(each, Held(sites.place(split(each.node)[1]), *books.said(split(each.node)[0]))) for each in found]


def _line(standing: Standing, held: Held) -> pb.Stock:
    return pb.Stock(
        node=messages.node(standing.node, held),
        amount=messages.amount(standing.amount),
        in_transit=messages.amount(standing.in_transit),
        since=timestamp(standing.since),
        why=standing.why or "",
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
