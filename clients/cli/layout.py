"""A layered drawing of a directed graph (Sugiyama's method): levels left to right, few crossings, short edges. Pure."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Final, NamedTuple

Edge = tuple[int, int]

SWEEPS: Final = 12
BEND: Final = 0.35
"""Height of an edge that passes a level, in heights of a node."""


class Layout(NamedTuple):
    """Level and height of each node, then of each bend; `routes` names the bends an edge passes, left to right."""

    levels: list[int]
    heights: list[float]
    routes: dict[Edge, list[int]]


def layout(nodes: int, edges: Sequence[Edge]) -> Layout:
    """Places nodes 0…n-1, one unit high each. Edges point right; one that closes a cycle points left."""
    forward = _acyclic(nodes, edges)
    levels = _levels(nodes, forward)
    routes, short = _bend(levels, forward)
    columns = _order(levels, short)
    heights = _heights(nodes, columns, short)
    return Layout(levels, heights, {edge: _route(routes, edge) for edge in edges})


def _route(routes: dict[Edge, list[int]], edge: Edge) -> list[int]:
    return routes[edge] if edge in routes else routes[edge[::-1]][::-1]


def _acyclic(nodes: int, edges: Sequence[Edge]) -> list[Edge]:
    """The edges with those turned round that lead back to where a depth-first walk came from."""
    onward = _neighbours(edges)
    done: set[int] = set()
    open_: set[int] = set()
    kept: dict[Edge, None] = {}
    for root in range(nodes):
        walk = [(root, iter(onward[root]))] if root not in done else []
        open_.update([root] if walk else ())
        while walk:
            node, rest = walk[-1]
            child = next(rest, None)
            if child is None:
                walk.pop()
                open_.discard(node)
                done.add(node)
                continue
            kept[(child, node) if child in open_ else (node, child)] = None
            if child not in done and child not in open_:
                open_.add(child)
                walk.append((child, iter(onward[child])))
    return list(kept)


def _levels(nodes: int, edges: Sequence[Edge]) -> list[int]:
    """Longest path from the left; what begins a path stands just left of what it leads to."""
    onward = _neighbours(edges)
    waiting = [0] * nodes
    for _, head in edges:
        waiting[head] += 1
    first = {node for node in range(nodes) if not waiting[node]}
    levels = [0] * nodes
    ready = sorted(first)
    for node in ready:
        for head in onward[node]:
            levels[head] = max(levels[head], levels[node] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    for node in first:
        if onward[node]:
            levels[node] = min(levels[head] for head in onward[node]) - 1
    return levels


def _bend(levels: list[int], edges: Sequence[Edge]) -> tuple[dict[Edge, list[int]], list[Edge]]:
    """Breaks edges that pass levels into short ones; appends the level of each bend to `levels`."""
    routes: dict[Edge, list[int]] = {}
    short: list[Edge] = []
    for tail, head in edges:
        bends = []
        for level in range(levels[tail] + 1, levels[head]):
            bends.append(len(levels))
            levels.append(level)
        routes[tail, head] = bends
        short += pairwise([tail, *bends, head])
    return routes, short


def _order(levels: Sequence[int], edges: Sequence[Edge]) -> list[list[int]]:
    """The nodes of each level from the top, so that few edges cross: each goes to the median of its neighbours."""
    columns: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
    for node in _walked(len(levels), edges):
        columns[levels[node]].append(node)
    left, right = _neighbours([(head, tail) for tail, head in edges]), _neighbours(edges)
    best, fewest = columns, _crossings(columns, right)
    for sweep in range(SWEEPS):
        columns = [list(column) for column in columns]
        towards, way = (left, columns) if sweep % 2 == 0 else (right, columns[::-1])
        for fixed, moved in pairwise(way):
            place = {node: float(n) for n, node in enumerate(fixed)}
            own = {node: float(n) for n, node in enumerate(moved)}
            rank = {n: median([place[m] for m in towards[n]]) if towards[n] else own[n] for n in moved}
            moved.sort(key=rank.__getitem__)
        crossings = _crossings(columns, right)
        if crossings < fewest:
            best, fewest = columns, crossings
    return best


def _walked(nodes: int, edges: Sequence[Edge]) -> list[int]:
    """Nodes in the order of a depth-first walk along the edges, either way: relatives start out side by side."""
    around = _neighbours([*edges, *((head, tail) for tail, head in edges)])
    seen: dict[int, None] = {}
    for root in range(nodes):
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen[node] = None
                stack += reversed(around[node])
    return list(seen)


def _crossings(columns: Sequence[Sequence[int]], onward: dict[int, list[int]]) -> int:
    """How many pairs of edges between neighbouring levels cross."""
    total = 0
    for here, there in pairwise(columns):
        place = {node: n for n, node in enumerate(there)}
        above: list[int] = []
        for end in (end for node in here for end in sorted(place[head] for head in onward[node])):
            total += len(above) - bisect_right(above, end)
            insort(above, end)
    return total


def _heights(nodes: int, columns: Sequence[Sequence[int]], edges: Sequence[Edge]) -> list[float]:
    """Each node as near to the middle of its neighbours as the order and the room allow; the top is at 0."""
    around = _neighbours([*edges, *((head, tail) for tail, head in edges)])
    size = {node: 1.0 if node < nodes else BEND for column in columns for node in column}
    heights = {node: height for column in columns for node, height in zip(column, _stack(column, size), strict=True)}
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wanted = [fmean(heights[m] for m in around[n]) if around[n] else heights[n] for n in column]
            heights.update(zip(column, _spread(wanted, _stack(column, size)), strict=True))
    top = min(heights.values(), default=0.0)
    return [heights[node] - top for node in range(len(heights))]


def _stack(column: Sequence[int], size: dict[int, float]) -> list[float]:
    """Middles of nodes put one on the other without room between."""
    middles = [0.0]
    for above, below in pairwise(column):
        middles.append(middles[-1] + (size[above] + size[below]) / 2)
    return middles[: len(column)]


def _spread(wanted: Sequence[float], least: Sequence[float]) -> list[float]:
    """Heights nearest to the wanted ones, in squares, that keep at least the distances of `least`.

    Isotonic regression by pooling adjacent violators.
    """
    pools: list[tuple[float, int]] = []
    for height, stacked in zip(wanted, least, strict=True):
        mean, count = height - stacked, 1
        while pools and pools[-1][0] > mean:
            above, many = pools.pop()
            mean, count = (above * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [offset + stacked for offset, stacked in zip(flat, least, strict=True)]


def _neighbours(edges: Sequence[Edge]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for tail, head in edges:
        found[tail].append(head)
    return found
