"""Goods that went back to who had handed them over, which neither began there nor are used twice. Pure."""

from collections.abc import Iterable
from datetime import datetime

from contracts.trace import Step
from services.trace.lineage import Event, Flow, edges, node_key, split
from services.trace.truth.statements import by_time
from services.trace.walks.chain import is_unnamed

Edge = tuple[str, str]
"""From node, to node."""


def sent_back(events: Iterable[Event]) -> set[Edge]:
    """The edges by which goods went back: those told as a return, else the later of two opposite ones."""
    first: dict[Edge, datetime] = {}
    told = set[Edge]()
    for event in sorted(events, key=by_time):
        ways = [way for way in edges(event) if not is_unnamed(way[0]) and not is_unnamed(way[1])]
        told.update(ways if event.step is Step.RETURNING else ())
        for way in ways:
            first.setdefault(way, event.time)
    return told | {way for way, at in first.items() if way[::-1] not in told and first.get(way[::-1], at) < at}


def way_of(flow: Flow) -> Edge:
    """The edge that a handoff's flow goes by."""
    other = node_key(split(flow.node)[0], flow.other)
    return (other, flow.node) if flow.inward else (flow.node, other)
