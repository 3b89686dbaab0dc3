"""Who sees what of a chain (domain: "Privacy"). Pure.

A regulator sees all of its division and, of a chain that touches it, every node: beyond its division operator,
place, time and documents, but no quantities. An operator sees its own nodes and one hop up and down.
"""

from collections.abc import Callable
from typing import Final

from chassis.caller import Caller
from services.trace.lineage import Goods, Place
from services.trace.walks.chain import Chain, Edge, Shown
from services.trace.walks.holders import Holder

OPERATOR: Final = "operator"
SYSTEM: Final = "system"


def owns(caller: Caller, place: Place) -> bool:
    """Whether the place is the caller's own affair."""
    if caller.role == OPERATOR:
        return place.operator is not None and place.operator == caller.operator_id
    return caller.role == SYSTEM or bool(caller.division and (place.division or "").startswith(caller.division))


def passes(caller: Caller) -> Callable[[Place], bool] | None:
    """What a walk for this caller may go through: an operator's ends one hop from its own sites."""
    return (lambda place: owns(caller, place)) if caller.role == OPERATOR else None


def touches(chain: Chain, caller: Caller) -> bool:
    """Whether anything of the chain, whose events were told, is the caller's."""
    return any(owns(caller, chain.place(key)) for key in chain.seen)


def edges(chain: Chain, caller: Caller) -> list[Shown]:
    """The edges of a chain, whose events were told, as the caller may see them."""
    return [edge(each, chain, caller) for each in chain.edges]


def edge(bare: Edge, chain: Chain, caller: Caller) -> Shown:
    """An edge, whose event was told, as the caller may see it: how much only where an end of it is the caller's."""
    shown = chain.shown(bare)
    own = owns(caller, chain.place(shown.tail)) or owns(caller, chain.place(shown.head))
    return shown if own else shown._replace(goods=without_quantity(shown.goods))


def visible_holder(holder: Holder, chain: Chain, caller: Caller) -> Holder:
    """A holder without its quantity where that is not the caller's affair."""
    return holder if owns(caller, chain.place(holder.node)) else holder._replace(quantity=None, unit=None)


def without_quantity(goods: Goods) -> Goods:
    """The goods, but not how much."""
    return goods._replace(quantity=None, unit=None)
