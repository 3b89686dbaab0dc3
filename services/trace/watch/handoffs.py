"""Handoffs: which half of an edge between two sites came, and which is missing (domain: "Words"). Pure.

A handoff is one batch from one site to another. Halves that do not name their other side meet others as they do in a
walk (`halves.answered`): first those of the other side that nothing else explains, then each other by batch alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from contracts.findings import FindingKind
from contracts.trace import Category, Lot, Party, Record, Step
from services.trace.entry import Entry
from services.trace.lineage import HANDOVERS, TAKEOVERS, UNNAMED, site_of


class Half(NamedTuple):
    """One side's account: its event, and its goods of the batch in that.

    `quantity` is None where a unit cannot be converted or the units of several lots differ; `external` says that the
    other side is a documented origin or destination outside the province.
    """

    time: datetime
    event: str
    step: Step
    category: Category = Category.OTHER
    quantity: Decimal | None = None
    unit: str | None = None
    external: bool = False

    @property
    def happened(self) -> str:
        """What it tells of: a second source's doubtful report of one event bears the same (`entry.candidate_ids`)."""
        return self.event.partition(":")[0]


def by_time(half: Half) -> tuple[datetime, str]:
    """Order of halves."""
    return half.time, half.event


class Handoff(NamedTuple):
    """A batch on its way from `tail` to `head`, sites of which one may be unnamed."""

    id: str
    batch: str
    tail: str
    head: str
    shipped: frozenset[Half] = frozenset()
    received: frozenset[Half] = frozenset()
    look_at: datetime | None = None

    @property
    def halves(self) -> frozenset[Half]:
        """Both sides' accounts; none when every event was withdrawn."""
        return self.shipped | self.received

    @property
    def categories(self) -> frozenset[Category]:
        """Categories of its goods."""
        return frozenset(half.category for half in self.halves)

    @property
    def settled(self) -> bool:
        """Whether nothing is to be asked of it: a documented border, a site that merged with the other, no event."""
        return self.tail == self.head or not self.halves or any(half.external for half in self.halves)

    @property
    def lacks(self) -> FindingKind | None:
        """What is wrong when no other half answers: nothing, once both came."""
        if self.settled or (self.shipped and self.received):
            return None
        return FindingKind.OVERDUE_SHIPMENT if self.shipped else FindingKind.UNKNOWN_SOURCE

    @property
    def first(self) -> Half:
        """The first half that came."""
        return min(self.shipped or self.received, key=by_time)


class Told(NamedTuple):
    """What one event says of one handoff."""

    batch: str
    tail: str
    head: str
    handed_over: bool
    half: Half

    @property
    def id(self) -> str:
        """The handoff's; no part of it holds an "@"."""
        return f"{self.batch}@{self.tail}@{self.head}"

    @property
    def loose(self) -> bool:
        """Whether the other side is not named."""
        return UNNAMED in (self.tail, self.head)


def told(entry: Entry) -> Iterator[Told]:
    """The handoffs of an event about to be recorded. What is sold to consumers is handed to nobody."""
    record = entry.record
    over = record.step in HANDOVERS
    if (not over and record.step not in TAKEOVERS) or _to_consumers(record):
        return
    here, there = record.site.site or "", site_of(record.counterparty)
    tail, head = (here, there) if over else (there, here)
    lots = record.outputs or record.inputs if over else record.inputs or record.outputs
    external = bool(record.counterparty and record.counterparty.external and not entry.there)
    for lot in _once_each(lots) if tail != head else ():
        half = Half(record.time, entry.id, record.step, lot.category, lot.quantity, lot.unit, external)
        yield Told(lot.batch, tail, head, over, half)


def _once_each(lots: Sequence[Lot]) -> Sequence[Lot]:
    """Lots of one batch in one record as one lot: with the sum, where all of them can be added."""
    if len(lots) < 2:
        return lots
    merged: dict[str, Lot] = {}
    for lot in lots:
        merged[lot.batch] = _added(merged[lot.batch], lot) if lot.batch in merged else lot
    return [*merged.values()]


def _added(one: Lot, other: Lot) -> Lot:
    if one.quantity is None or other.quantity is None or one.unit != other.unit:
        return one.model_copy(update={"quantity": None, "unit": None})
    return one.model_copy(update={"quantity": one.quantity + other.quantity})


def _to_consumers(record: Record) -> bool:
    return record.step is Step.SELLING and record.counterparty in (None, NOBODY)


NOBODY: Final = Party()


def unanswered(handoffs: Iterable[Handoff]) -> dict[str, FindingKind]:
    """By id, what is wrong with those handoffs that lack a half; all handoffs of a batch have to be given."""
    return {id: kind for edges in edges_of(handoffs) for id, kind in _of_batch(edges)}


Ends = tuple[str, str]
Edges = Mapping[Ends, Sequence[Handoff]]
"""The handoffs of one batch by their two sites, of which some may be one since the registry merged them."""


def edges_of(handoffs: Iterable[Handoff]) -> Iterable[Edges]:
    """The handoffs of which something may be asked, by batch."""
    batches: dict[str, dict[Ends, list[Handoff]]] = defaultdict(lambda: defaultdict(list))
    for handoff in handoffs:
        if not handoff.settled:
            batches[handoff.batch][handoff.tail, handoff.head].append(handoff)
    return batches.values()


def _of_batch(edges: Edges) -> Iterator[tuple[str, FindingKind]]:
    merged = {ends: one_of(told) for ends, told in edges.items()}
    left = [_left(merged, side) for side in (0, 1)]
    answered = {ends for side in (0, 1) for ends in _answered(merged, side)}
    for ends, edge in merged.items():
        if edge.lacks and ends not in answered and not _met(ends, left):
            yield from ((handoff.id, edge.lacks) for handoff in edges[ends])


def one_of(told: Sequence[Handoff]) -> Handoff:
    """Handoffs that are one since the registry merged their sites."""
    return told[0]._replace(
        shipped=frozenset[Half]().union(*(each.shipped for each in told)),
        received=frozenset[Half]().union(*(each.received for each in told)),
    )


Merged = Mapping[Ends, Handoff]


def _loose(merged: Merged, side: int) -> dict[str, int]:
    """By site, how many halves of its own name no other side (0: its shipments, 1: its receipts)."""
    return {
        ends[side]: _count(edge.received if side else edge.shipped)
        for ends, edge in merged.items()
        if ends[1 - side] == UNNAMED
    }


def _count(halves: Iterable[Half]) -> int:
    """What two sources tell of one event counts once."""
    return len({half.happened for half in halves})


def _left(merged: Merged, side: int) -> dict[str, int]:
    """By site, how many of its loose halves nothing of the other side's explains."""
    left = _loose(merged, side)
    for ends, edge in merged.items():
        if UNNAMED not in ends and ends[side] in left:
            told = _count(edge.shipped), _count(edge.received)
            left[ends[side]] -= max(0, told[1 - side] - told[side])
    return {site: count for site, count in left.items() if count > 0}


def _answered(merged: Merged, side: int) -> Iterator[Ends]:
    """Edges that only the other side told by name, answered by this side's loose halves, the earliest first."""
    loose = _loose(merged, side)
    waiting = [
        (min(map(by_time, told)), ends) for ends, edge in merged.items() if (told := _only_other_side(edge, side))
    ]
    for _, ends in sorted(waiting):
        if UNNAMED not in ends and loose.get(ends[side], 0) > 0:
            loose[ends[side]] -= 1
            yield ends


def _only_other_side(edge: Handoff, side: int) -> frozenset[Half]:
    own, other = (edge.received, edge.shipped) if side else (edge.shipped, edge.received)
    return frozenset() if own else other


def _met(ends: Ends, left: Sequence[Mapping[str, int]]) -> bool:
    """Whether a loose half is explained, or may meet one of somebody else's by batch alone."""
    if UNNAMED not in ends:
        return False
    side = 1 if ends[0] == UNNAMED else 0
    return ends[side] not in left[side] or any(site != ends[side] for site in left[1 - side])
