"""Sums of goods: one unit, nothing guessed. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from contracts.trace import Step
from services.trace.lineage import UNNAMED, Flow, Goods


class Amount(NamedTuple):
    """A quantity in one unit; nothing has no unit."""

    quantity: Decimal
    unit: str | None


NOTHING: Final = Amount(Decimal(0), None)


def moved(node: Sequence[Flow]) -> Amount | None:
    """Goods that moved one way, in or out of a node.

    Of a handoff both sides may tell, in one receipt or in parts: with each other site the larger account counts, never
    their sum; so it does of what one side sold and shipped, or bought and received. What the node's site handed over
    to, or took over from, nobody named may be what others tell of beyond that: there too the larger counts. Sales to
    consumers are told by one side only.
    """
    plain = [flow for flow in node if not flow.handoff or flow.consumed]
    own, told = _by_site(node, own=True), _by_site(node, own=False)
    unnamed = _told(own.pop(UNNAMED, []))
    edges = [(_told(own.get(site, [])), _told(told.get(site, []))) for site in {**own, **told}]
    spare = sum_of([_spare(mine, theirs) for mine, theirs in edges])
    kept = [mine if mine is not None else theirs for mine, theirs in edges]
    return sum_of([total(plain), *kept, larger(unnamed, spare)])


def _by_site(node: Sequence[Flow], own: bool) -> dict[str, list[Flow]]:
    """Handoffs that one side tells, by the site on the other end."""
    found: dict[str, list[Flow]] = {}
    for flow in node:
        if flow.handoff and not flow.consumed and flow.own is own:
            found.setdefault(flow.other, []).append(flow)
    return found


def _told(handoffs: Sequence[Flow]) -> Amount | None:
    """What one side tells of another: what is told in two steps may be the same goods. What is sent back is not."""
    steps: dict[Step, list[Flow]] = {}
    for flow in handoffs:
        steps.setdefault(flow.event.step, []).append(flow)
    sent_back = total(steps.pop(Step.RETURNING, []))
    amount: Amount | None = NOTHING
    for flows in steps.values():
        amount = larger(amount, total(flows))
    return plus(sent_back, amount)


def _spare(own: Amount | None, others: Amount | None) -> Amount | None:
    """What others tell beyond a site's own account; where only one side's is known, that one counts."""
    return beyond(others, own) if own and others else NOTHING if (own or others or NOTHING) != NOTHING else None


def plus(one: Amount | None, other: Amount | None) -> Amount | None:
    """Their sum; None when one is not known or their units differ."""
    if one is NOTHING or other is NOTHING:
        return other if one is NOTHING else one
    if one is None or other is None:
        return None
    if one.unit == other.unit:
        return Amount(one.quantity + other.quantity, one.unit)
    if other == NOTHING:
        return one
    return other if one == NOTHING else None


def larger(one: Amount | None, other: Amount | None) -> Amount | None:
    """Of two accounts of the same goods; the one that is known. None when neither is, or their units differ."""
    if one is other:
        return one
    if one is None or other is None:
        known = one or other
        return None if known == NOTHING else known
    if one.unit != other.unit and NOTHING not in (one, other):
        return None
    return one if one.quantity >= other.quantity else other


def beyond(one: Amount | None, other: Amount | None) -> Amount | None:
    """By how much the one exceeds the other, at least nothing; None when either is not known, or their units differ."""
    if other is NOTHING:
        return one
    if one is None or other is None:
        return None
    if one.unit != other.unit and NOTHING not in (one, other):
        return None
    return Amount(one.quantity - other.quantity, one.unit) if one.quantity > other.quantity else NOTHING


def total(node: Sequence[Flow]) -> Amount | None:
    """Sum over flows; None when a quantity is not known or the units differ."""
    return total_of([flow.goods for flow in node])


def total_of(lots: Iterable[Goods]) -> Amount | None:
    """Sum over goods; None when a quantity is not known or the units differ."""
    return sum_of([_amount(goods) for goods in lots])


def _amount(goods: Goods) -> Amount | None:
    return None if goods.quantity is None else Amount(goods.quantity, goods.unit)


def sum_of(amounts: Iterable[Amount | None]) -> Amount | None:
    """Sum of amounts; None when one is not known or the units differ."""
    found: Amount | None = NOTHING
    for amount in amounts:
        found = plus(found, amount)
    return found
