"""Everything on a way between two places, and a shortest way, out of a chain walked forward. Pure; driven like `walk`.

Ways respect time as walks do: what leaves a node leaves it no day before it came there.
"""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any, NamedTuple

from services.trace.lineage import day_of
from services.trace.walks.chain import Chain, Edge
from services.trace.walks.labels import ANY_TIME, NEVER
from services.trace.walks.walk import Walk

Hop = tuple[str, str, int]
"""From a node to a node, on a day; the day is 0 where time does not matter."""

Labels = Mapping[str, int]
Telling = Generator[Any, Any, "Path | None"]


class Path(NamedTuple):
    """The part of a chain that lies on ways, its events told, and the nodes of a shortest one, in order."""

    chain: Chain
    shortest: tuple[str, ...]


def path(walk: Walk, ends: Collection[str]) -> Telling:
    """The ways of a finished walk forward to these nodes; None when it leads to none of them."""
    chain = walk.chain
    maybe = _between(chain, [key for key in ends if key in chain.nodes])
    yield from walk.tell(id for _, _, id in maybe)
    days = {id: day_of(chain.told[id].time) if walk.start.in_time else 0 for _, _, id in maybe}
    hops = {edge: (edge[0], edge[1], days[edge[2]]) for edge in maybe}
    shortest = shortest_of([*hops.values()], chain.starts, ends)
    if not shortest:
        return None
    way = _cut(chain, on_ways(hops, chain.starts, ends), shortest)
    yield from walk.tell(way.via[key] for key in way.nodes)
    return Path(way, shortest)


def on_ways(hops: Mapping[Edge, Hop], starts: Iterable[str], ends: Iterable[str]) -> list[Edge]:
    """The edges that lie on a way in time from a start to an end."""
    came = earliest(hops.values(), starts)
    turned = [(head, tail, -day) for tail, head, day in hops.values()]
    left = earliest(turned, ends)
    return [
        edge
        for edge, (tail, head, day) in hops.items()
        if came.get(tail, NEVER) <= day and left.get(head, NEVER) <= -day
    ]


def earliest(hops: Iterable[Hop], starts: Iterable[str]) -> dict[str, int]:
    """The day of the earliest arrival at each node that is reached in time; `ANY_TIME` at the starts."""
    onward = _onward(hops)
    found: dict[str, int] = {}
    waiting = [(ANY_TIME, key) for key in starts]
    while waiting:
        came, key = heappop(waiting)
        if key in found:
            continue
        found[key] = came
        for head, day in onward[key]:
            if day >= came and head not in found:
                heappush(waiting, (day, head))
    return found


def shortest_of(hops: Iterable[Hop], starts: Sequence[str], ends: Collection[str]) -> tuple[str, ...]:
    """The nodes of a way in time with the fewest hops; of several, the first in the order of keys. Empty for none."""
    onward = _onward(hops)
    came = dict.fromkeys(starts, ANY_TIME)
    layers: list[dict[str, tuple[int, str]]] = [dict.fromkeys(starts, (ANY_TIME, ""))]
    while layers[-1] and not layers[-1].keys() & ends:
        reached: dict[str, tuple[int, str]] = {}
        for tail in sorted(layers[-1]):
            for head, day in onward[tail]:
                if layers[-1][tail][0] <= day < min(came.get(head, NEVER), reached.get(head, (NEVER, ""))[0]):
                    reached[head] = (day, tail)
        came.update((key, day) for key, (day, _) in reached.items())
        layers.append(reached)
    return _followed_back(layers, min(layers[-1].keys() & ends, default=""))


def _followed_back(layers: Sequence[Mapping[str, tuple[int, str]]], end: str) -> tuple[str, ...]:
    way = [end]
    for layer in reversed(layers):
        way.append(layer[way[-1]][1] if end else "")
    return tuple(key for key in reversed(way) if key)


def _onward(hops: Iterable[Hop]) -> dict[str, list[tuple[str, int]]]:
    onward: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for tail, head, day in hops:
        onward[tail].append((head, day))
    return onward


def _between(chain: Chain, ends: Sequence[str]) -> list[Edge]:
    """The edges from which an end can be reached, whatever the days."""
    before = _onward((head, tail, 0) for tail, head, _ in chain.edges)
    reached, waiting = set(ends), list(ends)
    while waiting:
        for tail, _ in before[waiting.pop()]:
            if tail not in reached:
                reached.add(tail)
                waiting.append(tail)
    return [edge for edge in chain.edges if edge[1] in reached]


def _cut(chain: Chain, kept: list[Edge], shortest: Sequence[str]) -> Chain:
    keys = {key for edge in kept for key in edge[:2]} | {*shortest}
    return replace(
        chain,
        starts=[key for key in chain.starts if key in keys],
        nodes={key: hops for key, hops in chain.nodes.items() if key in keys},
        edges=kept,
        events={id for _, _, id in kept},
        gaps=[gap for gap in chain.gaps if gap.node in keys],
        expanded=chain.expanded & keys,
    )
