"""What a recall would have to bring back: where each part of a batch's goods is, and how much that covers. Pure.

A portion stands at a node of the forward chain. Goods turned into another batch are that batch's affair: it is in the
chain too. What nobody can locate stands, as such, with its last holder (domain: "Answers about stock and recall").
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from contracts.trace import Step
from services.trace.amounts import NOTHING, Amount, moved, total
from services.trace.chain import UNKNOWN_DESTINATION, Chain, is_unnamed
from services.trace.lineage import Event, Flow, flows, split


class Fate(StrEnum):
    """What became of a portion."""

    HELD = "held"
    IN_TRANSIT = "in_transit"
    PROCESSED = "processed"
    CONSUMED = "consumed"
    DESTROYED = "destroyed"
    OUTSIDE = "outside"
    UNLOCATED = "unlocated"


TO_BRING_BACK: Final = frozenset({Fate.HELD, Fate.IN_TRANSIT, Fate.OUTSIDE, Fate.UNLOCATED})
"""What a recall is still in time for."""


class Portion(NamedTuple):
    """Goods of one fate at a node (`batch@site`); the amount is None where no account gives it in one unit."""

    node: str
    fate: Fate
    amount: Amount | None


class Coverage(NamedTuple):
    """Of one batch: what began in the chain, and how much of it is located; None where units or accounts fail."""

    batch: str
    produced: Amount | None
    located: Amount | None

    @property
    def share(self) -> Fraction | None:
        """Located of produced, at most 1; None when either is not known."""
        if not self.produced or not self.located or self.produced.quantity <= 0:
            return None
        return min(Fraction(self.located.quantity) / Fraction(self.produced.quantity), Fraction(1))


def portions(chain: Chain, events: Iterable[Event]) -> list[Portion]:
    """Every portion at the named nodes of a forward chain; all events of those nodes have to be given."""
    by_node: dict[str, list[Flow]] = defaultdict(list)
    for event in events:
        for flow in flows(event):
            by_node[flow.node].append(flow)
    lost = {gap.node for gap in chain.gaps if gap.kind == UNKNOWN_DESTINATION}
    named = [key for key in chain.nodes if not is_unnamed(key)]
    return [portion for key in named for portion in _at(key, by_node[key], chain, key in lost)]


def _at(key: str, node: Sequence[Flow], chain: Chain, lost: bool) -> Iterator[Portion]:
    came, went = [flow for flow in node if flow.inward], [flow for flow in node if not flow.inward]
    if chain.place(key).external:
        yield Portion(key, Fate.OUTSIDE, moved(came))
        return
    for fate, some in _ends(went).items():
        yield Portion(key, fate, total(some))
    if lost:
        yield Portion(key, Fate.UNLOCATED, total([flow for flow in went if _to_nobody_known(flow)]))
    left = _left(came, went)
    if left is None or left.quantity > 0:
        yield Portion(key, _standing(came) if left else Fate.UNLOCATED, left)


def _ends(went: Sequence[Flow]) -> dict[Fate, list[Flow]]:
    """Outward flows that end here, by what ended them."""
    ended: dict[Fate, list[Flow]] = defaultdict(list)
    for flow in went:
        if flow.event.step is Step.DESTROYING:
            ended[Fate.DESTROYED].append(flow)
        elif flow.consumed:
            ended[Fate.CONSUMED].append(flow)
        elif not flow.handoff:
            ended[Fate.PROCESSED].append(flow)
    return ended


def _to_nobody_known(flow: Flow) -> bool:
    return flow.handoff and flow.own and not flow.consumed and not flow.event.there.site


def _standing(came: Sequence[Flow]) -> Fate:
    """Goods that only their sender told of are on their way."""
    return Fate.HELD if any(flow.own for flow in came) else Fate.IN_TRANSIT


def _left(came: Sequence[Flow], went: Sequence[Flow]) -> Amount | None:
    """What came less what went; None when one is not known or they have different units."""
    more, less = moved(came), moved(went)
    if not came or more is None or less is None or (less != NOTHING and more.unit != less.unit):
        return None
    return Amount(more.quantity - less.quantity, more.unit)


def coverage(found: Sequence[Portion], produced: Amount | None, batch: str) -> Coverage:
    """How much of a batch's goods the portions locate."""
    located = [each.amount for each in found if split(each.node)[0] == batch and each.fate is not Fate.UNLOCATED]
    known = [amount for amount in located if amount is not None]
    units = {amount.unit for amount in known if amount != NOTHING}
    if len(known) < len(located) or len(units) > 1:
        return Coverage(batch, produced, None)
    sum_of = sum((amount.quantity for amount in known), Decimal(0))
    return Coverage(batch, produced, Amount(sum_of, units.pop() if units else None))
