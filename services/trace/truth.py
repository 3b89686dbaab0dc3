"""Truth checks over recorded events (domain: "Truth checks that peers lack"): each a definition, none a refusal. Pure.

What they find comes with its evidence: the events, the figures that do not agree, and the tolerance they were
measured with. Goods in a unit that cannot be converted are out of every balance.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.fields import SHANGHAI
from contracts.trace import Category, Step
from services.trace.amounts import Amount, moved, total_of
from services.trace.lineage import TRANSFORMS, Event, Flow, flows, node_key


class Doubt(StrEnum):
    """What does not look true."""

    MORE_OUT_THAN_IN = "more_out_than_in"
    YIELD_OUT_OF_RANGE = "yield_out_of_range"
    LEFT_BEFORE_IT_CAME = "left_before_it_came"
    RECEIVED_BEFORE_SHIPPED = "received_before_shipped"


class Found(NamedTuple):
    """A doubt about a node (`batch@site`), the events that show it, and the two figures that do not agree."""

    doubt: Doubt
    node: str
    events: tuple[str, ...]
    allowed: str
    told: str


TOLERANCE: Final = Decimal("0.05")
"""⚠ Scales and losses: by how much, relative, goods out may exceed goods in."""


class Yield(NamedTuple):
    """How much of its input a process gives, in the same unit; ⚠ all provisional, of the trade's rules of thumb."""

    step: Step
    categories: frozenset[Category]
    least: Decimal
    most: Decimal


_ANY: Final = frozenset(Category)
YIELDS: Final = (
    # Cooking takes up water: rice and noodles up to three times their weight.
    Yield(Step.KITCHEN_USE, _ANY, Decimal("0.3"), Decimal("3.5")),
    Yield(Step.PACKING, _ANY, Decimal("0.8"), Decimal("1.02")),
    # A pig dresses to about 0.7 of its live weight, boned and trimmed less.
    Yield(Step.MAKING, frozenset({Category.MEAT}), Decimal("0.4"), Decimal("1.3")),
    # Ten litres of milk make a kilogram of powder or cheese; soya and brines take up water.
    Yield(Step.MAKING, _ANY, Decimal("0.05"), Decimal("5")),
)


def yield_of(step: Step, category: Category) -> Yield | None:
    """The first row that fits; None for a step that makes nothing of its inputs."""
    return next((row for row in YIELDS if row.step is step and category in row.categories), None)


def unbalanced(events: Iterable[Event]) -> Iterator[Found]:
    """Nodes that more goods left than came to; all events of a node have to be given. Growth begins a node freely."""
    by_node: dict[str, list[Flow]] = defaultdict(list)
    for event in events:
        for flow in flows(event):
            by_node[flow.node].append(flow)
    for node, told in by_node.items():
        came, went = [flow for flow in told if flow.inward], [flow for flow in told if not flow.inward]
        yield from _overdrawn(node, came, went)
        yield from _too_early(node, came, went)


def _overdrawn(node: str, came: Sequence[Flow], went: Sequence[Flow]) -> Iterator[Found]:
    more, less = moved(came), moved(went)
    if not came or not more or not less or more.unit != less.unit:
        return
    allowed = more.quantity * (1 + TOLERANCE)
    if less.quantity > allowed:
        yield Found(Doubt.MORE_OUT_THAN_IN, node, _ids(came, went), _show(Amount(allowed, more.unit)), _show(less))


def _too_early(node: str, came: Sequence[Flow], went: Sequence[Flow]) -> Iterator[Found]:
    """Goods that left a site before the first of them came there."""
    own = [flow for flow in came if flow.own]
    if not own:
        return
    first = min(flow.event.time for flow in own)
    early = [flow for flow in went if flow.own and flow.event.time < first]
    if early:
        earliest = min(flow.event.time for flow in early)
        yield Found(Doubt.LEFT_BEFORE_IT_CAME, node, _ids(own, early), _moment(first), _moment(earliest))


def out_of_yield(event: Event) -> Iterator[Found]:
    """A process that gave more or less of its inputs than it can. Mixed units are out of it."""
    if event.step not in TRANSFORMS or not event.inputs or not event.outputs:
        return
    used, made = total_of(event.inputs), total_of(event.outputs)
    row = yield_of(event.step, event.outputs[0].category)
    if not row or not used or not made or used.unit != made.unit or not used.quantity:
        return
    if not row.least <= made.quantity / used.quantity <= row.most:
        allowed = f"{_show(used._replace(quantity=used.quantity * row.least))} - {used.quantity * row.most:f}"
        node = node_key(event.outputs[0].batch, event.here.site)
        yield Found(Doubt.YIELD_OUT_OF_RANGE, node, (event.id,), allowed, _show(made))


def out_of_order(shipped: Mapping[str, datetime], received: Mapping[str, datetime], node: str) -> Iterator[Found]:
    """A handoff's receipts, by event id, before the first of its shipments."""
    if not shipped or not received:
        return
    first, came = min(shipped.items(), key=_by_time), min(received.items(), key=_by_time)
    if came[1] < first[1]:
        yield Found(Doubt.RECEIVED_BEFORE_SHIPPED, node, (first[0], came[0]), _moment(first[1]), _moment(came[1]))


def _by_time(told: tuple[str, datetime]) -> tuple[datetime, str]:
    return told[1], told[0]


def _ids(*sides: Sequence[Flow]) -> tuple[str, ...]:
    """The events behind flows, once each, the earliest first."""
    told = {flow.event.id: flow.event for side in sides for flow in side}
    return tuple(sorted(told, key=lambda id: (told[id].time, id)))


def _show(amount: Amount) -> str:
    return f"{amount.quantity:f} {amount.unit or ''}".strip()


def _moment(time: datetime) -> str:
    return time.astimezone(SHANGHAI).isoformat()
