"""Sums of goods: one unit, nothing guessed. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from services.trace.lineage import Flow, Goods


class Amount(NamedTuple):
    """A quantity in one unit; nothing has no unit."""

    quantity: Decimal
    unit: str | None


NOTHING: Final = Amount(Decimal(0), None)


def moved(node: Sequence[Flow]) -> Amount | None:
    """Goods that moved one way. Of a handoff both sides may tell: the larger account counts, never their sum."""
    own = total([flow for flow in node if flow.handoff and flow.own])
    others = total([flow for flow in node if flow.handoff and not flow.own])
    return _sum([total([flow for flow in node if not flow.handoff]), _larger(own, others)])


def _larger(own: Amount | None, others: Amount | None) -> Amount | None:
    if own is None or others is None:
        return (own or others) if (own or others) != NOTHING else None
    if own.unit != others.unit and NOTHING not in (own, others):
        return None
    return max(own, others, key=lambda amount: amount.quantity)


def total(node: Sequence[Flow]) -> Amount | None:
    """Sum over flows; None when a quantity is not known or the units differ."""
    return total_of([flow.goods for flow in node])


def total_of(lots: Iterable[Goods]) -> Amount | None:
    """Sum over goods; None when a quantity is not known or the units differ."""
    return _sum([_amount(goods) for goods in lots])


def _amount(goods: Goods) -> Amount | None:
    return None if goods.quantity is None else Amount(goods.quantity, goods.unit)


def _sum(amounts: Sequence[Amount | None]) -> Amount | None:
    known = [amount for amount in amounts if amount is not None]
    units = {amount.unit for amount in known if amount != NOTHING}
    if len(known) < len(amounts) or len(units) > 1:
        return None
    return Amount(sum((amount.quantity for amount in known), Decimal(0)), units.pop() if units else None)
