"""A chain as an indented table: each node under the one it was reached from."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from clients.cli import handovers
from clients.cli.printing import local_time
from clients.cli.words import GAPS, zh
from contracts import divisions

Json = dict[str, Any]
Key = tuple[str, str]

HEADS = ("场所 site", "批次 batch", "品名 product", "环节 step", "数量 quantity", "时间 time", "区划 division")


def rows(chain: Json) -> Iterator[tuple[str, ...]]:
    """A row per node, children indented. A node met again is shown once, and pointed to afterwards."""
    nodes = {_key(node): node for node in chain["nodes"]}
    onward = _onward(chain)
    reached = {far for edges in onward.values() for far in edges}
    shown: set[Key] = set()
    roots = [key for key in nodes if key not in reached]
    # A cycle has no root of its own: its first node will do.
    for root in [*roots, *nodes]:
        if root not in shown:
            yield from _branch(root, [], "", "", nodes, onward, shown)


def gap_rows(chain: Json) -> Iterator[tuple[str, ...]]:
    """A row per place where the chain breaks off."""
    names = {_key(node): node["site_name"] for node in chain["nodes"]}
    for gap in chain["gaps"]:
        key = _key(gap["node"])
        yield zh(GAPS, gap["kind"]), names.get(key) or key[1], key[0], gap["event_id"]


def _onward(chain: Json) -> dict[Key, dict[Key, list[Json]]]:
    """Where the walk goes from each node, and the events that tell so, oldest first."""
    near, far = ("from", "to") if chain["direction"] == "forward" else ("to", "from")
    onward: dict[Key, dict[Key, list[Json]]] = defaultdict(dict)
    for edge in sorted(chain["edges"], key=lambda edge: str(edge["time"])):
        onward[_key(edge[near])].setdefault(_key(edge[far]), []).append(edge)
    return onward


def _branch(
    key: Key,
    edges: list[Json],
    lead: str,
    branch: str,
    nodes: dict[Key, Json],
    onward: dict[Key, dict[Key, list[Json]]],
    shown: set[Key],
) -> Iterator[tuple[str, ...]]:
    again = key in shown
    shown.add(key)
    yield _row(lead + branch, nodes.get(key, {}), key, edges, again)
    if again:
        return
    below = [child for child in onward[key] if child != key]
    lead += {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    for child in below:
        mark = "└─ " if child == below[-1] else "├─ "
        yield from _branch(child, onward[key][child], lead, mark, nodes, onward, shown)


def _row(lead: str, node: Json, key: Key, edges: list[Json], again: bool) -> tuple[str, ...]:
    name = node.get("site_name") or key[1] or "(未登记场所)"
    outside = " (省外)" if node.get("external") else ""
    last = edges[-1] if edges else {}
    return (
        f"{lead}{name}{outside}{' ↑见上' if again else ''}",
        key[0],
        node.get("product", ""),
        handovers.steps(edges),
        handovers.goods(edges),
        local_time(last.get("time", "")),
        divisions.name(node.get("division", "")) or node.get("division", ""),
    )


def _key(ref: Json) -> Key:
    return ref["batch"], ref["site"]
