"""Where goods made from a batch stand now, as far as records tell. Pure; driven like `walk`."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from services.trace.lineage import Event, Flow, flows
from services.trace.stock.amounts import Amount, moved, total
from services.trace.walks.chain import Chain, Direction, is_unnamed
from services.trace.walks.start import Start
from services.trace.walks.walk import Request, Walk


class State(StrEnum):
    """What became of the goods at a node. `sold_on`: a part of them went further; the quantity is what is left."""

    HELD = "held"
    SOLD_ON = "sold_on"
    CONSUMED = "consumed"
    UNKNOWN = "unknown"


class Holder(NamedTuple):
    """Goods at a node: what is left there or, when all was consumed, how much that was. `since`: the last to come."""

    node: str
    state: State
    since: Event | None = None
    quantity: Decimal | None = None
    unit: str | None = None


def holders(start: Start) -> Generator[Request, Any, tuple[Chain, list[Holder]]]:
    """Walks forward, then asks what else came to the nodes on the way, so that what went out can be set against it."""
    walk = Walk(start)
    chain = yield from walk.whole()
    walked = [key for key in chain.nodes if key in chain.expanded and not is_unnamed(key)]
    yield from walk.events(Direction.BACKWARD, walked)
    return chain, assess(chain, chain.told.values())


def assess(chain: Chain, events: Iterable[Event]) -> list[Holder]:
    """The nodes of a forward chain that still hold goods, or where the last of them were consumed."""
    by_node: dict[str, list[Flow]] = defaultdict(list)
    for event in events:
        for flow in flows(event):
            by_node[flow.node].append(flow)
    named = (key for key in chain.nodes if not is_unnamed(key))
    found = (_holder(key, by_node[key], chain) for key in named)
    return [holder for holder in found if holder]


def _holder(key: str, node: list[Flow], chain: Chain) -> Holder | None:
    came, went = [flow for flow in node if flow.inward], [flow for flow in node if not flow.inward]
    since = max((flow.event for flow in came), key=lambda event: event.time, default=None)
    if key not in chain.expanded and not chain.place(key).external:
        return Holder(key, State.UNKNOWN, since, *(total(came) or (None, None)))
    if not went:
        return Holder(key, State.HELD, since, *(moved(came) or (None, None)))
    left = _left(came, went)
    if left is None:
        return Holder(key, State.UNKNOWN, since)
    consumed = [flow for flow in went if flow.consumed]
    if left.quantity > 0:
        return Holder(key, State.HELD if consumed == went else State.SOLD_ON, since, *left)
    return Holder(key, State.CONSUMED, since, *(total(consumed) or (None, None))) if consumed else None


def _left(came: Sequence[Flow], went: Sequence[Flow]) -> Amount | None:
    """What came less what went; None when one is not known or they have different units."""
    more, less = moved(came), moved(went)
    if not came or not more or not less or more.unit != less.unit:
        return None
    return Amount(more.quantity - less.quantity, more.unit)
