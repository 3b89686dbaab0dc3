"""What recorded events mark: site × day, and source × day of self-built systems. Sets only, so that order and
repetition cannot matter. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from contracts.trace import RecordedEvent, Step
from services.reporting.months import day_of

HANDOFFS: Final = frozenset({Step.SHIPPING, Step.RECEIVING})
"""Steps that are linkable while no open finding names the event (first cut of "its handoff is matched")."""

SELF_BUILT: Final = "docking."
"""What the sources of self-built systems begin with."""

ON_TIME: Final = timedelta(hours=24)
"""Upload lag of an event that is on time (domain: "On-time")."""


@dataclass
class Mark:
    """What a site did on a day.

    `kinds` are the steps of its events, `steps` the ids of events by step. `closed` are the categories of events with
    a documented counterparty outside the province, `closing` their ids by category; `handoffs` the ids of shipments and
    receipts by category. What is declared wrong later is taken back by its id (`standing`).
    """

    site: str
    day: date
    steps: dict[str, set[str]] = field(default_factory=dict)
    closing: dict[str, set[str]] = field(default_factory=dict)
    handoffs: dict[str, set[str]] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, dict[str, set[str]]]:
        """Ids of its events by what they tell."""
        return {"steps": self.steps, "closing": self.closing, "handoffs": self.handoffs}

    @property
    def kinds(self) -> set[str]:
        """Steps of its events."""
        return {*self.steps}

    @property
    def closed(self) -> set[str]:
        """Categories closed by a documented counterparty."""
        return {*self.closing}

    @property
    def linked(self) -> set[str]:
        """Categories with an event that is linkable, findings aside."""
        return self.closed | self.handoffs.keys()

    def add(self, event: RecordedEvent) -> None:
        """Takes an event in."""
        self.steps.setdefault(event.step, set()).add(event.id)
        for category in event.categories:
            if event.external:
                self.closing.setdefault(category, set()).add(event.id)
            elif event.step in HANDOFFS:
                self.handoffs.setdefault(category, set()).add(event.id)


class Stands(NamedTuple):
    """What still stands of a stored mark: `kinds` of steps, categories `closed`, ids of `handoffs` by category."""

    kinds: frozenset[str]
    closed: frozenset[str]
    handoffs: dict[str, frozenset[str]]


def standing(mark: Mapping[str, Any], wrong: frozenset[str]) -> Stands:
    """A stored mark without events that were declared wrong. What it keeps no ids of stands."""
    steps, closing = mark.get("steps", {}), mark.get("closing", {})
    kinds = {*mark["kinds"]} - steps.keys() | _left(steps, wrong).keys()
    closed = {*mark.get("closed", ())} - closing.keys() | _left(closing, wrong).keys()
    return Stands(frozenset(kinds), frozenset(closed), _left(mark.get("handoffs", {}), wrong))


def _left(ids: Mapping[str, Iterable[str]], wrong: frozenset[str]) -> dict[str, frozenset[str]]:
    left = {name: frozenset(told) - wrong for name, told in ids.items()}
    return {name: told for name, told in left.items() if told}


@dataclass
class Upload:
    """What a self-built system uploaded of a day; the day is on time when an event of it came within the SLA."""

    source: str
    day: date
    events: set[str] = field(default_factory=set)
    on_time: bool = False

    def add(self, event: RecordedEvent) -> None:
        """Takes an event in."""
        self.events.add(event.id)
        self.on_time = self.on_time or event.sent_at - event.time <= ON_TIME


def marks(events: Iterable[RecordedEvent]) -> list[Mark]:
    """The marks of a batch of events, one per site and day."""
    found: dict[tuple[str, date], Mark] = {}
    for event in events:
        key = (event.site, day_of(event.time))
        if key not in found:
            found[key] = Mark(*key)
        found[key].add(event)
    return [found[key] for key in sorted(found)]


def uploads(events: Iterable[RecordedEvent]) -> list[Upload]:
    """What self-built systems uploaded in a batch of events."""
    found: dict[tuple[str, date], Upload] = {}
    for event in events:
        if event.source.startswith(SELF_BUILT):
            key = (event.source, day_of(event.time))
            found.setdefault(key, Upload(*key)).add(event)
    return [found[key] for key in sorted(found)]
