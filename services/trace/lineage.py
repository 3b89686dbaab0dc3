"""What one event says of the chain: nodes, edges and flows of goods (design: "Stores"). Pure.

A node is a batch at a site, written `batch@site`. Custody moves a batch from one site to another; lineage joins
batches at one site. A shipment and its receipt make the same edge. Where a record does not say who the other side
is, its node is `batch@`: there the two halves of a handoff may meet.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from itertools import product
from typing import Final, NamedTuple

from contracts.trace import Category, Link, Party, Step

HANDOVERS: Final = frozenset({Step.SHIPPING, Step.SELLING, Step.RETURNING})
TAKEOVERS: Final = frozenset({Step.RECEIVING, Step.PURCHASE})
HANDOFFS: Final = HANDOVERS | TAKEOVERS
TRANSFORMS: Final = frozenset(
    {Step.FARMING, Step.HARVEST, Step.SLAUGHTER, Step.MAKING, Step.PACKING, Step.UNPACKING, Step.KITCHEN_USE}
)
STAYS: Final = frozenset({Step.STORING, Step.TRANSPORT, Step.CHECKPOINT, Step.RETAINED_SAMPLE, Step.CLEANING})
"""Goods that such a step names are where they were. Cleaning a line names none as a rule."""

PASSING: Final = frozenset({Step.TRANSPORT, Step.CHECKPOINT})
"""Goods are on their way: who tells such a step does not hold them."""

UNNAMED: Final = ""


class Goods(NamedTuple):
    """Goods of one batch in one event; `quantity` is None where its unit cannot be converted."""

    batch: str
    quantity: Decimal | None = None
    unit: str | None = None
    product: str | None = None
    category: Category = Category.OTHER


class Place(NamedTuple):
    """A site as far as events or the registry tell. An `external` one lies outside the province, documented."""

    site: str = UNNAMED
    name: str | None = None
    operator: str | None = None
    operator_name: str | None = None
    division: str | None = None
    link: Link | None = None
    contact: str | None = None
    external: bool = False


class Event(NamedTuple):
    """The part of a recorded event that a walk needs; `there` is the counterparty's place."""

    id: str
    step: Step
    time: datetime
    here: Place
    there: Place = Place()
    inputs: tuple[Goods, ...] = ()
    outputs: tuple[Goods, ...] = ()
    document: str | None = None

    @property
    def goods(self) -> tuple[Goods, ...]:
        """Inputs, then outputs."""
        return (*self.inputs, *self.outputs)


class Flow(NamedTuple):
    """Goods into or out of a node. `own` flows are told by the node's own site, the others by its counterparty."""

    node: str
    inward: bool
    own: bool
    handoff: bool
    consumed: bool
    goods: Goods
    event: Event

    @property
    def other(self) -> str:
        """The site on the other end of a handoff; unnamed where the telling side names none."""
        return (self.event.there if self.own else self.event.here).site


def node_key(batch: str, site: str) -> str:
    """`batch@site`; neither holds an "@"."""
    return f"{batch}@{site}"


def split(key: str) -> tuple[str, str]:
    """Batch and site of a node."""
    batch, _, site = key.rpartition("@")
    return batch, site


def site_of(party: Party | None) -> str:
    """The site a counterparty's node stands at: unnamed, or of its own for an external party without an id."""
    if party is None:
        return UNNAMED
    if party.site or not party.external:
        return party.site or UNNAMED
    told = f"{party.name}|{party.address}|{party.division}"
    return f"external:{sha256(told.encode()).hexdigest()[:12]}"


def edges_of(step: Step, here: str, there: str, inputs: Sequence[str], outputs: Sequence[str]) -> list[tuple[str, str]]:
    """Edges (from node, to node) of an event at site `here`; inputs and outputs are batches.

    A receipt under a new batch code is a custody edge and, at the receiver, a lineage edge. Destroying and the steps
    that `STAYS` names make none.
    """
    if step in TRANSFORMS:
        return [(node_key(a, here), node_key(b, here)) for a in inputs for b in outputs if a != b]
    if step not in HANDOFFS:
        return []
    inputs, outputs = inputs or outputs, outputs or inputs
    renamed = [(node_key(a, here), node_key(b, here)) for a, b in _renamings(inputs, outputs)]
    if step in HANDOVERS:
        return [*renamed, *((node_key(b, here), node_key(b, there)) for b in outputs)]
    return [*((node_key(a, there), node_key(a, here)) for a in inputs), *renamed]


def _renamings(inputs: Sequence[str], outputs: Sequence[str]) -> list[tuple[str, str]]:
    """Which batch goes on under which code: line by line where the counts agree, else any to any.

    Where codes only come, or only go, they come of, or go into, all the others.
    """
    if inputs == outputs:
        return []
    old = [batch for batch in inputs if batch not in outputs]
    new = [batch for batch in outputs if batch not in inputs]
    if len(old) == len(new):
        return list(zip(old, new, strict=True))
    return list(product(old or inputs, new or outputs))


def ends_of(
    step: Step, here: str, there: str, inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Nodes an event is found by: walking forward by the first list, walking backward by the second."""
    if step in HANDOFFS and inputs == outputs:
        sender, receiver = (here, there) if step in HANDOVERS else (there, here)
        return _nodes(inputs, sender), _nodes(outputs, receiver)
    if step in HANDOFFS:
        edges = edges_of(step, here, there, inputs, outputs)
        return list(dict.fromkeys(tail for tail, _ in edges)), list(dict.fromkeys(head for _, head in edges))
    if step in STAYS:
        inputs = outputs = [*inputs, *outputs]
    if step is Step.DESTROYING:
        inputs, outputs = [*inputs, *outputs], []
    return _nodes(inputs, here), _nodes(outputs, here)


def pairs_of(
    step: Step, here: str, there: str, inputs: Sequence[str], outputs: Sequence[str], ends: tuple[list[str], list[str]]
) -> list[int]:
    """Edges as positions in the event's `ends_of` (tail, head, tail, …), where those alone do not tell: else empty."""
    if (step in HANDOFFS and inputs == outputs) or step in STAYS:
        return []
    tails, heads = ends
    told = [edge for edge in dict.fromkeys(edges_of(step, here, there, inputs, outputs)) if edge[0] != edge[1]]
    if {edge for edge in edges_in(tails, heads) if edge[0] != edge[1]} == set(told):
        return []
    return [place for tail, head in told for place in (tails.index(tail), heads.index(head))]


def edges_in(
    inputs: Sequence[str], outputs: Sequence[str], pairs: Sequence[int] | None = None
) -> list[tuple[str, str]]:
    """Edges of a stored event: as its `pairs` tell; else one by one, or each with each where the counts differ."""
    if pairs:
        return [(inputs[tail], outputs[head]) for tail, head in zip(pairs[::2], pairs[1::2], strict=True)]
    if len(inputs) == len(outputs):
        return list(zip(inputs, outputs, strict=True))
    return list(product(inputs, outputs))


def day_of(time: datetime) -> int:
    """Days from 1970 to an aware time, in Shanghai: UTC+8 all year since 1991."""
    return (int(time.timestamp()) + 8 * 3600) // 86_400


def _nodes(batches: Sequence[str], site: str) -> list[str]:
    return [node_key(batch, site) for batch in dict.fromkeys(batches)]


def edges(event: Event) -> list[tuple[str, str]]:
    """`edges_of` an event, each once and none from a node to itself."""
    found = edges_of(
        event.step,
        event.here.site,
        event.there.site,
        [goods.batch for goods in event.inputs],
        [goods.batch for goods in event.outputs],
    )
    return [edge for edge in dict.fromkeys(found) if edge[0] != edge[1]]


def goods_on(event: Event, node: str) -> Goods:
    """The event's goods of the node's batch."""
    batch = split(node)[0]
    for goods in event.goods:
        if goods.batch == batch:
            return goods
    return Goods(batch)


def flows(event: Event) -> Iterator[Flow]:
    """What an event brings to nodes and takes from them. A retained sample takes nothing: it still stands there."""
    if event.step in HANDOFFS:
        yield from _handoff_flows(event)
    elif event.step not in STAYS:
        gone = event.inputs or event.outputs if event.step is Step.DESTROYING else event.inputs
        made = () if event.step is Step.DESTROYING else event.outputs
        for inward, lots in ((False, gone), (True, made)):
            for goods in lots:
                key = node_key(goods.batch, event.here.site)
                yield Flow(key, inward, True, False, not made, goods, event)


def _handoff_flows(event: Event) -> Iterator[Flow]:
    consumed = sold_to_consumers(event)
    for edge in edges(event):
        sites = [split(key)[1] for key in edge]
        goods = goods_on(event, edge[0])
        for key, inward in zip(edge, (False, True), strict=True):
            own = split(key)[1] == event.here.site
            yield Flow(key, inward, own, sites[0] != sites[1], consumed and not inward, goods, event)


def sold_to_consumers(event: Event) -> bool:
    """A sale that names nobody: its goods are eaten, as far as the law asks a retailer to know."""
    return event.step is Step.SELLING and event.there == Place()
