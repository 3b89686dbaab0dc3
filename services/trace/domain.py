"""What becomes of records: recorded, known already, or refused; with which flags. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from contracts.egress import FieldError, Outcome, Verdict
from contracts.registry import OperatorState, SiteFacts
from contracts.rules import error
from contracts.trace import Record
from services.trace.entry import Entry, Known, candidate_ids, gist_of
from services.trace.lineage import TAKEOVERS
from services.trace.told import said_by

Facts = Mapping[str, SiteFacts]
"""What the registry told of sites, by any id they have had; sites it does not know are missing."""

STANDING: Final = {
    OperatorState.LISTED: "operator_unregistered",
    OperatorState.SUSPENDED: "operator_suspended",
    OperatorState.REVOKED: "operator_revoked",
    OperatorState.DEREGISTERED: "operator_revoked",
}
"""Flag of a record whose site's operator is in a state where it should not trade."""

BARRED: Final = frozenset({OperatorState.REVOKED, OperatorState.DEREGISTERED})
"""States in which a supplier has no licence any more. Since when is not told: it counts for what comes from then on."""


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


def _settle(record: Record, seen: dict[str, Known | Entry], facts: Facts, decision: Decision) -> None:
    if not record.site.site:
        _refuse(record, error("site", record.site.name, "no_site"), decision)
        return
    doubtful = False
    for id in candidate_ids(record):
        other = seen.get(id)
        if other is None:
            seen[id] = _enter(id, record, facts, decision, doubtful)
            return
        own = other.source == record.source
        alike = other.said == said_by(record) if own else other.gist == gist_of(record)
        if alike and (own or not other.declared):
            _recognise(record, other, decision)
            return
        if own and not other.declared:
            break
        # What was declared wrong makes room for what is right.
        doubtful = doubtful or not other.declared
    _refuse(record, error("id", record.document or record.id, "id_reused"), decision)


def _enter(id: str, record: Record, facts: Facts, decision: Decision, doubtful: bool) -> Entry:
    party = record.counterparty
    here = facts.get(record.site.site or "")
    there = facts.get(party.site) if party and party.site else None
    flags = (*record.flags, *_standing(record, here, there))
    if doubtful:
        flags = (*flags, error("document", record.document, "possible_duplicate"))
    entry = Entry(id, record, flags, here, there)
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
    if there and there.state in BARRED and record.step in TAKEOVERS:
        yield error("counterparty", there.site, "supplier_unlicensed")
