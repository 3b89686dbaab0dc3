"""The gRPC side of stock and recalls: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from typing import Any
from uuid import uuid4

from shilian.trace.v1 import recall_pb2 as pb
from shilian.trace.v1 import recall_pb2_grpc

from chassis import clock
from chassis.api.calls import current_call, current_caller
from chassis.api.errors import Denied, FailedPrecondition, InvalidArgument, NotFound
from chassis.api.once import once
from chassis.api.pages import page_size, page_token
from chassis.api.server import Service
from chassis.api.times import moment
from chassis.asking import answered_later
from chassis.outgoing import Commit
from contracts import rules
from contracts.recalls import CLOCKS
from services.trace.privacy import OPERATOR
from services.trace.recalls import messages, recalls, rows
from services.trace.recalls import told as recall_told
from services.trace.recalls.recalls import Order
from services.trace.recalls.requests import listed, start
from services.trace.recalls.simulation import Simulation, simulate
from services.trace.recalls.told_end import end_told
from services.trace.recalls.view import View, made_by, view
from services.trace.stock.api import StockCalls
from services.trace.told import Stored

SERVES = "trace"
LONGEST = 500
"""Characters of a reason, or of who orders a recall: both go to everybody."""


class RecallServicer(StockCalls, recall_pb2_grpc.RecallServiceServicer):
    """Answers with what the caller may see; anything else is not found."""

    async def SimulateRecall(self, request: pb.SimulateRecallRequest, context: Any) -> pb.SimulateRecallResponse:
        """Raises NotFound when nothing of the chain is the caller's, Denied when an operator did not make the goods."""
        simulation, seen = await self._simulated(request)
        under_way = await self._under_way(simulation)
        return pb.SimulateRecallResponse(simulation=messages.simulation(seen), open_recall_ids=under_way)

    async def OpenRecall(self, request: pb.OpenRecallRequest, context: Any) -> pb.OpenRecallResponse:
        """Raises InvalidArgument, and what SimulateRecall raises."""
        return await once(self._store, request, pb.OpenRecallResponse, self._open)

    async def GetRecall(self, request: pb.GetRecallRequest, context: Any) -> pb.GetRecallResponse:
        """Raises NotFound, for a version that there is not too."""
        row = await self._recall(request.recall_id)
        id = rows.version_id(row["_id"], request.version or row["version"])
        frozen = await self._reader.one(rows.VERSIONS, {"_id": id})
        seen = view(rows.thaw(frozen["simulation"]), current_caller()) if frozen else None
        if seen is None:
            raise NotFound("version", id)
        recall = messages.recall(row, clock.now(), seen)
        return pb.GetRecallResponse(recall=recall, simulation=messages.simulation(seen))

    async def ListRecalls(self, request: pb.ListRecallsRequest, context: Any) -> pb.ListRecallsResponse:
        """Raises InvalidArgument for a bad page size or token."""
        size, now = page_size(request), clock.now()
        where = rows.asked(listed(request), current_caller())
        newest = rows.NEWEST_FIRST
        found = await self._reader.first(rows.RECALLS, where, newest, size + 1, rows.LISTED_FIELDS)
        last = found[size - 1] if len(found) > size else None
        return pb.ListRecallsResponse(
            recalls=[messages.recall(row, now) for row in found[:size]],
            next_page_token=page_token(request, (last["opened_at"].isoformat(), last["_id"])) if last else "",
        )

    async def CloseRecall(self, request: pb.CloseRecallRequest, context: Any) -> pb.CloseRecallResponse:
        """Raises NotFound, Denied when others opened it, FailedPrecondition when it is closed."""
        return await once(self._store, request, pb.CloseRecallResponse, self._close)

    async def _open(self, request: pb.OpenRecallRequest) -> tuple[pb.OpenRecallResponse, Commit]:
        order = self._order(request)
        simulation, seen = await self._simulated(request)
        order = _placed(order, simulation)
        row = recalls.opened(f"R{uuid4().hex[:20]}", order, simulation, clock.stamp())
        sources = await answered_later(
            recall_told.asked_sources(simulation.nodes), lambda asked: self._reader.find(*asked)
        )
        parent = current_call().envelope(SERVES)
        told = recall_told.announcements(row, simulation, row["nodes"], sources, parent)
        under_way = await self._under_way(simulation)
        answer = pb.OpenRecallResponse(recall=messages.recall(row, clock.now(), seen), open_recall_ids=under_way)
        return answer, recalls.commit(None, row, simulation, told)

    async def _close(self, request: pb.CloseRecallRequest) -> tuple[pb.CloseRecallResponse, Commit]:
        _required(reason=request.reason.strip())
        row, caller = await self._recall(request.recall_id), current_caller()
        if not recalls.may_close(row, caller):
            raise Denied("not_own_recall", "others opened this recall")
        if row["state"] != recalls.OPEN:
            raise FailedPrecondition("recall_closed", "the recall is closed", {"recall": row["_id"]})
        after = recalls.closed(row, request.reason.strip(), clock.stamp())
        answer = pb.CloseRecallResponse(recall=messages.recall(after, clock.now()))
        sources = await answered_later(recall_told.asked_sources(row["nodes"]), lambda asked: self._reader.find(*asked))
        told = end_told(after, sources, current_call().envelope(SERVES))
        return answer, recalls.closing(row, after, told)

    async def _simulated(self, request: pb.SimulateRecallRequest | pb.OpenRecallRequest) -> tuple[Simulation, View]:
        caller = current_caller()
        simulation = await self._reader.walked(simulate(start(request), clock.stamp()))
        seen = view(simulation, caller)
        if seen is None:
            raise NotFound("goods", request.document_number or "、".join(request.batches))
        if caller.role == OPERATOR and not made_by(simulation, caller):
            raise Denied("not_own_goods", "an operator recalls goods that it made itself")
        return simulation, seen

    async def _under_way(self, simulation: Simulation) -> list[str]:
        """Ids of the caller's open recalls of any of the same batches."""
        where = rows.under_way(simulation.batches, current_caller())
        found = await self._reader.first(rows.RECALLS, where, rows.NEWEST_FIRST, rows.MOST_UNDER_WAY, {"_id": 1})
        return [row["_id"] for row in found]

    async def _recall(self, id: str) -> Stored:
        row = await self._reader.one(rows.RECALLS, rows.one(id, current_caller()))
        if row is None:
            raise NotFound("recall", id)
        return row

    def _order(self, request: pb.OpenRecallRequest) -> Order:
        """Raises InvalidArgument for no reason, no such class, a risk known in the future."""
        caller, now = current_caller(), clock.stamp()
        # Without an issuer it is the caller (`_placed`).
        _required(reason=request.reason.strip(), issuer=request.issuer.strip() or caller.subject)
        if request.recall_class not in CLOCKS:
            raise InvalidArgument([rules.error("recall_class", request.recall_class, "invalid_value")])
        known = moment(request, "known_time") or now
        if known > now:
            raise InvalidArgument([rules.error("known_time", known, "time_future")])
        operator = caller.operator_id if caller.role == OPERATOR else None
        division = f"{caller.division:0<6}" if caller.division else None
        return Order(
            request.reason.strip(),
            request.recall_class,
            request.issuer.strip(),
            known,
            operator,
            division,
            caller.subject,
        )


def _placed(order: Order, simulation: Simulation) -> Order:
    """An operator orders from where it made the goods, in its own name."""
    began = [simulation.nodes[key].place for each in simulation.coverages for key in each.began]
    own = next((place for place in began if order.operator and place.operator == order.operator), None)
    issuer = order.issuer or (own and own.operator_name) or order.operator or order.opened_by
    return order._replace(issuer=issuer, division=own.division if own else order.division)


def _required(**fields: str) -> None:
    """Raises InvalidArgument naming the fields that are empty, or longer than anybody is told."""
    wrong = [rules.error(name, None, "required") for name, value in fields.items() if not value]
    wrong += [rules.error(name, value, "too_large") for name, value in fields.items() if len(value) > LONGEST]
    if wrong:
        raise InvalidArgument(wrong)


SERVICE = Service(
    pb.DESCRIPTOR.services_by_name["RecallService"],
    recall_pb2_grpc.add_RecallServiceServicer_to_server,
    RecallServicer,
)
