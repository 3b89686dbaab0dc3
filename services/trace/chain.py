"""What a walk found, which halves of a handoff belong together, and where the chain breaks off. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.trace import Category, Link
from services.trace.lineage import TRANSFORMS, UNNAMED, Event, Goods, Place, node_key, sold_to_consumers, split


class Direction(StrEnum):
    """Backward to the sources, forward to the holders."""

    BACKWARD = "backward"
    FORWARD = "forward"


class Edge(NamedTuple):
    """Goods on their way between two nodes, as one event tells it."""

    tail: str
    head: str
    event: Event
    goods: Goods


class Gap(NamedTuple):
    """Where and why the chain may be longer than what was found."""

    node: str
    kind: str
    event_id: str = ""


UNKNOWN_SOURCE: Final = "unknown_source"
UNKNOWN_DESTINATION: Final = "unknown_destination"
DEPTH_LIMIT: Final = "depth_limit"
SIZE_LIMIT: Final = "size_limit"

GROWN: Final = frozenset({Category.VEGETABLE, Category.FRUIT, Category.AQUATIC, Category.GRAIN})
"""What a farm sells as it grew. Meat is none: a slaughterhouse comes first, and animals have records."""


@dataclass
class Chain:
    """Nodes with their goods, edges, events by id, places by site, gaps. `expanded` nodes were walked through."""

    batch: str
    direction: Direction
    places: dict[str, Place] = field(default_factory=dict)
    nodes: dict[str, Goods] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    events: dict[str, Event] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    expanded: set[str] = field(default_factory=set)

    def place(self, key: str) -> Place:
        """Where a node stands."""
        site = split(key)[1]
        return self.places.get(site) or Place(site)

    def ends(self, edge: Edge) -> tuple[str, str]:
        """Near and far end of an edge, as walked."""
        return (edge.tail, edge.head) if self.direction is Direction.FORWARD else (edge.head, edge.tail)


_AT_NOBODY: Final = node_key("", UNNAMED)


def is_unnamed(key: str) -> bool:
    """Whether the node is a meeting place for halves that don't name their other side."""
    return key.endswith(_AT_NOBODY)


def answered(node: str, halves: Sequence[Edge], named: Iterable[Edge]) -> list[Edge]:
    """Which of a node's own `halves`, that name no other side, are told from the other side too.

    `named` are the node's edges on the same side of it that name both. What others report beyond what the node's
    site itself reports of them answers a half: one of the same quantity, else the earliest.
    """
    waiting = list(halves)
    found: list[Edge] = []
    for spare in _spare(split(node)[1], named):
        if waiting:
            same = (half for half in waiting if half.goods[:3] == spare.goods[:3])
            found.append(next(same, waiting[0]))
            waiting.remove(found[-1])
    return found


def _spare(site: str, named: Iterable[Edge]) -> Iterable[Edge]:
    """Handoffs reported by the other side only."""
    own: dict[tuple[str, str], int] = defaultdict(int)
    told: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in named:
        if edge.event.here.site == site:
            own[edge.tail, edge.head] += 1
        else:
            told[edge.tail, edge.head].append(edge)
    return [edge for ends, edges in told.items() for edge in edges[own[ends] :]]


def finish(chain: Chain, loose: Sequence[Edge]) -> None:
    """Adds the events of halves that other edges answer, drops ends that lead nowhere, and names the gaps."""
    _add_halves(chain, loose)
    dangling = _drop_dangling(chain)
    kind = UNKNOWN_DESTINATION if chain.direction is Direction.FORWARD else UNKNOWN_SOURCE
    open_ends = {chain.ends(edge)[0]: edge.event for edge in dangling if not sold_to_consumers(edge.event)}
    chain.gaps += [Gap(key, kind, event.id) for key, event in open_ends.items()]
    if chain.direction is Direction.BACKWARD:
        chain.gaps += _unexplained(chain, {gap.node for gap in chain.gaps})
    chain.gaps = list(dict.fromkeys(chain.gaps))


def _add_halves(chain: Chain, loose: Sequence[Edge]) -> None:
    by_node: dict[str, list[Edge]] = defaultdict(list)
    for edge in loose:
        by_node[chain.ends(edge)[1]].append(edge)
    named: dict[str, list[Edge]] = {key: [] for key in by_node.keys() & chain.nodes.keys()}
    for edge in chain.edges:
        if (far := chain.ends(edge)[1]) in named:
            named[far].append(edge)
    for key, edges in named.items():
        chain.events.update((half.event.id, half.event) for half in answered(key, by_node[key], edges))


def _drop_dangling(chain: Chain) -> list[Edge]:
    """Edges into unnamed nodes from which the chain goes on to nobody else."""
    onward: dict[str, set[str]] = defaultdict(set)
    for edge in chain.edges:
        near, far = chain.ends(edge)
        onward[near].add(far)
    kept: list[Edge] = []
    dangling: list[Edge] = []
    for edge in chain.edges:
        (dangling if _dangles(chain, edge, onward) else kept).append(edge)
    reached = {chain.ends(edge)[1] for edge in kept}
    dead = {key for key in chain.expanded if is_unnamed(key) and key not in reached}
    chain.nodes = {key: goods for key, goods in chain.nodes.items() if key not in dead}
    chain.edges = [edge for edge in kept if chain.ends(edge)[0] not in dead]
    return dangling


def _dangles(chain: Chain, edge: Edge, onward: dict[str, set[str]]) -> bool:
    near, far = chain.ends(edge)
    return is_unnamed(far) and far in chain.expanded and not onward[far] - {near}


def _unexplained(chain: Chain, told: set[str]) -> list[Gap]:
    """Nodes that nothing came to, though nothing says that the goods were made there."""
    supplied = {edge.head for edge in chain.edges}
    made = {node_key(goods.batch, event.here.site) for event in chain.events.values() for goods in _made(event)}
    first = {edge.tail: edge.event.id for edge in reversed(chain.edges)}
    ends = (chain.expanded & chain.nodes.keys()) - supplied - made - told
    return [Gap(key, UNKNOWN_SOURCE, first.get(key, "")) for key in sorted(ends) if not _is_own_produce(chain, key)]


def _made(event: Event) -> tuple[Goods, ...]:
    """Goods that begin with this event: farmed, harvested, or made of nothing that was recorded."""
    return event.outputs if event.step in TRANSFORMS and not event.inputs else ()


def _is_own_produce(chain: Chain, key: str) -> bool:
    """A grower's produce begins with its first delivery: law 65 asks for no record before it."""
    return chain.place(key).link is Link.PRODUCTION and chain.nodes[key].category in GROWN
