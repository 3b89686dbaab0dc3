"""Whether the two accounts of a handoff agree: how much went and came, and which was first. Pure.

Of one batch between two sites all shipments stand against all receipts, so that neither order, parts nor repetition
matter. Every doubt is in favour of agreement: what two sources tell of one event counts once, as either of them tells
it; goods told in two steps, sold and shipped or bought and received, may be the same goods; halves that name no other
side may be part of the handoff; goods sent back may never have been taken in. Where one quantity is unknown or units
differ, quantities are not compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from contracts.fields import day_of
from contracts.findings import FindingKind
from contracts.trace import Step
from services.trace.lineage import UNNAMED
from services.trace.stock.amounts import Amount
from services.trace.truth.statements import CLOCKS, MOST_EVENTS, moment, shown
from services.trace.watch import terms
from services.trace.watch.handoffs import Edges, Half, Handoff, by_time, edges_of, one_of
from services.trace.watch.terms import Duty


class Discrepancy(NamedTuple):
    """What is wrong with a handoff. `owed` are halves that the other side's do not answer, for which it had the time of
    `duty`; where both sides gave account, `events` show it, the owed ones first, with figures as a `Finding` has them.
    """

    kind: FindingKind
    duty: Duty
    owed: tuple[Half, ...]
    events: tuple[str, ...] = ()
    allowed: str | None = None
    told: str | None = None
    tolerance: str | None = None


def discrepancies(handoffs: Iterable[Handoff]) -> dict[str, list[Discrepancy]]:
    """By id of a handoff, what does not agree; all handoffs of a batch have to be given.

    Handoffs that are one since the registry merged their sites have theirs under the first of their ids.
    """
    found = (of_edge for edges in edges_of(handoffs) for of_edge in _of_batch(edges))
    return {id: differing for id, differing in found if differing}


def _of_batch(edges: Edges) -> Iterator[tuple[str, list[Discrepancy]]]:
    for (tail, head), rows in edges.items():
        edge = one_of(rows)
        if UNNAMED not in (tail, head) and edge.shipped and edge.received:
            loose = [*edges.get((tail, UNNAMED), ()), *edges.get((UNNAMED, head), ())]
            widest, back = one_of([edge, *loose]), _sent_back(edges.get((head, tail), ()))
            quantities = widest._replace(received=widest.received | back)
            yield min(row.id for row in rows), [*_by_quantity(edge, quantities), *_by_day(edge, widest)]


def _sent_back(rows: Iterable[Handoff]) -> frozenset[Half]:
    return frozenset(half for row in rows for half in row.shipped if half.step is Step.RETURNING)


# How much


def _by_quantity(edge: Handoff, widest: Handoff) -> Iterator[Discrepancy]:
    """`widest` is the edge with the halves that may be part of it."""
    units = {half.unit for half in widest.halves}
    if len(units) > 1 or any(half.quantity is None for half in widest.halves):
        return
    unit = units.pop()
    share = terms.tolerance(day_of(edge.first.time), edge.categories, unit)
    came, went = _most(widest.received), _most(widest.shipped)
    measured = f"{(share * 100).normalize():f}%"
    if short := _beyond(edge.shipped, came, 1 - share):
        least = Amount(_sum(short) * (1 - share), unit)
        figures = f"≥ {shown(least)}", shown(Amount(came, unit)), measured
        yield Discrepancy(FindingKind.QUANTITY_MISMATCH, Duty.RECEIPT, short, _events(short, edge.received), *figures)
    if over := _beyond(edge.received, went * (1 + share)):
        most = Amount(went * (1 + share), unit)
        figures = f"≤ {shown(most)}", shown(Amount(_sum(over), unit)), measured
        yield Discrepancy(FindingKind.QUANTITY_MISMATCH, Duty.SHIPMENT, over, _events(over, edge.shipped), *figures)


def _beyond(halves: Iterable[Half], covered: Decimal, share: Decimal = Decimal(1)) -> tuple[Half, ...]:
    """The halves of one step, by time, up to the first for which a share of their sum is more than is covered.

    Their sum only grows, so what comes later than that half owes no less; none if it never is.
    """
    told: dict[Step, list[Half]] = defaultdict(list)
    sums: dict[Step, Decimal] = defaultdict(Decimal)
    for half, same in _accounts(halves):
        least = min(map(_quantity, same))
        told[half.step].append(half._replace(quantity=least))
        sums[half.step] += least
        if sums[half.step] * share > covered:
            return tuple(told[half.step])
    return ()


def _most(halves: Iterable[Half]) -> Decimal:
    return sum((max(map(_quantity, same)) for _, same in _accounts(halves)), Decimal(0))


def _accounts(halves: Iterable[Half]) -> list[tuple[Half, list[Half]]]:
    """Of each event the last account and all of them, in order of those last ones."""
    found: dict[str, list[Half]] = defaultdict(list)
    for half in sorted(halves, key=by_time):
        found[half.happened].append(half)
    return sorted(((same[-1], same) for same in found.values()), key=lambda told: by_time(told[0]))


def _sum(halves: Iterable[Half]) -> Decimal:
    return sum(map(_quantity, halves), Decimal(0))


def _quantity(half: Half) -> Decimal:
    assert half.quantity is not None
    return half.quantity


# Which was first


def _by_day(edge: Handoff, widest: Handoff) -> Iterator[Discrepancy]:
    """Goods received before the day on which the first were shipped: many papers carry no more than a day."""
    first = min(widest.shipped, key=by_time)
    early = [half for half, _ in _accounts(edge.received) if _is_before(half, first)][:1]
    if early:
        figures = f"≥ {moment(first.time)}", moment(early[0].time), "same day"
        yield Discrepancy(
            FindingKind.RECEIVED_BEFORE_SHIPPED, Duty.SHIPMENT, tuple(early), _events(early, [first]), *figures
        )


def _is_before(received: Half, shipped: Half) -> bool:
    return day_of(received.time) < day_of(shipped.time) and shipped.time - received.time > CLOCKS


def _events(owed: Iterable[Half], others: Iterable[Half]) -> tuple[str, ...]:
    told = (*owed, *sorted(others, key=by_time))
    return tuple(dict.fromkeys(half.event for half in told))[:MOST_EVENTS]
