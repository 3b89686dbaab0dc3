"""Who sees what of a chain (domain: "Privacy"). Pure.

A regulator sees all of its division and, of a chain that touches it, every node: beyond its division operator,
place, time and documents, but no quantities. An operator sees its own nodes and one hop up and down.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chassis.caller import Caller
from services.trace.chain import Chain, Edge
from services.trace.holders import Holder
from services.trace.lineage import Goods, Place

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


def visible(chain: Chain, caller: Caller) -> Chain | None:
    """The chain as the caller may see it; None when it touches nothing of the caller's."""
    if not any(owns(caller, chain.place(key)) for key in chain.nodes):
        return None
    return replace(chain, edges=[_visible_edge(edge, chain, caller) for edge in chain.edges])


def _visible_edge(edge: Edge, chain: Chain, caller: Caller) -> Edge:
    own = owns(caller, chain.place(edge.tail)) or owns(caller, chain.place(edge.head))
    return edge if own else edge._replace(goods=without_quantity(edge.goods))


def visible_holder(holder: Holder, chain: Chain, caller: Caller) -> Holder:
    """A holder without its quantity where that is not the caller's affair."""
    return holder if owns(caller, chain.place(holder.node)) else holder._replace(quantity=None, unit=None)


def without_quantity(goods: Goods) -> Goods:
    """The goods, but not how much."""
    return goods._replace(quantity=None, unit=None)
