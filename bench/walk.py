"""A walk to 3,280 nodes among 200,000 events: the answer of trace's api, and the walk alone, beside a bare walk."""

import copy
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import grpc
from pydantic_core import from_json
from shilian.trace.v1 import trace_pb2
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub

from bench import notes, plain
from bench.bare import DIVISION
from bench.calls import serving
from bench.ground import Field, Ground
from bench.hearing import Wrong
from bench.result import Result, Side, measured
from bench.seeding import seed
from chassis.asking import answered
from chassis.garbage import collect_seldom
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Link
from services.trace import store, walk_store
from services.trace.chain import Direction
from services.trace.walk import Request, Start, Walk

EVENTS: Final = 200_000
BATCH: Final = "SL1"
NODES: Final = 3_280
"""The first site hands the batch on to three, each of these to three more, for eight levels: 1 + 3 + … + 2,187."""

HANDOFFS: Final = NODES - 1
"""Each told by both sides: two events."""

WALKS: Final = 5
"""Walks to a trial."""


def walk(ground: Ground, rounds: int) -> Result:
    """The walk alone, as far as the chain with its events, places and gaps."""
    with ground.field(store.COLLECTIONS) as field:
        _fill(field)
        # As the processes that walk do.
        collect_seldom()
        return measured("walk", "walks/s", rounds, ours=_times(lambda: _walked(field)), limit=_bare(field, 0.1))


def trace_call(ground: Ground, rounds: int) -> Result:
    """Trace of trace's api: the walk, what the caller may see of it, and the answer on the wire."""
    with ground.field(store.COLLECTIONS) as field, serving(ground, field, "services.trace", "api") as api:
        _fill(field)
        with grpc.insecure_channel(api.address, [("grpc.max_receive_message_length", -1)]) as channel:
            call = TraceServiceStub(channel).Trace
            asked = trace_pb2.TraceRequest(
                batch=BATCH, site_id=_id(0), direction=trace_pb2.DIRECTION_FORWARD, page_size=NODES
            )
            answer = _times(lambda: len(call(asked, metadata=api.metadata).nodes))
            return measured("trace_call", "calls/s", rounds, ours=answer, limit=_bare(field, 0.05))


def _times(walked: Callable[[], int]) -> Callable[[], float]:
    """A trial: walks per second. Raises Wrong when one did not reach all nodes."""

    def trial() -> float:
        started = time.monotonic()
        for _ in range(WALKS):
            if (found := walked()) != NODES:
                raise Wrong(f"a walk found {found} of {NODES} nodes")
        return WALKS / (time.monotonic() - started)

    return trial


def _walked(field: Field) -> int:
    def answer(request: Request) -> list[Any]:
        query = walk_store.query(request)
        return walk_store.reply(request, field.db[query.collection].find(query.filter, query.fields))

    return len(answered(Walk(Start(BATCH, Direction.FORWARD, _id(0))).run(), answer).nodes)


def _bare(field: Field, target: float) -> Side:
    """One `$in` query to a level, and a set of what was seen; no model, no places, no matching of halves."""
    events = field.db[store.EVENTS]

    def walked() -> int:
        seen = frontier = {_node(0)}
        while frontier:
            found = events.find({"inputs": {"$in": [*frontier]}}, {"_id": 0, "outputs": 1})
            frontier = {node for row in found for node in row["outputs"]} - seen
            seen = seen | frontier
        return len(seen)

    return Side("bare walk, nodes only", _times(walked), target)


def _fill(field: Field) -> None:
    seed(field, store.EVENTS, documents, EVENTS)
    field.db[store.SITES].insert_many([_site(number) for number in range(NODES)])


def documents(numbers: range) -> Iterator[dict[str, Any]]:
    """Both halves of the chain's handoffs, then shipments of other batches."""
    for number in numbers:
        edge, told = divmod(number, 2)
        of_chain = edge < HANDOFFS
        batch = BATCH if of_chain else f"SL{number}"
        yield _event(number, batch, edge // 3, edge + 1, received=of_chain and bool(told))


def _event(number: int, batch: str, tail: int, head: int, received: bool) -> dict[str, Any]:
    row = copy.deepcopy(_pattern())
    here, there = (head, tail) if received else (tail, head)
    row["lots"]["inputs"][0]["batch"] = batch
    return row | {
        "_id": f"E{number}",
        "step": "receiving" if received else "shipping",
        "site": _id(here),
        "there": _id(there),
        "inputs": [f"{batch}@{_id(tail)}"],
        "outputs": [f"{batch}@{_id(head)}"],
        "batches": [batch],
        "party": row["party"] | {"name": _name(here)},
        "counterparty": row["counterparty"] | {"site": _id(there), "name": _name(there)},
    }


@cache
def _pattern() -> dict[str, Any]:
    """An event as the one-network app's delivery notes make it."""
    (body,) = notes.bodies(notes.records(1))
    return plain.event(from_json(body)["records"][0], None, notes.SENT)


def _site(number: int) -> dict[str, Any]:
    facts = SiteFacts(
        site=_id(number),
        operator=f"uscc:{number}",
        name=_name(number),
        operator_name=_name(number),
        state=OperatorState.ACTIVATED,
        division=f"{DIVISION[:2]}0105",
        link=Link.CIRCULATION,
        version=1,
    )
    return {"_id": facts.site, **facts.model_dump(mode="json")}


def _node(number: int) -> str:
    return f"{BATCH}@{_id(number)}"


def _name(number: int) -> str:
    return f"王记蔬菜批发{number}"


def _id(number: int) -> str:
    return f"licence:JY13701{number:09}"
