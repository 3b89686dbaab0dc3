"""Watching handoffs: judges those whose time has come or whose other half may have, and says what to commit."""

from collections.abc import Generator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from chassis.outgoing import Commit
from contracts.envelope import Envelope
from contracts.trace import RecordedEvent
from services.trace import announce, findings, watched
from services.trace.broken import HandoffsOf, Judgement, judge
from services.trace.findings import Change
from services.trace.lineage import HANDOFFS
from services.trace.told import Stored

PAGE: Final = 500
"""Handoffs that one sweep reads; it judges every handoff of their batches."""

AGAIN: Final = timedelta(minutes=1)
"""A handoff just found broken is judged once more, for the half that was being recorded meanwhile."""


class Reader(Protocol):
    """What watching reads by: `reading.Reader`."""

    def find(self, name: str, where: Stored, fields: Stored | None = None) -> list[Stored]:
        """Documents of a collection."""

    def due(self, name: str, where: Stored, most: int) -> list[Stored]:
        """The rows to look at that have waited longest."""

    def driven(self, steps: Generator[Any, Any, list[Judgement]]) -> list[Judgement]:
        """Answers what judging asks."""


def sweep(reader: Reader, now: datetime) -> tuple[Commit, bool]:
    """Judges a page of handoffs whose time has come; says whether there may be more."""
    page = reader.due(watched.HANDOFFS, watched.to_look_at(now), PAGE)
    return judged(reader, _all_of({row["batch"] for row in page}), now), len(page) == PAGE


def _all_of(batches: Iterable[str]) -> HandoffsOf:
    return HandoffsOf(tuple(sorted(batches)))


def concerned(reader: Reader, events: Iterable[RecordedEvent]) -> list[HandoffsOf]:
    """The handoffs to judge at once, of those that events just recorded are about.

    They have an open finding, which the events may close, or are of a batch with a half that names no other side: whom
    that meets may change with every half that comes. Else those between the events' own sites are enough, and a batch
    may go to thousands.
    """
    told = [event for event in events if event.step in HANDOFFS]
    batches = {batch for event in told for batch in event.batches}
    if not batches:
        return []
    loose = {row["batch"] for row in reader.find(watched.HANDOFFS, watched.loose(batches), {"batch": 1})}
    found = reader.find(watched.FINDINGS, watched.open_about_batches(batches - loose), {"batches": 1})
    named = batches.intersection(batch for row in found for batch in row["batches"]) - loose
    sites = {site for event in told if named & {*event.batches} for site in (event.site, event.counterparty) if site}
    asked = (_all_of(loose), _all_of(named)._replace(sites=tuple(sorted(sites))))
    return [each for each in asked if each.batches]


def batches_at(reader: Reader, sites: Iterable[str]) -> set[str]:
    """Batches of the open findings that name these sites."""
    found = reader.find(watched.FINDINGS, watched.open_about_sites(list(sites)), {"batches": 1})
    return {batch for row in found for batch in row["batches"]}


def judged(reader: Reader, asked: HandoffsOf, now: datetime, parent: Envelope | None = None) -> Commit:
    """What becomes of these handoffs and of their findings."""
    found = reader.driven(judge(asked))
    ids = [id for judgement in found for id in findings.handoff_findings(judgement.handoff)]
    known = {row["_id"]: watched.finding(row) for row in reader.find(watched.FINDINGS, {"_id": {"$in": ids}})}
    changes = findings.of_handoffs(found, known, now)
    writes: dict[str, list[Any]] = {
        watched.HANDOFFS: [op for judgement in found for op in _looked(judgement, changes, now)],
        watched.FINDINGS: [watched.changed(change) for change in changes],
    }
    return Commit(writes, announce.findings_changed(changes, parent))


def _looked(judgement: Judgement, changes: Sequence[Change], now: datetime) -> list[Any]:
    """Looks again when the next thing falls due, and once more after something was found."""
    handoff, faults = judgement
    times = [broken.due_at for broken in faults if broken.due_at > now]
    ids = {*findings.handoff_findings(handoff)}
    if any(change.after.id in ids and _opens(change) for change in changes):
        times.append(now + AGAIN)
    again = min(times, default=None)
    return watched.looked(handoff.id, handoff.look_at, again, watched.as_read(handoff))


def _opens(change: Change) -> bool:
    return change.after.open and not (change.before and change.before.open)
