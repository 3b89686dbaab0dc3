"""Where a walk begins and what bounds it. Pure."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.trace.asks import Bounds, EventsCiting, EventsOf, EventsOn, Raw
from services.trace.lineage import Place, node_key
from services.trace.walks.chain import Direction
from services.trace.walks.ways import cited

MOST_EVENTS: Final = 100_000
"""Events that a walk reads to begin, and as many to go on: five to each of the most nodes, and some 100 MB of them."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins and what bounds it.

    It begins at a batch (and `others`), at one site, at the sites of one operator or wherever they are; or, with a
    `reference` instead of a batch, at the goods of the events that name that document or, of an ear tag, at the lots
    that carry it. A walk begins at and leaves only places that `passes` says yes to; their neighbours are reached but
    not left.
    """

    batch: str
    direction: Direction
    site: str | None = None
    operator: str | None = None
    max_depth: int = 50
    max_nodes: int = 10_000
    max_events: int = MOST_EVENTS
    passes: Callable[[Place], bool] | None = None
    others: tuple[str, ...] = ()
    reference: str = ""
    in_time: bool = True
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None

    @property
    def batches(self) -> tuple[str, ...]:
        """Every batch it begins at."""
        return (self.batch, *self.others)

    @property
    def bounds(self) -> Bounds:
        """Which events count."""
        return Bounds(self.since, self.until, self.as_of)

    def asks(self, sites: Sequence[str]) -> EventsOf | EventsOn | EventsCiting:
        """What asks for the events it begins at; `sites` are all ids of its site, if it has one."""
        if self.reference:
            return EventsCiting(self.reference, self.bounds, self.max_events)
        if not sites:
            return EventsOf(self.batches, self.bounds, self.max_events)
        keys = (node_key(batch, id) for batch in self.batches for id in sites)
        return EventsOn(tuple(keys), self.bounds, self.max_events)

    def batches_in(self, row: Raw) -> Collection[str]:
        """The batches that it begins at of an event's."""
        return cited(row, self.reference) if self.reference else self.batches
