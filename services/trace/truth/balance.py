"""Goods that left a site without having come, or before; processes that gave more than they can. Pure.

A node is a batch at a site. Goods in a unit that cannot be converted, or in several units, are out of every balance.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from contracts.findings import FindingKind
from contracts.trace import Category, Step
from services.trace.lineage import TRANSFORMS, Event, Flow, split
from services.trace.stock.amounts import Amount, moved, total_of
from services.trace.truth.returns import sent_back, way_of
from services.trace.truth.statements import Doubt, ids, is_before, last, moment, percent, shown, slack


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
    Yield(Step.UNPACKING, _ANY, Decimal("0.8"), Decimal("1.02")),
    # A pig dresses to about 0.7 of its live weight, a sheep to half; offal counts too.
    Yield(Step.SLAUGHTER, _ANY, Decimal("0.4"), Decimal("1")),
    # Boned and trimmed less; brine and marinade more.
    Yield(Step.MAKING, frozenset({Category.MEAT}), Decimal("0.4"), Decimal("1.3")),
    # Ten litres of milk make a kilogram of powder or cheese; soya and brines take up water.
    Yield(Step.MAKING, _ANY, Decimal("0.05"), Decimal("5")),
)


def yield_of(step: Step, category: Category) -> Yield | None:
    """The first row that fits; None for a step that makes nothing of its inputs."""
    return next((row for row in YIELDS if row.step is step and category in row.categories), None)


def unbalanced(node: str, told: Sequence[Flow]) -> Iterator[Doubt]:
    """What is wrong with a node; all that was moved there has to be given, each event once.

    What nobody says came to it, but what was sent back, is a broken chain, or began there, and no balance. Growth
    begins a node freely.
    """
    came, went = [flow for flow in told if flow.inward], [flow for flow in told if not flow.inward]
    back = sent_back(flow.event for flow in told)
    if brought := [flow for flow in came if not flow.handoff or way_of(flow) not in back]:
        yield from _overdrawn(node, came, went)
        yield from _too_early(node, brought, went)


def _overdrawn(node: str, came: Sequence[Flow], went: Sequence[Flow]) -> Iterator[Doubt]:
    more, less = moved(came), moved(went)
    if not more or not less or more.unit != less.unit:
        return
    allowed = more.quantity * (1 + slack(more.unit))
    if less.quantity > allowed:
        yield _about(
            node,
            FindingKind.MORE_OUT_THAN_IN,
            [flow.event for flow in went],
            [flow.event for flow in came],
            shown(Amount(allowed, more.unit)),
            shown(less),
        )._replace(tolerance=percent(more.unit))


def _too_early(node: str, came: Sequence[Flow], went: Sequence[Flow]) -> Iterator[Doubt]:
    """Goods that by a site's own books left it before the first of them came there."""
    own = [flow.event for flow in came if flow.own]
    if not own:
        return
    first = min(event.time for event in own)
    early = [flow.event for flow in went if flow.own and is_before(flow.event.time, first)]
    if early:
        earliest = min(event.time for event in early)
        yield _about(node, FindingKind.IMPOSSIBLE_TIME, early, own, moment(first), moment(earliest))


def _about(
    node: str, kind: FindingKind, went: Sequence[Event], came: Sequence[Event], allowed: str, told: str
) -> Doubt:
    batch, site = split(node)
    event, shows = last(went), ids([*came, *went])
    return Doubt(kind, event, shows, allowed, told, document=event.document, site=site, batches=(batch,))


def out_of_yield(event: Event) -> Doubt | None:
    """A process that gave more or less of its inputs than it can. Mixed units are out of it."""
    if event.step not in TRANSFORMS or not event.inputs or not event.outputs:
        return None
    used, made = total_of(event.inputs), total_of(event.outputs)
    row = yield_of(event.step, event.outputs[0].category)
    if not row or not used or not made or used.unit != made.unit or not used.quantity:
        return None
    if row.least <= made.quantity / used.quantity <= row.most:
        return None
    bounds = [shown(used._replace(quantity=used.quantity * share)) for share in (row.least, row.most)]
    return Doubt(
        FindingKind.YIELD_OUT_OF_RANGE,
        event,
        (event.id,),
        " - ".join(bounds),
        shown(made),
        f"{row.least.normalize():f} - {row.most.normalize():f}",
        event.document,
        batches=tuple(goods.batch for goods in event.outputs),
    )
