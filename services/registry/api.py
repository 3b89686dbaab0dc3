"""The gRPC side of the registry: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from shilian.registry.v1 import registry_pb2 as pb
from shilian.registry.v1 import registry_pb2_grpc

from chassis import clock
from chassis.api.calls import current_caller
from chassis.api.errors import Aborted, InvalidArgument
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.api.server import Service
from chassis.outgoing import Commit
from contracts import rules
from services.registry import domain, queries, store
from services.registry.decision import By, Decision
from services.registry.documents import Operator
from services.registry.grid.calls import GridCalls
from services.registry.grid.grid import assign
from services.registry.list_calls import ListCalls
from services.registry.proposals import Pair, pairs
from services.registry.reading import MOST, by, committed, reasoned
from services.registry.requests import closure, edits, registration, require_own
from services.registry.roster.calls import RosterCalls
from services.registry.translate import (
    operator_message,
    proposal_message,
    refused,
    site_message,
    state_word,
    unit_kind_word,
)

ANSWERS: Final = {
    domain.Step.SUSPEND: pb.SuspendOperatorResponse,
    domain.Step.RESUME: pb.ResumeOperatorResponse,
    domain.Step.REVOKE: pb.RevokeOperatorResponse,
    domain.Step.DEREGISTER: pb.DeregisterOperatorResponse,
}


class RegistryServicer(GridCalls, RosterCalls, ListCalls, registry_pb2_grpc.RegistryServiceServicer):
    """Operators and their sites; grid, rosters and long lists have files of their own."""

    async def GetOperator(self, request: pb.GetOperatorRequest, context: Any) -> pb.GetOperatorResponse:
        operator = await self._visible(request.operator_id)
        return pb.GetOperatorResponse(operator=operator_message(operator))

    async def BatchGetOperators(
        self, request: pb.BatchGetOperatorsRequest, context: Any
    ) -> pb.BatchGetOperatorsResponse:
        asked = list(request.operator_ids)
        if len(asked) > MOST:
            raise InvalidArgument([rules.error("operator_ids", len(asked), "too_large")])
        found = await self._find(queries.operators_by(current_caller(), asked))
        by_id = {id: operator for operator in found for id in operator["ids"]}
        return pb.BatchGetOperatorsResponse(
            operators=[operator_message(by_id[id]) for id in asked if id in by_id],
            not_found=[id for id in asked if id not in by_id],
        )

    async def ListOperators(self, request: pb.ListOperatorsRequest, context: Any) -> pb.ListOperatorsResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        state, unit_kind = state_word(request.state), unit_kind_word(request.unit_kind)
        asked = queries.operators_like(current_caller(), request.division, state, unit_kind, request.flag, after)
        found = await self._find(asked, size + 1)
        page = found[:size]
        return pb.ListOperatorsResponse(
            operators=map(operator_message, page),
            next_page_token=page_token(request, [page[-1]["_id"]]) if len(found) > size else "",
        )

    async def GetSite(self, request: pb.GetSiteRequest, context: Any) -> pb.GetSiteResponse:
        site, operator = await self._site(request.site_id)
        return pb.GetSiteResponse(site=site_message(site, operator))

    async def ListMergeProposals(
        self, request: pb.ListMergeProposalsRequest, context: Any
    ) -> pb.ListMergeProposalsResponse:
        size, (since, shown) = page_size(request), position(request, str, int) or ["", 0]
        asked = queries.candidates_like(current_caller(), request.division, since)
        rows = await self._store.db[store.CANDIDATES].find(asked).sort("_id", 1).to_list(size + 1)
        seen = await self._sites(id for row in rows for id in row["sites"])
        found = [pair for pair in pairs(rows, seen) if (pair.candidate, pair.number) > (since, shown)]
        return pb.ListMergeProposalsResponse(
            proposals=map(proposal_message, found[:size]),
            next_page_token=_next(request, found, rows, size),
        )

    async def RegisterOperator(self, request: pb.RegisterOperatorRequest, context: Any) -> pb.RegisterOperatorResponse:
        return await once(self._store, request, pb.RegisterOperatorResponse, self._register)

    async def ActivateOperator(self, request: pb.ActivateOperatorRequest, context: Any) -> pb.ActivateOperatorResponse:
        return await once(self._store, request, pb.ActivateOperatorResponse, self._activate)

    async def UpdateOperator(self, request: pb.UpdateOperatorRequest, context: Any) -> pb.UpdateOperatorResponse:
        return await once(self._store, request, pb.UpdateOperatorResponse, self._update)

    async def MergeSites(self, request: pb.MergeSitesRequest, context: Any) -> pb.MergeSitesResponse:
        return await once(self._store, request, pb.MergeSitesResponse, self._merge)

    async def SuspendOperator(self, request: pb.SuspendOperatorRequest, context: Any) -> pb.SuspendOperatorResponse:
        return await once(self._store, request, pb.SuspendOperatorResponse, self._stepping(domain.Step.SUSPEND))

    async def ResumeOperator(self, request: pb.ResumeOperatorRequest, context: Any) -> pb.ResumeOperatorResponse:
        return await once(self._store, request, pb.ResumeOperatorResponse, self._stepping(domain.Step.RESUME))

    async def RevokeOperator(self, request: pb.RevokeOperatorRequest, context: Any) -> pb.RevokeOperatorResponse:
        return await once(self._store, request, pb.RevokeOperatorResponse, self._stepping(domain.Step.REVOKE))

    async def DeregisterOperator(
        self, request: pb.DeregisterOperatorRequest, context: Any
    ) -> pb.DeregisterOperatorResponse:
        return await once(self._store, request, pb.DeregisterOperatorResponse, self._stepping(domain.Step.DEREGISTER))

    async def DeclareClosure(self, request: pb.DeclareClosureRequest, context: Any) -> pb.DeclareClosureResponse:
        return await once(self._store, request, pb.DeclareClosureResponse, self._close)

    async def _register(self, request: pb.RegisterOperatorRequest) -> tuple[pb.RegisterOperatorResponse, Commit]:
        at = clock.stamp()
        claims = registration(request, current_caller(), at)
        operators, world = await self._sight(store.named(claims), claims)
        require_own(operators, claims, current_caller())
        with refused():
            decision = domain.register(operators, claims, by("registration"), at, world)
        return pb.RegisterOperatorResponse(operator=_told(decision, claims[0]["operator"])), committed(decision)

    async def _activate(self, request: pb.ActivateOperatorRequest) -> tuple[pb.ActivateOperatorResponse, Commit]:
        told, commit = await self._step(request.operator_id, domain.Step.ACTIVATE, by(request.reason or "activation"))
        return pb.ActivateOperatorResponse(operator=told), commit

    def _stepping(self, step: domain.Step) -> Callable[[Any], Awaitable[tuple[Any, Commit]]]:
        """How a request to change the state is decided; each wants a reason and is answered by its own message."""

        async def decide(request: Any) -> tuple[Any, Commit]:
            told, commit = await self._step(request.operator_id, step, reasoned(request.reason))
            return ANSWERS[step](operator=told), commit

        return decide

    async def _step(self, id: str, step: domain.Step, who: By) -> tuple[pb.Operator, Commit]:
        operator = await self._visible(id)
        operators, world = await self._sight(operator["ids"])
        with refused():
            decision = domain.take_step(operators, operator, step, who, clock.stamp(), world)
        return _told(decision, operator["_id"]), committed(decision)

    async def _update(self, request: pb.UpdateOperatorRequest) -> tuple[pb.UpdateOperatorResponse, Commit]:
        operator = await self._visible(request.operator.operator_id)
        at = clock.stamp()
        wanted = edits(request, operator, current_caller(), at)
        operators, world = await self._sight(operator["ids"], edits=wanted)
        _require_version(request.operator.version, operators, operator["_id"])
        decision = domain.update(operators, wanted, by("update"), at, world)
        return pb.UpdateOperatorResponse(operator=_told(decision, operator["_id"])), committed(decision)

    async def _close(self, request: pb.DeclareClosureRequest) -> tuple[pb.DeclareClosureResponse, Commit]:
        site, _ = await self._site(request.site_id)
        at, who = clock.stamp(), reasoned(request.reason)
        wanted = closure(request, site["site"], at, who.who)
        operators, world = await self._sight([site["site"]])
        decision = assign(operators, wanted, "closed", who, at, world)
        return pb.DeclareClosureResponse(site=site_message(*decision.site(site["site"]))), committed(decision)

    async def _merge(self, request: pb.MergeSitesRequest) -> tuple[pb.MergeSitesResponse, Commit]:
        who = reasoned(request.reason)
        keep, operator = await self._site(request.keep_site_id)
        other, _ = await self._site(request.merge_site_id)
        if keep["site"] == other["site"]:
            return pb.MergeSitesResponse(site=site_message(keep, operator)), Commit()
        operators, world = await self._sight([keep["site"], other["site"]])
        decision = domain.merge(operators, keep["site"], other["site"], who, clock.stamp(), world)
        return pb.MergeSitesResponse(site=site_message(*decision.site(keep["site"]))), committed(decision)


def _require_version(given: int, operators: Iterable[Operator], id: str) -> None:
    """Raises Aborted when the caller decided on an older sight than what is decided on; 0 asks for nothing."""
    version = next((operator["version"] for operator in operators if id in operator["ids"]), 0)
    if given not in (0, version):
        raise Aborted("version_changed", f"version is {version} now")


def _next(request: pb.ListMergeProposalsRequest, found: list[Pair], rows: list[Any], size: int) -> str:
    if len(found) > size:
        return page_token(request, [found[size - 1].candidate, found[size - 1].number])
    # All pairs of these rows are shown: go on behind the last of them.
    return page_token(request, [rows[-1]["_id"], len(rows[-1]["sites"])]) if len(rows) > size else ""


def _told(decision: Decision, id: str) -> pb.Operator:
    return operator_message(queries.visible(decision.operator(id), current_caller()))


SERVICE: Final = Service(
    pb.DESCRIPTOR.services_by_name["RegistryService"],
    registry_pb2_grpc.add_RegistryServiceServicer_to_server,
    RegistryServicer,
)
