"""A soak: one trace worker and one api under load for half an hour, their pace and their memory at its ends."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from typing import Final, NamedTuple

import grpc
from shilian.trace.v1 import trace_pb2 as pb
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub

from bench import notes
from bench.calls import Server, serving
from bench.ground import Ground
from bench.ingest import OURS, SINGLE
from bench.line import Line, Load
from bench.result import Result

LASTS_S: Final = 1800.0
WARM_S: Final = 300.0
"""Caches, pools and arenas fill in this time, and truth's queue, which gives way at first; from then on is compared."""

ENDS: Final = 5
"""Samples that make a start and an end."""

PAUSE_S: Final = 0.05
"""Between two rounds of calls."""

log = logging.getLogger(__name__)


class Sample(NamedTuple):
    """After a load: seconds since the start, events per second, MiB of the worker and of the api."""

    at: float
    rate: float
    worker: float
    api: float


def soak(ground: Ground, _: int) -> list[Result]:
    """Pace and memory; each at the end beside the start."""
    with OURS.running(ground) as line, serving(ground, line.field, "services.trace", "api") as api, _called(api):
        samples = list(_sampled(line, api))
    warm = [sample for sample in samples if sample.at >= WARM_S]
    return [
        _flat("soak", "events/s", [sample.rate for sample in warm], 0.8),
        _flat("soak_worker", "MiB", [sample.worker for sample in warm], 0.9),
        _flat("soak_api", "MiB", [sample.api for sample in warm], 0.9),
    ]


def _sampled(line: Line, api: Server) -> Iterator[Sample]:
    started = time.monotonic()
    loads = 0
    while (at := time.monotonic() - started) < LASTS_S:
        shipments = notes.records(SINGLE // 2, first=loads * SINGLE // 2)
        rate = line.rate(Load.carrying([*shipments, *notes.receipts(shipments)]))
        loads += 1
        sample = Sample(at, rate, line.children[0].resident_mib(), api.child.resident_mib())
        log.info("soak %4.0f s: %.0f events/s, worker %.0f MiB, api %.0f MiB", *sample)
        yield sample


@contextmanager
def _called(api: Server) -> Iterator[None]:
    """An api that is asked for pages of events, single ones and their chains all the while; raises what a call met."""
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        calls = pool.submit(_call, api, done)
        try:
            yield
        finally:
            done.set()
        calls.result()


def _call(api: Server, done: threading.Event) -> None:
    with grpc.insecure_channel(api.address, [("grpc.max_receive_message_length", -1)]) as channel:
        stub = TraceServiceStub(channel)
        while not done.wait(PAUSE_S):
            page = stub.QueryEvents(pb.QueryEventsRequest(page_size=20), metadata=api.metadata)
            for event in page.events[:3]:
                batch = event.outputs[0].batch
                stub.GetEvent(pb.GetEventRequest(event_id=event.event_id), metadata=api.metadata)
                asked = pb.TraceRequest(batch=batch, direction=pb.DIRECTION_FORWARD)
                stub.Trace(asked, metadata=api.metadata)


def _flat(name: str, unit: str, figures: list[float], target: float) -> Result:
    """The end beside the start; of memory, where less is better, the start beside the end."""
    start, end = median(figures[:ENDS]), median(figures[-ENDS:])
    if unit == "MiB":
        return Result(name, unit, start, end, "its own end", start / end, target)
    return Result(name, unit, end, start, "its own start", end / start, target)
