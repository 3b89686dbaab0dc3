"""What a walk found: nodes, edges and ids of events, bare; what is told of them is fetched for what is shown. Pure.

A walk gives `nodes`, `edges`, `events` (ids only), `gaps`. Then `Walk.tell(ids)` fetches events: `told` has them,
`place(key)` and `goods(key)` answer from them and from the registry. `ids_around(keys)` are the ids to tell of for a
page; all of it is `Walk.tell(chain.events)`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.trace import Category
from services.trace.lineage import UNNAMED, Event, Goods, Place, goods_on, node_key, split


class Direction(StrEnum):
    """Backward to the sources, forward to the holders."""

    BACKWARD = "backward"
    FORWARD = "forward"


Edge = tuple[str, str, str]
"""Goods on their way: tail, head, and the id of the event that tells it. The two halves of a handoff are two edges."""


class Shown(NamedTuple):
    """An edge with the event that tells it, and the event's goods at its tail."""

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
TIME_LIMIT: Final = "time_limit"
"""The chain breaks off, but events outside the asked time were left out."""

GROWN: Final = frozenset({Category.VEGETABLE, Category.FRUIT, Category.AQUATIC, Category.GRAIN})
"""What a farm sells as it grew. Meat is none: a slaughterhouse comes first, and animals have records."""


@dataclass
class Chain:
    """A walk's nodes, edges and event ids; `expanded` nodes were walked through, at `made` ones goods rightly begin.

    `nodes` maps each node to its hops from a start, in the order of pages: by hops, then by key. `via` is the event
    that reached a node earliest (backward: latest); a start's, one that names it. `outside` are the sites, not known
    to the registry, that an event says lie outside the province, documented. `witnesses` saw goods of the start on
    their way (`lineage.PASSING`), by the event that tells so: no nodes, for nothing stands there.
    """

    batch: str
    direction: Direction
    starts: list[str] = field(default_factory=list)
    nodes: dict[str, int] = field(default_factory=dict)
    via: dict[str, str] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)
    expanded: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    told: dict[str, Event] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    witnesses: dict[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> list[str]:
        """Nodes, and those of `witnesses`: whoever stands at one has to do with the goods."""
        return [*self.nodes, *self.witnesses]

    def place(self, key: str) -> Place:
        """Where a node stands, as far as was told."""
        site = split(key)[1]
        return self.places.get(site) or Place(site)

    def goods(self, key: str) -> Goods:
        """A node's goods in the event that reached it, as far as was told."""
        event = self.told.get(self.via.get(key, ""))
        return goods_on(event, key) if event else Goods(split(key)[0])

    def is_outside(self, key: str) -> bool:
        """Whether the node stands outside the province; known without telling."""
        return split(key)[1] in self.outside

    def shown(self, edge: Edge) -> Shown:
        """An edge whose event was told."""
        event = self.told[edge[2]]
        return Shown(edge[0], edge[1], event, goods_on(event, edge[0]))

    def ends(self, edge: Edge) -> tuple[str, str]:
        """Near and far end of an edge, as walked."""
        return (edge[0], edge[1]) if self.direction is Direction.FORWARD else (edge[1], edge[0])

    def reaching(self, keys: Collection[str]) -> Iterator[Edge]:
        """Edges that reach these nodes, as walked."""
        far, wanted = 1 if self.direction is Direction.FORWARD else 0, set(keys)
        return (edge for edge in self.edges if edge[far] in wanted)

    def ids_around(self, keys: Collection[str]) -> set[str]:
        """Ids of the events that show these nodes: those that reached them, a start's or a witness's own."""
        own = {self.witnesses.get(key) or self.via[key] for key in keys}
        return own | {id for _, _, id in self.reaching(frozenset(keys))}

    def page(self, after: str, size: int) -> list[str]:
        """So many nodes after this one, which need not be there any more (`position` tells it)."""
        hops, _, key = after.partition(" ")
        behind = (int(hops), key) if after else (-1, "")
        return [key for key, far in self.nodes.items() if (far, key) > behind][:size]

    def position(self, key: str) -> str:
        """A node's place in the order of pages, for `page`."""
        return f"{self.nodes[key]} {key}"


AT_NOBODY: Final = node_key("", UNNAMED)
"""What the key of a meeting place ends with."""


def is_unnamed(key: str) -> bool:
    """Whether the node is a meeting place for halves that don't name their other side."""
    return key.endswith(AT_NOBODY)
