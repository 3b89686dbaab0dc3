"""A chain as trace answers it, and as `--format json` prints it."""

from collections.abc import Iterable
from typing import Any

from shilian.trace.v1 import analysis_pb2, trace_pb2

Json = dict[str, Any]


def chain_json(response: trace_pb2.TraceResponse) -> Json:
    """`{"batch","direction","events","nodes","edges","gaps","complete"}`; edges point the way the goods went."""
    return {
        "batch": response.batch,
        "direction": trace_pb2.Direction.Name(response.direction).removeprefix("DIRECTION_").lower(),
        "events": list(response.event_ids),
        "nodes": [_node(node) for node in response.nodes],
        "edges": [_edge(edge) for edge in response.edges],
        "gaps": _gaps(response.gaps),
        "complete": response.complete,
    }


def path_json(ends: str, response: analysis_pb2.FindPathResponse) -> Json:
    """The part of a chain that lies on a way, as `chain_json` has it, and the nodes of a `shortest` way in order."""
    return {
        "batch": ends,
        "direction": "forward",
        "events": list(response.event_ids),
        "nodes": [_node(node) for node in response.nodes],
        "edges": [_edge(edge) for edge in response.edges],
        "gaps": _gaps(response.gaps),
        "complete": response.complete,
        "shortest": [_ref(node) for node in response.shortest],
    }


def holders_json(batch: str, response: trace_pb2.ListHoldersResponse) -> Json:
    """`{"batch","holders","gaps","complete"}`."""
    return {
        "batch": batch,
        "holders": [_holder(holder) for holder in response.holders],
        "gaps": _gaps(response.gaps),
        "complete": response.complete,
    }


def _node(node: trace_pb2.Node) -> Json:
    return {
        "batch": node.batch,
        "site": node.site_id,
        "site_name": node.site_name,
        "operator": node.operator_id,
        "operator_name": node.operator_name,
        "division": node.division,
        "product": node.product,
        "external": node.external,
    }


def _edge(edge: trace_pb2.Edge) -> Json:
    return {
        # `from` is a word of Python.
        "from": _ref(getattr(edge, "from")),
        "to": _ref(edge.to),
        "event_id": edge.event_id,
        "step": edge.step,
        "quantity": edge.quantity,
        "unit": edge.unit,
        "time": edge.time.ToJsonString() if edge.HasField("time") else "",
    }


def _holder(holder: trace_pb2.Holder) -> Json:
    return _node(holder.node) | {
        "event_id": holder.event_id,
        "since": holder.since.ToJsonString() if holder.HasField("since") else "",
        "quantity": holder.quantity,
        "unit": holder.unit,
        "state": holder.state,
        "contact": holder.contact,
    }


def _gaps(gaps: Iterable[trace_pb2.Gap]) -> list[Json]:
    return [{"node": _ref(gap.node), "kind": gap.kind, "event_id": gap.event_id} for gap in gaps]


def _ref(node: trace_pb2.NodeRef) -> Json:
    return {"batch": node.batch, "site": node.site_id}
