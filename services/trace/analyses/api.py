"""The gRPC side of analyses: what walks have in common. Translates, delegates."""

# ruff: noqa: N802 - gRPC's names

from collections.abc import Mapping, Sequence
from typing import Any

from shilian.trace.v1 import analysis_pb2 as pb
from shilian.trace.v1 import analysis_pb2_grpc, trace_pb2

from chassis.api.calls import current_caller
from chassis.api.errors import NotFound
from chassis.api.mongo import Store
from chassis.api.server import Service
from services.trace import privacy, store
from services.trace.analyses import answers, queries, requests
from services.trace.analyses.dishes import dishes
from services.trace.analyses.lines import Lines
from services.trace.analyses.paths import path
from services.trace.analyses.suspects import Case, Suspect, common_nodes, common_sites
from services.trace.api_reading import ApiReader
from services.trace.lineage import split
from services.trace.walks import page as chain_page
from services.trace.walks.chain import Direction, is_unnamed
from services.trace.walks.start import Start
from services.trace.walks.walk import Walk


class AnalysisServicer(analysis_pb2_grpc.AnalysisServiceServicer):
    """Answers within the caller's scope: a batch whose chain does not touch it is not found."""

    def __init__(self, own: Store) -> None:
        self._reader = ApiReader(own)

    async def FindPath(self, request: pb.FindPathRequest, context: Any) -> pb.FindPathResponse:
        """Raises NotFound when nothing of the chain or its ways is the caller's, InvalidArgument for ends or bounds."""
        caller, begin = current_caller(), getattr(request, "from")
        requests.require("to.batch", request.to.batch)
        start = requests.start("from.batch", begin, Direction.FORWARD, request.bounds, privacy.passes(caller))
        walk = await self._walked(start)
        found = await self._reader.walked(path(walk, await self._ends(walk, request.to)))
        if found is None:
            return answers.no_path(walk.chain)
        if not privacy.touches(found.chain, caller):
            raise NotFound("batch", request.to.batch)
        return answers.path(found, walk.chain, caller)

    async def CommonSources(self, request: pb.CommonSourcesRequest, context: Any) -> pb.CommonSourcesResponse:
        """Raises NotFound for a case whose chain is not the caller's, InvalidArgument for cases or bounds."""
        passes, walks, weights = privacy.passes(current_caller()), {}, {}
        for number, (case, weight) in enumerate(requests.cases(request)):
            field = f"cases.{number}.batch"
            start = requests.start(field, case, Direction.BACKWARD, request.bounds, passes)
            walks[case.batch], weights[case.batch] = await self._walked(start), weight
        cases = [Case(batch, walk.chain, weights[batch]) for batch, walk in walks.items()]
        most = request.max_suspects or requests.DEFAULT_SUSPECTS
        nodes, sites = common_nodes(cases), common_sites(cases)
        await self._tell(walks, nodes[:most], sites[:most])
        return answers.suspects(cases, nodes, sites, most)

    async def CrossContamination(
        self, request: pb.CrossContaminationRequest, context: Any
    ) -> pb.CrossContaminationResponse:
        """Raises NotFound when nothing of the batch's chain is the caller's, InvalidArgument for batch or bounds."""
        caller, at = current_caller(), trace_pb2.NodeRef(batch=request.batch, site_id=request.site_id)
        start = requests.start("batch", at, Direction.FORWARD, request.bounds, privacy.passes(caller))
        lines = Lines(self._reader, await self._walked(start), caller, request.with_products)
        await lines.look()
        return answers.contamination(lines.uses, lines.unjudged, lines.chains, caller)

    async def ListDishes(self, request: pb.ListDishesRequest, context: Any) -> pb.ListDishesResponse:
        """Raises NotFound when nothing of the chain is the caller's, InvalidArgument for batch, day or bounds."""
        caller, day = current_caller(), requests.day(request)
        bounds = pb.Bounds(max_depth=request.max_depth, max_nodes=request.max_nodes, any_order=request.any_order)
        at = trace_pb2.NodeRef(batch=request.batch, site_id=request.site_id)
        start = requests.start("batch", at, Direction.FORWARD, bounds, privacy.passes(caller))
        walk = await self._walked(start)
        asked = queries.cooked(walk.chain.events, day)
        cooked = [row["_id"] for where in asked for row in await self._reader.find(store.EVENTS, where, {"_id": 1})]
        await self._reader.walked(walk.tell(cooked))
        return answers.dishes(day, dishes(walk.chain, cooked), walk.chain, caller)

    async def _walked(self, start: Start) -> Walk:
        """A finished walk that touches something of the caller's. Raises NotFound when it does not."""
        walk = Walk(start)
        await self._reader.walked(walk.run())
        if not await self._reader.walked(chain_page.touched(walk, current_caller())):
            raise NotFound("batch", start.batch)
        return walk

    async def _ends(self, walk: Walk, to: trace_pb2.NodeRef) -> list[str]:
        """The nodes of a chain that a reference means, whatever id of its site it names."""
        await self._reader.walked(walk.sites.trace([to.site_id]))
        site = walk.sites.now(to.site_id)
        named = (key for key in walk.chain.nodes if split(key)[0] == to.batch and not is_unnamed(key))
        return [key for key in named if not site or split(key)[1] == site]

    async def _tell(self, walks: Mapping[str, Walk], nodes: Sequence[Suspect], sites: Sequence[Suspect]) -> None:
        """Has each suspect told of in the chain of the first case that it explains; a site, by its nearest node."""
        for batch, walk in walks.items():
            via = walk.chain.via
            there = {split(key)[1]: id for key, id in reversed(via.items())}
            wanted = [via[each.id] for each in nodes if each.explains[0] == batch]
            wanted += [there[each.id] for each in sites if each.explains[0] == batch]
            await self._reader.walked(walk.tell(wanted))


SERVICE = Service(
    pb.DESCRIPTOR.services_by_name["AnalysisService"],
    analysis_pb2_grpc.add_AnalysisServiceServicer_to_server,
    AnalysisServicer,
)
