"""A record on its way to being an event, and how two reports of one event are told. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from contracts.egress import FieldError
from contracts.fields import day_of
from contracts.registry import SiteFacts
from contracts.trace import Category, Lot, Record, RecordedEvent
from services.trace.told import Stored, said_by

Gist = tuple[date, frozenset[tuple[Any, ...]]]
"""The day in Shanghai and the goods: what two apps' reports of one event have in common (domain: "Truth checks")."""


class Known(NamedTuple):
    """An event on record, as far as deciding needs it; `said` is what it says, as `told.said_by` says it."""

    id: str
    source: str
    said: Stored
    gist: Gist
    batches: tuple[str, ...] = ()
    also_from: frozenset[str] = frozenset()
    declared: bool = False
    """An error was declared about it."""


@dataclass
class Entry:
    """A record that becomes an event. `here` and `there` are what the registry told of its two sites."""

    id: str
    record: Record
    flags: tuple[FieldError, ...]
    here: SiteFacts | None
    there: SiteFacts | None
    also_from: set[str] = field(default_factory=set)
    declared: bool = False

    @property
    def source(self) -> str:
        """Who reported it first."""
        return self.record.source

    @property
    def said(self) -> Stored:
        """As `Known.said`."""
        return said_by(self.record)

    @cached_property
    def gist(self) -> Gist:
        """As `Known.gist`."""
        return gist_of(self.record)

    @cached_property
    def batches(self) -> tuple[str, ...]:
        """Trace codes of its goods."""
        return tuple({lot.batch: None for lot in self._lots})

    @cached_property
    def categories(self) -> tuple[Category, ...]:
        """Categories of its goods."""
        return tuple({lot.category: None for lot in self._lots})

    @property
    def _lots(self) -> tuple[Lot, ...]:
        return (*self.record.inputs, *self.record.outputs)

    @property
    def operator(self) -> str | None:
        """Who answers for the site."""
        return self.record.site.operator or (self.here.operator if self.here else None)

    @property
    def division(self) -> str | None:
        """Where the site is."""
        return self.record.site.division or (self.here.division if self.here else None)


MOST_CORRECTIONS: Final = 9
"""Of one paper by its source, each of the one before: EPCIS corrects a corrective event as any other."""


def candidate_ids(record: Record) -> Iterator[str]:
    """The ids a record may be recorded under, in turn: its own, one of its source's alone for a doubtful second report
    or a correction, and for corrections of that numbered ones.
    """
    yield record.id
    own = f"{record.id}:{record.source}"
    yield own
    yield from (f"{own}:{number}" for number in range(2, MOST_CORRECTIONS + 1))


def gist_of(record: Record) -> Gist:
    """A record's gist."""
    lots = ((lot.batch, lot.quantity, lot.unit) for lot in (*record.inputs, *record.outputs))
    return gist(record.time, lots)


def gist(time: datetime, lots: Iterable[tuple[Any, ...]]) -> Gist:
    """The gist of an event at an aware time with lots of (batch, quantity, unit)."""
    return day_of(time), frozenset(lots)


def recorded(entry: Entry) -> RecordedEvent:
    """What is announced of an event."""
    record, party = entry.record, entry.record.counterparty
    return RecordedEvent(
        id=entry.id,
        source=record.source,
        step=record.step,
        time=record.time,
        sent_at=record.sent_at,
        site=record.site.site or "",
        operator=entry.operator,
        division=entry.division,
        counterparty=party.site if party else None,
        categories=entry.categories,
        batches=entry.batches,
        external=bool(party and party.external),
        flags=tuple(dict.fromkeys(flag.rule for flag in entry.flags)),
    )
