"""The breadth-first walk through the chain, without I/O: it yields what it needs and is sent what was found.

A level takes one request for events and, where sites turn up for the first time, one for sites. Alias ids of a
site are resolved on the way, so merges never rewrite events. Cycles end where they began; depth and size are bounded.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from services.trace.chain import DEPTH_LIMIT, SIZE_LIMIT, Chain, Direction, Edge, Gap, answered, finish, is_unnamed
from services.trace.lineage import HANDOFFS, UNNAMED, Event, Goods, Place, edges, goods_on, node_key, split
from services.trace.sites import Sites, SitesOf

KEYS_PER_REQUEST: Final = 5_000


class EventsOf(NamedTuple):
    """Request: every event that names a batch, or those of them that name one of these sites on either side."""

    batch: str
    sites: tuple[str, ...] = ()


class EventsAt(NamedTuple):
    """Request: the events found by these nodes when walking in a direction."""

    direction: Direction
    keys: tuple[str, ...]


Request = EventsOf | EventsAt | SitesOf
"""The first two are answered with a list of `Event`, the last with a list of `sites.Row`."""

Found = Generator[Request, Any, list[Event]]


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins and what bounds it.

    Without a site it begins wherever the batch is. A walk begins at and leaves only places that `passes` says yes
    to; their neighbours are reached but not left.
    """

    batch: str
    direction: Direction
    site: str | None = None
    max_depth: int = 50
    max_nodes: int = 10_000
    passes: Callable[[Place], bool] | None = None


@dataclass
class Walk:
    """One walk; `run` it once. A batch that nobody recorded gives a chain without nodes."""

    start: Start
    sites: Sites = field(default_factory=Sites)
    _loose: list[Edge] = field(default_factory=list)
    _met: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chain = Chain(self.start.batch, self.start.direction, self.sites.places)

    def run(self) -> Generator[Request, Any, Chain]:
        """Walks to the ends of the chain or to its bounds."""
        frontier = yield from self._starts()
        for _ in range(self.start.max_depth):
            if not frontier:
                break
            self.chain.expanded.update(frontier)
            events = yield from self.events(self.start.direction, self._keys(frontier))
            frontier = self._grow(frontier, events)
        self.chain.gaps += [Gap(key, DEPTH_LIMIT) for key in frontier]
        finish(self.chain, self._loose)
        return self.chain

    def events(self, direction: Direction, keys: list[str]) -> Found:
        """The events found by these nodes, once each, oldest first, in today's ids."""
        found: dict[str, Event] = {}
        for first in range(0, len(keys), KEYS_PER_REQUEST):
            events: list[Event] = yield EventsAt(direction, tuple(keys[first : first + KEYS_PER_REQUEST]))
            found.update((event.id, event) for event in events)
        resolved = yield from self.sites.resolve(found.values())
        return sorted(resolved, key=lambda event: (event.time, event.id))

    def keys(self, nodes: Iterable[str]) -> list[str]:
        """The keys of nodes under every id that their sites have had."""
        return [node_key(batch, site) for batch, today in map(split, nodes) for site in self.sites.ids(today)]

    def _starts(self) -> Generator[Request, Any, list[str]]:
        yield from self.sites.resolve((), self.start.site or UNNAMED)
        asked = self.sites.now(self.start.site) if self.start.site else None
        named: list[Event] = yield EventsOf(self.start.batch, tuple(self.sites.ids(asked)) if asked else ())
        events = yield from self.sites.resolve(named)
        found = {key: goods for event in events for key, goods in _nodes(event).items()}
        for key in sorted(found):
            batch, site = split(key)
            if batch == self.start.batch and asked in (None, site) and self._passes(key):
                self.chain.nodes[key] = found[key]
        return [key for key in self.chain.nodes if self._goes_on(key)]

    def _passes(self, key: str) -> bool:
        known = not is_unnamed(key)
        return known and (self.start.passes is None or self.start.passes(self.chain.place(key)))

    def _goes_on(self, key: str) -> bool:
        return is_unnamed(key) or (self._passes(key) and not self.chain.place(key).external)

    def _keys(self, frontier: list[str]) -> list[str]:
        """A level's keys, with the meeting place of every batch not met yet."""
        unnamed = {node_key(split(key)[0], UNNAMED) for key in frontier} - self._met
        self._met |= unnamed
        return list(dict.fromkeys([*self.keys(frontier), *sorted(unnamed)]))

    def _grow(self, frontier: list[str], events: list[Event]) -> list[str]:
        """Adds a level of edges and nodes; returns the nodes to go on from."""
        around: dict[str, list[Edge]] = {key: [] for key in frontier}
        for event in events:
            self._sort_in(event, around)
        followed = [edge for key, near in around.items() for edge in self._followed(key, near)]
        reached = [self.chain.ends(edge)[1] for edge in followed if self._add(edge)]
        return [key for key in reached if self._goes_on(key)]

    def _sort_in(self, event: Event, around: dict[str, list[Edge]]) -> None:
        """Gives the event's edges to the frontier nodes they leave; halves that may meet one later are kept."""
        concerned = event.step not in HANDOFFS
        for tail, head in edges(event):
            edge = Edge(tail, head, event, goods_on(event, tail))
            near = self.chain.ends(edge)[0]
            if near in around:
                around[near].append(edge)
                concerned = True
            elif is_unnamed(near):
                self._loose.append(edge)
        if concerned:
            self.chain.events[event.id] = event

    def _followed(self, key: str, near: list[Edge]) -> list[Edge]:
        """A node's edges, without its halves that another edge answers."""
        halves = [edge for edge in near if is_unnamed(self.chain.ends(edge)[1])]
        if not halves:
            return near
        named = [edge for edge in near if not is_unnamed(self.chain.ends(edge)[1])]
        told = {edge.event.id for edge in answered(key, halves, named)}
        return [*named, *(edge for edge in halves if edge.event.id not in told)]

    def _add(self, edge: Edge) -> bool:
        """Adds an edge; says whether its far node is new. Beyond `max_nodes` the near node gets a gap instead."""
        near, far = self.chain.ends(edge)
        new = far not in self.chain.nodes
        if new and len(self.chain.nodes) >= self.start.max_nodes:
            self.chain.gaps.append(Gap(near, SIZE_LIMIT))
            return False
        if new:
            self.chain.nodes[far] = goods_on(edge.event, far)
        self.chain.edges.append(edge)
        return new


def _nodes(event: Event) -> dict[str, Goods]:
    """Every node an event names."""
    here = [node_key(goods.batch, event.here.site) for goods in event.goods]
    return {key: goods_on(event, key) for key in (*here, *(key for edge in edges(event) for key in edge))}
