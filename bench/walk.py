"""A forward walk to 10,000 nodes: alone, as an answer of trace's api, and in stores of very different size."""

import time
from collections.abc import Callable
from typing import Final

import grpc
from shilian.trace.v1 import trace_pb2
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub

from bench.calls import serving
from bench.chains import site
from bench.ground import Ground
from bench.grove import BATCH, NODES, Grove
from bench.hearing import Wrong
from bench.result import Result, Side, measured
from chassis import memory
from services.trace import store

EVENTS: Final = 200_000

LARGER: Final = {"walk_1m": 1_000_000, "walk_5m": 5_000_000}
"""Events of the larger stores."""

WALKS: Final = 5
"""Walks to a trial."""


def walk(ground: Ground, rounds: int) -> Result:
    """The walk alone, as far as the chain with its aliases, days and gaps; what is told of it is encoding."""
    with ground.field(()) as field:
        grove = Grove(field, EVENTS)
        grove.plant()
        # As the processes that walk do.
        memory.economise(memory.API)
        bare = Side("bare walk, no model", _times(grove.bare), 0.5)
        return measured("walk", "walks/s", rounds, ours=_times(grove.walked), limit=bare)


def trace_call(ground: Ground, rounds: int) -> Result:
    """Trace of trace's api: the walk, what is told of all its nodes, who may see it, the answer on the wire."""
    with ground.field(store.COLLECTIONS) as field, serving(ground, field, "services.trace", "api") as api:
        grove = Grove(field, EVENTS)
        grove.plant()
        with grpc.insecure_channel(api.address, [("grpc.max_receive_message_length", -1)]) as channel:
            call = TraceServiceStub(channel).Trace
            asked = trace_pb2.TraceRequest(
                batch=BATCH, site_id=site(0), direction=trace_pb2.DIRECTION_FORWARD, max_nodes=NODES, page_size=NODES
            )
            answer = _times(lambda: len(call(asked, metadata=api.metadata).nodes))
            bare = Side("bare walk, no model", _times(grove.bare), 0.05)
            return measured("trace_call", "calls/s", rounds, ours=answer, limit=bare)


def walk_larger(ground: Ground, rounds: int) -> list[Result]:
    """The walk among a million and five million events through the same walk among 200,000."""
    return [_larger(ground, rounds, name, events) for name, events in LARGER.items()]


def _larger(ground: Ground, rounds: int, name: str, events: int) -> Result:
    with ground.field(()) as field:
        small, large = Grove(field, EVENTS, "_small"), Grove(field, events)
        small.plant()
        large.plant()
        memory.economise(memory.API)
        same = Side(f"the same among {EVENTS:,}", _times(small.walked), 1 / 1.5)
        return measured(name, "walks/s", rounds, ours=_times(large.walked), limit=same)


def _times(walked: Callable[[], int]) -> Callable[[], float]:
    """A trial: walks per second, after one that brings back what others pushed out of the store's cache.

    Raises Wrong when one did not reach all nodes.
    """

    def reach_all() -> None:
        if (found := walked()) != NODES:
            raise Wrong(f"a walk found {found} of {NODES} nodes")

    def trial() -> float:
        reach_all()
        started = time.monotonic()
        for _ in range(WALKS):
            reach_all()
        return WALKS / (time.monotonic() - started)

    return trial
