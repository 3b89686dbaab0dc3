"""Calls: how many one api process answers a second, beside a bare servicer with the same query, by the same client."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, Final, NamedTuple

import grpc
import jwt
from pydantic_core import from_json
from shilian.inspection.v1.inspection_pb2_grpc import InspectionServiceStub
from shilian.registry.v1 import registry_pb2
from shilian.registry.v1.registry_pb2_grpc import RegistryServiceStub
from shilian.trace.v1 import trace_pb2
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub

import services.inspection.store
import services.registry.store
import services.trace.store
from bench import notes, plain, worklist
from bench.bare import DIVISION
from bench.child import Child
from bench.ground import Field, Ground
from bench.line import tell_sites
from bench.result import Result, Side, measured
from chassis.collections import Collection
from deploy.local.home import listens, wait_for

CALLERS: Final = 16
"""Calls open at any time."""

WARM_S, MEASURED_S, READY_S = 0.3, 1.2, 30.0
OPERATORS, EVENTS = 200, 2_000

Method = Callable[[grpc.Channel | grpc.aio.Channel], Any]


@dataclass(frozen=True)
class Server:
    """A process, where it answers, and as whom one calls it."""

    child: Child
    address: str
    metadata: tuple[tuple[str, str], ...]

    def rate(self, method: Method, requests: Sequence[Any]) -> float:
        """Calls per second while `CALLERS` calls are open. Raises grpc.RpcError when one fails."""
        return asyncio.run(self._rate(method, requests))

    async def _rate(self, method: Method, requests: Sequence[Any]) -> float:
        async with grpc.aio.insecure_channel(self.address) as channel:
            call, asked = method(channel), cycle(requests)

            async def some(seconds: float) -> int:
                until, answered = time.monotonic() + seconds, 0
                while time.monotonic() < until:
                    await call(next(asked), metadata=self.metadata)
                    answered += 1
                return answered

            await asyncio.gather(*(some(WARM_S) for _ in range(CALLERS)))
            started = time.monotonic()
            answered = sum(await asyncio.gather(*(some(MEASURED_S) for _ in range(CALLERS))))
            return answered / (time.monotonic() - started)


class Subject(NamedTuple):
    """An RPC: its service, the collections it needs, its stub's method, and what fills the store with its subjects."""

    service: str
    collections: tuple[Collection, ...]
    method: Method
    filled: Callable[[Field, Server], Sequence[Any]]


def get_operator(ground: Ground, rounds: int) -> Result:
    """GetOperator of the registry."""
    collections = services.registry.store.COLLECTIONS
    subject = Subject("registry", collections, lambda channel: RegistryServiceStub(channel).GetOperator, _operators)
    return _compared("get_operator", ground, rounds, subject, 0.6)


def audited_call(ground: Ground, rounds: int) -> Result:
    """GetEvent of trace: every call is written to the audit before it is answered."""
    collections = services.trace.store.COLLECTIONS
    subject = Subject("trace", collections, lambda channel: TraceServiceStub(channel).GetEvent, _events)
    return _compared("audited_call", ground, rounds, subject, 0.4)


def worklist_page(ground: Ground, rounds: int) -> Result:
    """ListTasks of inspection: a page of fifty out of 100,000 open tasks, anywhere in the list."""
    collections = services.inspection.store.COLLECTIONS
    subject = Subject(
        "inspection",
        collections,
        lambda channel: InspectionServiceStub(channel).ListTasks,
        lambda field, _: worklist.filled(field),
    )
    return _compared("worklist_page", ground, rounds, subject, 0.5, "same find")


def _compared(
    name: str, ground: Ground, rounds: int, subject: Subject, target: float, does: str = "same find_one"
) -> Result:
    with (
        ground.field(subject.collections) as field,
        serving(ground, field, f"services.{subject.service}", "api") as ours,
        serving(ground, field, "bench.bare", subject.service) as bare,
    ):
        requests = subject.filled(field, ours)
        return measured(
            name,
            "calls/s",
            # Bursts are short and many: a neighbour's load hits one or two of them.
            3 * rounds,
            ours=lambda: ours.rate(subject.method, requests),
            limit=Side(f"bare grpc.aio, {does}", lambda: bare.rate(subject.method, requests), target),
        )


@contextmanager
def serving(ground: Ground, field: Field, *args: str) -> Iterator[Server]:
    """`python -m <args>` once it listens, and a caller it knows."""
    name = args[0]
    port = ground.port(name)
    settings = {"grpc_port": port, "mongo_url": field.mongo_url, "jwt_public_key_file": ground.public_key}
    with ground.running(name, args, **settings) as child:
        wait_for(f"{name}'s start", lambda: child.runs() and listens(port), READY_S)
        yield Server(child, f"127.0.0.1:{port}", (("authorization", f"Bearer {_token(ground)}"),))


def _token(ground: Ground) -> str:
    claims = {"sub": "bench", "aud": "shilian", "exp": time.time() + 3600, "role": "regulator", "division": DIVISION}
    return jwt.encode(claims, ground.private_key.read_text(), "EdDSA")


def _operators(_: Field, ours: Server) -> list[registry_pb2.GetOperatorRequest]:
    """Registers operators, and asks for each."""
    with grpc.insecure_channel(ours.address) as channel:
        register = RegistryServiceStub(channel).RegisterOperator
        told = [register(request, metadata=ours.metadata) for request in map(_registration, range(OPERATORS))]
    return [registry_pb2.GetOperatorRequest(operator_id=answer.operator.operator_id) for answer in told]


def _registration(number: int) -> registry_pb2.RegisterOperatorRequest:
    party = notes.consignee(number)
    site = registry_pb2.NewSite(
        name=party["name"], licence=party["licence"], address=party["address"], division=party["division"]
    )
    return registry_pb2.RegisterOperatorRequest(
        request_id=f"bench-{number}",
        name=party["name"],
        uscc=party["uscc"],
        contact=party["contact"],
        phone=party["phone"],
        sites=[site],
    )


def _events(field: Field, _: Server) -> list[trace_pb2.GetEventRequest]:
    """Stores events, and asks for each."""
    tell_sites(field)
    bodies = notes.bodies(notes.records(EVENTS), EVENTS)
    now = datetime.now(UTC)
    rows = [plain.event(record, None, now) for body in bodies for record in from_json(body)["records"]]
    field.db[services.trace.store.EVENTS].insert_many(rows)
    return [trace_pb2.GetEventRequest(event_id=row["_id"]) for row in rows]
