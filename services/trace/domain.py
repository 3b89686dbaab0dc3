"""What becomes of records: recorded, known already, or refused; with which flags. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, NamedTuple

from contracts.egress import FieldError, Outcome, Verdict
from contracts.fields import SHANGHAI
from contracts.registry import OperatorState, SiteFacts
from contracts.rules import error
from contracts.trace import Record, RecordedEvent

Facts = Mapping[str, SiteFacts]
"""What the registry told of sites, by any id they have had; sites it does not know are missing."""

Gist = tuple[date, frozenset[tuple[Any, ...]]]
"""The day in Shanghai and the goods: what two apps' reports of one event have in common (domain: "Truth checks")."""

STANDING: Final = {
    OperatorState.LISTED: "operator_unregistered",
    OperatorState.SUSPENDED: "operator_suspended",
    OperatorState.REVOKED: "operator_revoked",
    OperatorState.DEREGISTERED: "operator_revoked",
}
"""Flag of a record whose site's operator is in a state where it should not trade."""

TOLD_OTHERWISE: Final = frozenset({"id", "source", "message_id", "line", "sent_at", "flags"})
"""Fields of a record that say who told it and how, not what happened."""


class Known(NamedTuple):
    """An event on record, as far as deciding needs it."""

    id: str
    source: str
    content: str
    gist: Gist
    batches: tuple[str, ...] = ()
    also_from: frozenset[str] = frozenset()


@dataclass
class Entry:
    """A record that becomes an event. `here` and `there` are what the registry told of its two sites."""

    id: str
    record: Record
    content: str
    flags: tuple[FieldError, ...]
    here: SiteFacts | None
    there: SiteFacts | None
    also_from: set[str] = field(default_factory=set)

    @property
    def source(self) -> str:
        """Who reported it first."""
        return self.record.source

    @cached_property
    def gist(self) -> Gist:
        """As `Known.gist`."""
        return gist_of(self.record)

    @cached_property
    def batches(self) -> tuple[str, ...]:
        """Trace codes of its goods."""
        record = self.record
        return tuple(dict.fromkeys(lot.batch for lot in (*record.inputs, *record.outputs)))

    @property
    def operator(self) -> str | None:
        """Who answers for the site."""
        return self.record.site.operator or (self.here.operator if self.here else None)

    @property
    def division(self) -> str | None:
        """Where the site is."""
        return self.record.site.division or (self.here.division if self.here else None)


class Refusal(NamedTuple):
    """A record that is not recorded, and why."""

    record: Record
    error: FieldError


class Sighting(NamedTuple):
    """An event on record that another source reported too."""

    event_id: str
    source: str


@dataclass
class Decision:
    """What one batch of records comes to; `verdicts` by source."""

    entries: list[Entry] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)


def decide(records: Iterable[Record], existing: Mapping[str, Known], facts: Facts) -> Decision:
    """Decides on records in their order; `existing` are the events on record under `candidate_ids`, by id."""
    decision = Decision()
    seen: dict[str, Known | Entry] = dict(existing)
    for record in records:
        _settle(record, seen, facts, decision)
    return decision


def candidate_ids(record: Record) -> tuple[str, str]:
    """The ids a record may be recorded under: its own, and one of its source's alone for a doubtful second report."""
    return record.id, f"{record.id}:{record.source}"


def content_of(record: Record) -> str:
    """Hash of what the record says, whoever says it. Fields at their defaults, and so later additions, are left out."""
    told = record.model_dump_json(exclude=TOLD_OTHERWISE, exclude_defaults=True)  # type: ignore[arg-type]
    return sha256(told.encode()).hexdigest()[:32]


def gist_of(record: Record) -> Gist:
    """A record's gist."""
    lots = ((lot.batch, lot.quantity, lot.unit) for lot in (*record.inputs, *record.outputs))
    return gist(record.time, lots)


def gist(time: datetime, lots: Iterable[tuple[Any, ...]]) -> Gist:
    """The gist of an event at an aware time with lots of (batch, quantity, unit)."""
    return time.astimezone(SHANGHAI).date(), frozenset(lots)


def _settle(record: Record, seen: dict[str, Known | Entry], facts: Facts, decision: Decision) -> None:
    if not record.site.site:
        _refuse(record, error("site", record.site.name, "no_site"), decision)
        return
    content = content_of(record)
    for id in candidate_ids(record):
        other = seen.get(id)
        if other is None:
            seen[id] = _enter(id, record, content, facts, decision)
            return
        if other.source == record.source and other.content != content:
            _refuse(record, error("id", record.document or record.id, "id_reused"), decision)
            return
        if other.source == record.source or other.gist == gist_of(record):
            _recognise(record, other, decision)
            return


def _enter(id: str, record: Record, content: str, facts: Facts, decision: Decision) -> Entry:
    party = record.counterparty
    here = facts.get(record.site.site or "")
    there = facts.get(party.site) if party and party.site else None
    flags = (*record.flags, *_standing(record, here, there))
    if id != record.id:
        flags = (*flags, error("document", record.document, "possible_duplicate"))
    entry = Entry(id, record, content, flags, here, there)
    decision.entries.append(entry)
    _tell(record, Outcome.ACCEPTED, decision, event_id=id, batches=entry.batches, flags=flags)
    return entry


def _recognise(record: Record, event: Known | Entry, decision: Decision) -> None:
    """A record told before; another source that tells it too is remembered with the event."""
    if record.source != event.source and record.source not in event.also_from:
        if isinstance(event, Entry):
            event.also_from.add(record.source)
        else:
            decision.sightings.append(Sighting(event.id, record.source))
    _tell(record, Outcome.DUPLICATE, decision, event_id=event.id, batches=event.batches)


def _refuse(record: Record, why: FieldError, decision: Decision) -> None:
    decision.refusals.append(Refusal(record, why))
    _tell(record, Outcome.REJECTED, decision, errors=(why,))


def _tell(record: Record, outcome: Outcome, decision: Decision, **more: Any) -> None:
    verdict = Verdict(
        message_id=record.message_id, record=record.line, outcome=outcome, document=record.document, **more
    )
    decision.verdicts.setdefault(record.source, []).append(verdict)


def _standing(record: Record, here: SiteFacts | None, there: SiteFacts | None) -> Iterable[FieldError]:
    """Flags that need the registry's word on the two sites."""
    rule = STANDING.get(here.state) if here else "operator_unregistered"
    if rule:
        yield error("site", record.site.site, rule)
    party = record.counterparty
    if party and party.site and not party.external and there is None:
        yield error("counterparty", party.site, "unknown_counterparty")


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
        categories=tuple(dict.fromkeys(lot.category for lot in (*record.inputs, *record.outputs))),
        batches=entry.batches,
        external=bool(party and party.external),
        flags=tuple(dict.fromkeys(flag.rule for flag in entry.flags)),
    )
