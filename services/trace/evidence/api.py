"""The gRPC side of what stands behind events: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shilian.trace.v1 import evidence_pb2 as pb
from shilian.trace.v1 import evidence_pb2_grpc

from chassis import clock
from chassis.api.calls import current_call, current_caller
from chassis.api.errors import InvalidArgument, NotFound
from chassis.api.mongo import Store
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.api.server import Service
from chassis.asking import answered_later
from chassis.outgoing import Commit
from contracts import rules
from services.trace import announce, store
from services.trace.corrections import calls as declaration_calls
from services.trace.corrections import rows as declaration_rows
from services.trace.corrections.rows import Ask
from services.trace.evidence import sealing
from services.trace.evidence.blocks import Row, lane_of
from services.trace.evidence.verifying import (
    Anchor,
    BlocksIn,
    DocumentsIn,
    EventsNamed,
    Fault,
    Problem,
    Question,
    Stretch,
    verified,
)

MOST_UNSEALED = 1_000
"""Events without a block that are counted, once in a run."""


class EvidenceServicer(evidence_pb2_grpc.EvidenceServiceServicer):
    """Verifies blocks, takes and shows declarations; what is not in the caller's scope is not found."""

    def __init__(self, own: Store) -> None:
        self._store, self._db = own, own.db

    async def VerifyBlocks(self, request: pb.VerifyBlocksRequest, context: Any) -> pb.VerifyBlocksResponse:
        """Raises InvalidArgument for numbers without a lane, a bad page size or token."""
        anchors = [Anchor(each.lane, each.number, each.hash) for each in request.anchors]
        stretch = _stretch(request)
        unsealed = await self._unsealed() if stretch is None else []
        stretch = stretch or Stretch(await self._next_lane("", anchors))
        page = await answered_later(verified(stretch, anchors, page_size(request)), self._answer)
        after: tuple[str, int] | None = (stretch.lane, page.last.number) if page.last and not page.ended else None
        if page.ended and not request.lane and (lane := await self._next_lane(stretch.lane, anchors)):
            after = (lane, 0)
        head = page.last if page.ended and stretch.until is None else None
        return pb.VerifyBlocksResponse(
            problems=map(_problem, [*unsealed, *page.problems]),
            blocks=page.blocks,
            events=page.documents,
            head=head and pb.Anchor(lane=head.lane, number=head.number, hash=head.hash),
            next_page_token=page_token(request, after) if after else "",
        )

    async def DeclareError(self, request: pb.DeclareErrorRequest, context: Any) -> pb.DeclareErrorResponse:
        """Raises NotFound for an event that is not the caller's to declare wrong, InvalidArgument for its words."""
        return await once(self._store, request, pb.DeclareErrorResponse, self._declared)

    async def ListDeclarations(self, request: pb.ListDeclarationsRequest, context: Any) -> pb.ListDeclarationsResponse:
        """Raises InvalidArgument for a state there is not, a bad page size or token."""
        size, after = page_size(request), position(request, _moment, str)
        where = declaration_calls.asked(request, current_caller(), (after[0], after[1]) if after else None)
        found = await self._db[store.DECLARATIONS].find(where).sort([*declaration_calls.LATEST]).to_list(size + 1)
        page = found[:size]
        return pb.ListDeclarationsResponse(
            declarations=map(declaration_calls.message, page),
            next_page_token=page_token(request, (page[-1]["at"].isoformat(), page[-1]["_id"]))
            if len(found) > size
            else "",
        )

    async def _declared(self, request: pb.DeclareErrorRequest) -> tuple[pb.DeclareErrorResponse, Commit]:
        caller, now = current_caller(), clock.stamp()
        told = declaration_calls.declaration(request, caller, now)
        if not await self._db[store.EVENTS].find_one(declaration_calls.own_event(request.event_id, caller)):
            raise NotFound("event", request.event_id)
        if kept := await self._db[store.DECLARATIONS].find_one({"_id": told.id}):
            return pb.DeclareErrorResponse(declaration=declaration_calls.message(kept)), Commit()
        settled = await answered_later(declaration_rows.settling([told], now), self._read)
        answer = pb.DeclareErrorResponse(declaration=declaration_calls.message(settled.rows[0]))
        return answer, Commit(settled.writes, announce.errors_declared(settled.new, current_call().envelope("trace")))

    async def _read(self, ask: Ask) -> list[Row]:
        found = self._db[ask.collection].find(ask.where)
        return list(await (found.sort("_id", -1) if ask.most else found).to_list(ask.most or None))

    async def _answer(self, question: Question) -> list[Row]:
        if isinstance(question, BlocksIn):
            found = self._db[sealing.BLOCKS].find(sealing.blocks_in(question.stretch)).sort("_id", 1)
            return list(await found.to_list(question.most))
        if isinstance(question, DocumentsIn):
            where = sealing.documents_in(question.stretch)
            return [row for name in store.SEALED for row in await self._db[name].find(where).to_list(None)]
        named = store.EVENTS if isinstance(question, EventsNamed) else store.DECLARATIONS
        fields = ("declared", "event_id", "state", "source", "recorded_at")
        return list(await self._db[named].find({"_id": {"$in": [*question.ids]}}, fields).to_list(None))

    async def _unsealed(self) -> list[Problem]:
        counts = [await self._db[name].count_documents(sealing.UNSEALED, limit=MOST_UNSEALED) for name in store.SEALED]
        return [Problem("", Fault.EVENT_UNSEALED, sum(counts))] if any(counts) else []

    async def _next_lane(self, lane: str, anchors: Sequence[Anchor]) -> str:
        """The lane that follows, of those that blocks, events or anchors name; empty after the last."""
        where = sealing.beyond(lane)
        keys = [(sealing.BLOCKS, "_id"), *((name, "block") for name in store.SEALED)]
        rows = [(key, await self._db[name].find_one({key: where}, {key: 1}, sort=[(key, 1)])) for name, key in keys]
        found = {lane_of(row[key]) for key, row in rows if row}
        return min(found | {each.lane for each in anchors if f"{each.lane}/" >= f"{lane}0"}, default="")


def _stretch(request: pb.VerifyBlocksRequest) -> Stretch | None:
    """Where the page begins; None at the beginning of every lane."""
    if not request.lane and (request.from_number or request.until_number):
        raise InvalidArgument([rules.error("lane", None, "required")])
    until = request.until_number or None
    if after := position(request, str, int):
        return Stretch(after[0], after[1], until)
    return Stretch(request.lane, max(request.from_number - 1, 0), until) if request.lane else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _problem(problem: Problem) -> pb.Problem:
    return pb.Problem(block=problem.block, fault=problem.fault, events=problem.documents)


SERVICE = Service(
    pb.DESCRIPTOR.services_by_name["EvidenceService"],
    evidence_pb2_grpc.add_EvidenceServiceServicer_to_server,
    EvidenceServicer,
)
