"""The gRPC side of the registry: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, cast

from shilian.registry.v1 import registry_pb2 as pb
from shilian.registry.v1 import registry_pb2_grpc

from chassis.api.calls import current_call, current_caller
from chassis.api.errors import Aborted, InvalidArgument, NotFound
from chassis.api.mongo import Store
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.api.server import Service
from chassis.outgoing import Commit
from contracts import rules
from services.registry import domain, queries, store
from services.registry.announce import commit
from services.registry.claims import SELF, in_milliseconds
from services.registry.decision import By, Decision
from services.registry.documents import Operator, Site
from services.registry.proposals import Pair, pairs
from services.registry.requests import edits, registration, require_own
from services.registry.translate import (
    operator_message,
    proposal_message,
    refused,
    site_message,
    state_word,
    unit_kind_word,
)

MOST: Final = 500
"""Ids in one batch get."""


class RegistryServicer(registry_pb2_grpc.RegistryServiceServicer):
    """Operators and their sites. What the caller may not see is not found."""

    def __init__(self, own: Store) -> None:
        self._store = own
        self._operators = own.db[store.OPERATORS]

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

    async def _register(self, request: pb.RegisterOperatorRequest) -> tuple[pb.RegisterOperatorResponse, Commit]:
        now = _now()
        claims = registration(request, current_caller(), now)
        component = await self._component(store.named(claims))
        require_own(component, claims, current_caller())
        with refused():
            decision = domain.register(component, claims, _by("registration"), now)
        return pb.RegisterOperatorResponse(operator=_told(decision, claims[0]["operator"])), _commit(decision)

    async def _activate(self, request: pb.ActivateOperatorRequest) -> tuple[pb.ActivateOperatorResponse, Commit]:
        operator = await self._visible(request.operator_id)
        component = await self._component(operator["ids"])
        with refused():
            by = _by(request.reason or "activation")
            decision = domain.take_step(component, operator, domain.Step.ACTIVATE, by, _now())
        return pb.ActivateOperatorResponse(operator=_told(decision, operator["_id"])), _commit(decision)

    async def _update(self, request: pb.UpdateOperatorRequest) -> tuple[pb.UpdateOperatorResponse, Commit]:
        operator = await self._visible(request.operator.operator_id)
        if request.operator.version not in (0, operator["version"]):
            raise Aborted("version_changed", f"version is {operator['version']} now")
        now = _now()
        wanted = edits(request, operator, current_caller(), now)
        component = await self._component(operator["ids"])
        decision = domain.update(component, wanted, _by("update"), now)
        return pb.UpdateOperatorResponse(operator=_told(decision, operator["_id"])), _commit(decision)

    async def _merge(self, request: pb.MergeSitesRequest) -> tuple[pb.MergeSitesResponse, Commit]:
        if not request.reason:
            raise InvalidArgument([rules.error("reason", None, "required")])
        keep, operator = await self._site(request.keep_site_id)
        other, _ = await self._site(request.merge_site_id)
        if keep["site"] == other["site"]:
            return pb.MergeSitesResponse(site=site_message(keep, operator)), Commit()
        component = await self._component([keep["site"], other["site"]])
        decision = domain.merge(component, keep["site"], other["site"], _by(request.reason), _now())
        return pb.MergeSitesResponse(site=site_message(*decision.site(keep["site"]))), _commit(decision)

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
        cursor = self._operators.find(queries.sites_of(current_caller(), [*ids]), queries.projection(current_caller()))
        found = await cursor.to_list(None)
        return {site["site"]: (site, operator["_id"]) for operator in found for site in operator["sites"]}

    async def _component(self, keys: Iterable[str]) -> list[Operator]:
        component = store.Component(keys)
        while (query := component.missing()) is not None:
            component.add(cast(list[Operator], await self._operators.find(query).to_list(None)))
        return component.operators


def _next(request: pb.ListMergeProposalsRequest, found: list[Pair], rows: list[Any], size: int) -> str:
    if len(found) > size:
        return page_token(request, [found[size - 1].candidate, found[size - 1].number])
    # All pairs of these rows are shown: go on behind the last of them.
    return page_token(request, [rows[-1]["_id"], len(rows[-1]["sites"])]) if len(rows) > size else ""


def _now() -> datetime:
    return in_milliseconds(datetime.now(UTC))


def _by(why: str) -> By:
    caller = current_caller()
    return By(caller.subject, caller.role, why)


def _told(decision: Decision, id: str) -> pb.Operator:
    return operator_message(queries.visible(decision.operator(id), current_caller()))


def _commit(decision: Decision) -> Commit:
    return commit(decision, current_call().envelope(SELF))


SERVICE: Final = Service(
    pb.DESCRIPTOR.services_by_name["RegistryService"],
    registry_pb2_grpc.add_RegistryServiceServicer_to_server,
    RegistryServicer,
)
