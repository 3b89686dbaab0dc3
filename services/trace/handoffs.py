"""Handoffs: which half of an edge between two sites came, and which is missing (domain: "Words"). Pure.

A handoff is one batch from one site to another. Halves that do not name their other side meet others as they do in a
walk (`chain.answered`): first those of the other side that nothing else explains, then each other by batch alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from contracts.findings import FindingKind
from contracts.trace import Category, Party, Record, Step
from services.trace.entry import Entry
from services.trace.lineage import HANDOVERS, TAKEOVERS, UNNAMED, site_of


class Half(NamedTuple):
    """One side's account: its event."""

    time: datetime
    event: str


class Handoff(NamedTuple):
    """A batch on its way from `tail` to `head`, sites of which one may be unnamed.

    `external`: closed by a documented origin or destination outside the province.
    """

    id: str
    batch: str
    tail: str
    head: str
    shipped: frozenset[Half] = frozenset()
    received: frozenset[Half] = frozenset()
    categories: frozenset[Category] = frozenset()
    external: bool = False
    look_at: datetime | None = None

    @property
    def lacks(self) -> FindingKind | None:
        """What is wrong when no other half answers: nothing, once both came."""
        if self.external or self.tail == self.head or (self.shipped and self.received):
            return None
        return FindingKind.OVERDUE_SHIPMENT if self.shipped else FindingKind.UNKNOWN_SOURCE

    @property
    def first(self) -> Half:
        """The first half that came."""
        return min(self.shipped or self.received)


class Told(NamedTuple):
    """What one event says of one handoff."""

    batch: str
    tail: str
    head: str
    handed_over: bool
    half: Half
    category: Category
    external: bool

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
    for lot in lots if tail != head else ():
        yield Told(lot.batch, tail, head, over, Half(record.time, entry.id), lot.category, external)


def _to_consumers(record: Record) -> bool:
    return record.step is Step.SELLING and record.counterparty in (None, NOBODY)


NOBODY: Final = Party()


def unanswered(handoffs: Iterable[Handoff]) -> dict[str, FindingKind]:
    """By id, what is wrong with those handoffs that lack a half; all handoffs of a batch have to be given."""
    by_batch: dict[str, list[Handoff]] = defaultdict(list)
    for handoff in handoffs:
        if not handoff.external and handoff.tail != handoff.head:
            by_batch[handoff.batch].append(handoff)
    return {id: kind for batch in by_batch.values() for id, kind in _of_batch(batch)}


def _of_batch(handoffs: Sequence[Handoff]) -> Iterator[tuple[str, FindingKind]]:
    edges: dict[tuple[str, str], list[Handoff]] = defaultdict(list)
    for handoff in handoffs:
        edges[handoff.tail, handoff.head].append(handoff)
    merged = {ends: _merged(told) for ends, told in edges.items()}
    left = [_left(merged, side) for side in (0, 1)]
    answered = {ends for side in (0, 1) for ends in _answered(merged, side)}
    for ends, edge in merged.items():
        if edge.lacks and ends not in answered and not _met(ends, left):
            yield from ((handoff.id, edge.lacks) for handoff in edges[ends])


def _merged(told: Sequence[Handoff]) -> Handoff:
    """Handoffs that are one since the registry merged their sites."""
    return told[0]._replace(
        shipped=frozenset[Half]().union(*(each.shipped for each in told)),
        received=frozenset[Half]().union(*(each.received for each in told)),
    )


Merged = Mapping[tuple[str, str], Handoff]


def _loose(merged: Merged, side: int) -> dict[str, int]:
    """By site, how many halves of its own name no other side (0: its shipments, 1: its receipts)."""
    return {
        ends[side]: len(edge.received if side else edge.shipped)
        for ends, edge in merged.items()
        if ends[1 - side] == UNNAMED
    }


def _left(merged: Merged, side: int) -> dict[str, int]:
    """By site, how many of its loose halves nothing of the other side's explains."""
    left = _loose(merged, side)
    for ends, edge in merged.items():
        if UNNAMED not in ends and ends[side] in left:
            told = len(edge.shipped), len(edge.received)
            left[ends[side]] -= max(0, told[1 - side] - told[side])
    return {site: count for site, count in left.items() if count > 0}


def _answered(merged: Merged, side: int) -> Iterator[tuple[str, str]]:
    """Edges that only the other side told by name, answered by this side's loose halves, the earliest first."""
    loose = _loose(merged, side)
    waiting = [(min(told), ends) for ends, edge in merged.items() if (told := _only_other_side(edge, side))]
    for _, ends in sorted(waiting):
        if UNNAMED not in ends and loose.get(ends[side], 0) > 0:
            loose[ends[side]] -= 1
            yield ends


def _only_other_side(edge: Handoff, side: int) -> frozenset[Half]:
    own, other = (edge.received, edge.shipped) if side else (edge.shipped, edge.received)
    return frozenset() if own else other


def _met(ends: tuple[str, str], left: Sequence[Mapping[str, int]]) -> bool:
    """Whether a loose half is explained, or may meet one of somebody else's by batch alone."""
    if UNNAMED not in ends:
        return False
    side = 1 if ends[0] == UNNAMED else 0
    return ends[side] not in left[side] or any(site != ends[side] for site in left[1 - side])
