"""The limit of a call: a bare grpc.aio servicer that does the same query; no gate, no metrics, no audit.

`python -m bench.bare inspection|registry|trace`, on SHILIAN_GRPC_PORT, until it is ended.
"""

# ruff: noqa: N802 - gRPC's names

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Final

import grpc
from motor.motor_asyncio import AsyncIOMotorClient
from shilian.inspection.v1 import inspection_pb2, inspection_pb2_grpc
from shilian.registry.v1 import registry_pb2, registry_pb2_grpc
from shilian.trace.v1 import trace_pb2, trace_pb2_grpc

import services.inspection.queries
import services.inspection.store
import services.inspection.translate
import services.registry.queries
import services.registry.store
import services.registry.translate
import services.trace.queries
import services.trace.store
import services.trace.translate
from chassis import memory
from chassis.api.pages import DEFAULT_SIZE, position
from chassis.caller import Caller
from chassis.settings import Settings
from contracts.divisions import scope_prefix
from services.inspection.domain import RUNNING

DIVISION: Final = "370000"
CALLER: Final = Caller("bench", "regulator", scope_prefix(DIVISION))
"""Whom the other side reads from the token of every call."""


class BareRegistry(registry_pb2_grpc.RegistryServiceServicer):
    """One query, one translation."""

    def __init__(self, db: Any) -> None:
        self._operators = db[services.registry.store.OPERATORS]

    async def GetOperator(
        self, request: registry_pb2.GetOperatorRequest, context: Any
    ) -> registry_pb2.GetOperatorResponse:
        """Any operator of the bench is found."""
        where = services.registry.queries.operators_by(CALLER, [request.operator_id])
        found = await self._operators.find_one(where, services.registry.queries.projection(CALLER))
        return registry_pb2.GetOperatorResponse(operator=services.registry.translate.operator_message(found))


class BareTrace(trace_pb2_grpc.TraceServiceServicer):
    """One query, one translation; it does not ask what the registry told of the sites."""

    def __init__(self, db: Any) -> None:
        self._events = db[services.trace.store.EVENTS]

    async def GetEvent(self, request: trace_pb2.GetEventRequest, context: Any) -> trace_pb2.GetEventResponse:
        """Any event of the bench is found."""
        found = await self._events.find_one({"$and": [{"_id": request.event_id}, services.trace.queries.scope(CALLER)]})
        return trace_pb2.GetEventResponse(event=services.trace.translate.event(found, {}))


class BareInspection(inspection_pb2_grpc.InspectionServiceServicer):
    """One query, one translation of each task."""

    def __init__(self, db: Any) -> None:
        self._tasks = db[services.inspection.store.TASKS]

    async def ListTasks(
        self, request: inspection_pb2.ListTasksRequest, context: Any
    ) -> inspection_pb2.ListTasksResponse:
        """The same page; it does not say how to ask for the next one."""
        (after,) = position(request, str) or [""]
        where = services.inspection.queries.tasks_like(CALLER, "", RUNNING, after)
        found = await self._tasks.find(where).sort([("order", 1)]).limit(DEFAULT_SIZE + 1).to_list(None)
        return inspection_pb2.ListTasksResponse(
            tasks=map(services.inspection.translate.task_message, found[:DEFAULT_SIZE])
        )


Adding = Callable[[Any, grpc.aio.Server], None]

BARE: Final[dict[str, tuple[type, Adding]]] = {
    "inspection": (BareInspection, inspection_pb2_grpc.add_InspectionServiceServicer_to_server),
    "registry": (BareRegistry, registry_pb2_grpc.add_RegistryServiceServicer_to_server),
    "trace": (BareTrace, trace_pb2_grpc.add_TraceServiceServicer_to_server),
}


async def serve(name: str) -> None:
    """Serves until it is cancelled."""
    settings = Settings()
    db = AsyncIOMotorClient[dict[str, Any]](settings.mongo_url, tz_aware=True).get_default_database()
    servicer, add_to_server = BARE[name]
    server = grpc.aio.server()
    add_to_server(servicer(db), server)
    server.add_insecure_port(f"{settings.grpc_host}:{settings.grpc_port}")
    await server.start()
    # As our own processes do.
    memory.economise(memory.API)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
