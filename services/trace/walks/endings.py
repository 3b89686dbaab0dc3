"""How a walk ends: halves that others answer, ends that lead nowhere, gaps. Pure; driven like `walk`."""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Sequence
from typing import Any, Protocol

from contracts.trace import Link
from services.trace.lineage import sold_to_consumers
from services.trace.walks.chain import (
    AT_NOBODY,
    GROWN,
    TIME_LIMIT,
    UNKNOWN_DESTINATION,
    UNKNOWN_SOURCE,
    Chain,
    Direction,
    Edge,
    Gap,
    is_unnamed,
)
from services.trace.walks.halves import Told, answered
from services.trace.walks.ways import Way

Telling = Generator[Any, Any, None]


class Tell(Protocol):
    """`Walk.tell`."""

    def __call__(self, ids: Iterable[str]) -> Telling: ...


def without_answered(chain: Chain, found: list[Way], tell: Tell) -> Generator[Any, Any, list[Way]]:
    """The ways, those of halves that another way from the same node answers leading nowhere now."""
    nears = {near for near, far, _, _ in found if far[-1:] == AT_NOBODY}
    if not nears:
        return found
    around: dict[str, list[Way]] = defaultdict(list)
    for way in found:
        if way[0] in nears and way[1]:
            around[way[0]].append(way)
    yield from tell(way[2] for near in nears for way in around[near])
    dropped = {(near, id) for near in nears for id in _answered(chain, near, around[near])}
    return [(near, "", id, when) if (near, id) in dropped else (near, far, id, when) for near, far, id, when in found]


def _answered(chain: Chain, near: str, around: Sequence[Way]) -> list[str]:
    halves = [_told(chain, way) for way in around if is_unnamed(way[1])]
    named = [_told(chain, way) for way in around if not is_unnamed(way[1])]
    return answered(near, halves, named)


def _told(chain: Chain, way: Way) -> Told:
    near, far, id, _ = way
    return Told(*((near, far) if chain.direction is Direction.FORWARD else (far, near)), chain.told[id])


def finish(chain: Chain, loose: Sequence[Way], bounded: bool, tell: Tell) -> Telling:
    """Adds the events of halves that other edges answer, drops ends that lead nowhere, and names the gaps.

    `bounded`: events on the far side of the asked time were left out.
    """
    yield from _add_halves(chain, loose, tell)
    dangling = _drop_dangling(chain)
    yield from tell(edge[2] for edge in dangling)
    forward = chain.direction is Direction.FORWARD
    kind = TIME_LIMIT if bounded else UNKNOWN_DESTINATION if forward else UNKNOWN_SOURCE
    lost = sorted((edge[2], chain.ends(edge)[0]) for edge in dangling if not sold_to_consumers(chain.told[edge[2]]))
    ends = {near: id for id, near in reversed(lost)}
    chain.gaps += [Gap(key, kind, id) for key, id in ends.items()]
    if not forward:
        unexplained = _unexplained(chain, {gap.node for gap in chain.gaps})
        yield from tell(chain.ids_around(unexplained))
        own = {key for key in unexplained if _is_own_produce(chain, key)}
        chain.gaps += [Gap(key, kind, chain.via[key]) for key in unexplained - own]
    chain.gaps = sorted(set(chain.gaps))


def _add_halves(chain: Chain, loose: Sequence[Way], tell: Tell) -> Telling:
    by_node: dict[str, dict[str, Way]] = defaultdict(dict)
    for way in loose:
        if way[1] in chain.nodes:
            by_node[way[1]][way[2]] = way
    if not by_node:
        return
    reaching = list(chain.reaching(by_node))
    yield from tell(id for ways in by_node.values() for id in ways)
    yield from tell(id for _, _, id in reaching)
    named: dict[str, list[Told]] = defaultdict(list)
    for edge in reaching:
        named[chain.ends(edge)[1]].append(Told(edge[0], edge[1], chain.told[edge[2]]))
    for key, ways in by_node.items():
        chain.events.update(answered(key, [_told(chain, way) for way in ways.values()], named[key]))


def _drop_dangling(chain: Chain) -> list[Edge]:
    """Edges into meeting places from which the chain goes on to nobody else."""
    unnamed = {key for key in chain.nodes if key[-1] == AT_NOBODY}
    if not unnamed:
        return []
    onward: dict[str, set[str]] = defaultdict(set)
    for edge in chain.edges:
        near, far = chain.ends(edge)
        if near in unnamed:
            onward[near].add(far)
    dead_ends = unnamed & chain.expanded
    dangling = [edge for edge in chain.reaching(dead_ends) if not onward[chain.ends(edge)[1]] - {chain.ends(edge)[0]}]
    dropped = set(dangling)
    kept = [edge for edge in chain.edges if edge not in dropped]
    dead = dead_ends - {chain.ends(edge)[1] for edge in kept}
    chain.edges = [edge for edge in kept if chain.ends(edge)[0] not in dead]
    _forget(chain, dead)
    return dangling


def _forget(chain: Chain, dead: Collection[str]) -> None:
    for key in dead:
        del chain.nodes[key], chain.via[key]


def _unexplained(chain: Chain, gaps: set[str]) -> set[str]:
    """Nodes that nothing came to, though nothing says that the goods were made there."""
    supplied = {head for _, head, _ in chain.edges}
    return (chain.expanded & chain.nodes.keys()) - supplied - chain.made - gaps


def _is_own_produce(chain: Chain, key: str) -> bool:
    """A grower's produce begins with its first delivery: law 65 asks for no record before it."""
    return chain.place(key).link is Link.PRODUCTION and chain.goods(key).category in GROWN
