"""The gRPC side of trace: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

import asyncio
from datetime import UTC, datetime
from typing import Any

from shilian.trace.v1 import trace_pb2 as pb
from shilian.trace.v1 import trace_pb2_grpc

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import Aborted, NotFound
from chassis.api.mongo import Store
from chassis.api.pages import page_size, page_token, position
from chassis.api.server import Service
from contracts import kde
from services.trace import privacy, queries, requests, rows, translate
from services.trace.api_reading import ApiReader
from services.trace.corrections import calls as declaration_calls
from services.trace.told import Stored
from services.trace.walks import page as chain_page
from services.trace.walks.chain import Chain, Direction
from services.trace.walks.holders import holders
from services.trace.walks.start import Start
from services.trace.walks.walk import Walk
from services.trace.watch import listing
from services.trace.watch import store as watch_store


class TraceServicer(trace_pb2_grpc.TraceServiceServicer):
    """Answers with what is in the caller's scope; anything else is not found."""

    def __init__(self, own: Store) -> None:
        self._reader = ApiReader(own)

    async def GetEvent(self, request: pb.GetEventRequest, context: Any) -> pb.GetEventResponse:
        """Raises NotFound."""
        found = await self._reader.aggregate(queries.whole(request.event_id, current_caller()))
        if not found:
            raise NotFound("event", request.event_id)
        row = found[0]
        return pb.GetEventResponse(
            event=translate.event(row, await self._reader.facts([row], row["sites"])),
            completeness=float(kde.completeness(rows.record(row))),
            declarations=declaration_calls.messages(row["declarations"]),
        )

    async def QueryEvents(self, request: pb.QueryEventsRequest, context: Any) -> pb.QueryEventsResponse:
        """Raises InvalidArgument for a bad page size or token."""
        size, after = page_size(request), _after(request)
        # One more than is shown tells whether there is a next page.
        question = requests.question(request, await self._reader.ids(request.site_id))
        found = await self._reader.aggregate(queries.page(question, current_caller(), after, size + 1))
        page, facts = found[:size], await self._reader.facts(found[:size])
        derived = [translate.derived_flag(queries.UNSHIPPED)] if request.flag == queries.UNSHIPPED else []
        return pb.QueryEventsResponse(
            events=[translate.event(row, facts, derived) for row in page],
            next_page_token=page_token(request, _place_of(page[-1])) if len(found) > size else "",
        )

    async def Trace(self, request: pb.TraceRequest, context: Any) -> pb.TraceResponse:
        """Raises NotFound when nothing of the chain is the caller's, InvalidArgument for start, bounds, size or token.

        Raises Aborted when the chain is not the one that earlier pages were of.
        """
        caller = current_caller()
        size = page_size(request, requests.DEFAULT_PAGE, requests.MAX_PAGE)
        as_of, after, nodes = position(request, _moment, str, int) or (clock.recorded(), "", None)
        walk = Walk(requests.start(request, privacy.passes(caller), as_of))
        page = await self._reader.walked(chain_page.shown(walk, caller, after, size))
        if page is None:
            raise NotFound("goods", request.batch or walk.start.reference)
        if nodes not in (None, page.total):
            raise Aborted("chain_changed", "链条在读取时有变化，请从头读取 / the chain changed, begin again")
        token = "" if page.last else page_token(request, (as_of.isoformat(), page.position, page.total))
        return translate.trace(page, caller, request, as_of, token)

    async def ListHolders(self, request: pb.ListHoldersRequest, context: Any) -> pb.ListHoldersResponse:
        """Raises NotFound when nothing of the chain is the caller's."""
        caller = current_caller()
        start = Start(request.batch, Direction.FORWARD, max_nodes=requests.MAX_NODES, passes=privacy.passes(caller))
        chain, found = await self._reader.walked(holders(start))
        chain = _visible(chain, start)
        return translate.holders(chain, [privacy.visible_holder(holder, chain, caller) for holder in found])

    async def CountFlags(self, request: pb.CountFlagsRequest, context: Any) -> pb.CountFlagsResponse:
        """Counts each event once per rule; receipts of batches nobody shipped are found out now."""
        question, caller = requests.window(request), current_caller()
        counts, unshipped = await asyncio.gather(
            self._reader.aggregate(queries.flag_counts(question, caller)),
            self._reader.aggregate(queries.unshipped_count(question, caller)),
        )
        by_rule = {row["_id"]: row["events"] for row in counts}
        events = by_rule.pop(None, 0)
        if unshipped:
            by_rule[queries.UNSHIPPED] = unshipped[0]["events"]
        flags = [pb.FlagCount(rule=rule, events=number) for rule, number in sorted(by_rule.items())]
        return pb.CountFlagsResponse(counts=flags, events=events)

    async def ListFindings(self, request: pb.ListFindingsRequest, context: Any) -> pb.ListFindingsResponse:
        """Raises InvalidArgument for a kind there is not, a bad page size or token."""
        size = page_size(request)
        asked = listing.asked(request, await self._reader.ids(request.site_id), current_caller(), _after(request))
        found = await self._reader.first(watch_store.FINDINGS, asked, listing.NEWEST_FIRST, size + 1)
        page = found[:size]
        return pb.ListFindingsResponse(
            findings=await self._findings(page),
            next_page_token=page_token(request, _place_of(page[-1], "opened_at")) if len(found) > size else "",
        )

    async def GetFinding(self, request: pb.GetFindingRequest, context: Any) -> pb.GetFindingResponse:
        """Raises NotFound."""
        row = await self._reader.one(watch_store.FINDINGS, listing.one(request, current_caller()))
        if row is None:
            raise NotFound("finding", request.finding_id)
        [found] = await self._findings([row])
        return pb.GetFindingResponse(finding=found)

    async def _findings(self, rows: list[Stored]) -> list[pb.Finding]:
        """Findings as the wire shows them, with the names that the registry told of their sites."""
        found = [watch_store.finding(row) for row in rows]
        facts = await self._reader.facts([{"site": one.site, "there": one.counterparty} for one in found])
        return [listing.message(one, facts) for one in found]


def _visible(chain: Chain, start: Start) -> Chain:
    if not privacy.touches(chain, current_caller()):
        raise NotFound("batch", start.batch)
    return chain


def _after(request: pb.QueryEventsRequest | pb.ListFindingsRequest) -> tuple[datetime, str] | None:
    where = position(request, _moment, str)
    return (where[0], where[1]) if where else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _place_of(row: Stored, time: str = "time") -> tuple[str, str]:
    return row[time].isoformat(), row["_id"]


SERVICE = Service(
    pb.DESCRIPTOR.services_by_name["TraceService"],
    trace_pb2_grpc.add_TraceServiceServicer_to_server,
    TraceServicer,
)
