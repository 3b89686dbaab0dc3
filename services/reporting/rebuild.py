"""Facts anew from the other services' apis: `RebuildFacts` copies a page at a time with the caller's own token.

The steps are `<kind>:<page token>`, one kind after the other. All facts are dropped first; what a worker marks
meanwhile stays, for it is in the other services' stores as well by then or marks the same again.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf.message import Message
from shilian.inspection.v1 import inspection_pb2, inspection_pb2_grpc
from shilian.notify.v1 import notify_pb2, notify_pb2_grpc
from shilian.registry.v1 import registry_pb2, registry_pb2_grpc
from shilian.reporting.v1 import reporting_pb2 as pb
from shilian.trace.v1 import trace_pb2, trace_pb2_grpc

from chassis.api.errors import FailedPrecondition, InvalidArgument, Unavailable
from chassis.api.mongo import Store
from chassis.outgoing import Commit
from contracts import rules
from services.reporting import copies, store
from services.reporting.settings import ReportingSettings
from services.reporting.store import Writes

PAGE: Final = 500
TIMEOUT_S: Final = 30.0


class Source(NamedTuple):
    """Where facts of one kind come from: the service, its stub, the list RPC with its request, and what to write."""

    service: str
    stub: Callable[[grpc.aio.Channel], Any]
    rpc: str
    request: type[Message]
    items: str
    writes: Callable[[Iterable[Any]], Writes]


_REGISTRY: Final = ("registry", registry_pb2_grpc.RegistryServiceStub)
_TRACE: Final = ("trace", trace_pb2_grpc.TraceServiceStub)
_INSPECTION: Final = ("inspection", inspection_pb2_grpc.InspectionServiceStub)
_NOTIFY: Final = ("notify", notify_pb2_grpc.NotifyServiceStub)

SOURCES: Final[Mapping[str, Source]] = {
    "sites": Source(*_REGISTRY, "ListSites", registry_pb2.ListSitesRequest, "sites", copies.sites),
    "cells": Source(*_REGISTRY, "ListCells", registry_pb2.ListCellsRequest, "cells", copies.cells),
    "events": Source(*_TRACE, "QueryEvents", trace_pb2.QueryEventsRequest, "events", copies.events),
    "findings": Source(*_TRACE, "ListFindings", trace_pb2.ListFindingsRequest, "findings", copies.findings),
    "tasks": Source(*_INSPECTION, "ListTasks", inspection_pb2.ListTasksRequest, "tasks", copies.tasks),
    "cases": Source(*_INSPECTION, "ListCases", inspection_pb2.ListCasesRequest, "cases", copies.cases),
    "tests": Source(*_INSPECTION, "ListTests", inspection_pb2.ListTestsRequest, "tests", copies.tests),
    "deliveries": Source(*_NOTIFY, "ListDeliveries", notify_pb2.ListDeliveriesRequest, "deliveries", copies.deliveries),
}


class Rebuild:
    """Copies page by page."""

    def __init__(self, own: Store, settings: ReportingSettings) -> None:
        self._db = own.db
        self._settings = settings
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def step(
        self, request: pb.RebuildFactsRequest, authorization: str | bytes
    ) -> tuple[pb.RebuildFactsResponse, Commit]:
        """One page; the first step drops what is there."""
        kind, _, token = request.step.partition(":")
        if not request.step:
            await self._drop()
            kind = next(iter(SOURCES))
        source = SOURCES.get(kind)
        if source is None:
            raise InvalidArgument([rules.error("step", request.step, "invalid_value")])
        page = await self._page(source, token, authorization)
        found = getattr(page, source.items)
        told = pb.RebuildFactsResponse(next_step=_next(kind, page.next_page_token), kind=kind, copied=len(found))
        return told, Commit(source.writes(found))

    async def _drop(self) -> None:
        for name in store.FACTS:
            await self._db[name].delete_many({})

    async def _page(self, source: Source, token: str, authorization: str | bytes) -> Any:
        call = getattr(source.stub(self._channel(source.service)), source.rpc)
        request = source.request(page_size=PAGE, page_token=token)
        try:
            return await call(request, timeout=TIMEOUT_S, metadata=[("authorization", authorization)])
        except grpc.aio.AioRpcError as error:
            why = {"service": source.service, "status": error.code().name}
            raise Unavailable("service_away", f"{source.service}: {error.details()}", why) from None

    def _channel(self, service: str) -> grpc.aio.Channel:
        if service not in self._channels:
            address: str = getattr(self._settings, f"grpc_{service}")
            if not address:
                raise FailedPrecondition("address_missing", f"SHILIAN_GRPC_{service.upper()} is not set")
            self._channels[service] = grpc.aio.insecure_channel(address)
        return self._channels[service]


def _next(kind: str, token: str) -> str:
    if token:
        return f"{kind}:{token}"
    kinds = [*SOURCES]
    following = kinds[kinds.index(kind) + 1 :]
    return f"{following[0]}:" if following else ""
