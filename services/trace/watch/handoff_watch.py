"""Watching handoffs: judges those whose time has come or whose other half may have, and says what to commit."""

from collections.abc import Generator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from chassis.outgoing import Commit
from contracts.envelope import Envelope
from contracts.trace import RecordedEvent
from services.trace import announce
from services.trace.lineage import HANDOFFS, UNNAMED
from services.trace.told import Stored
from services.trace.watch import findings, store
from services.trace.watch.broken import HandoffsOf, Judgement, judge
from services.trace.watch.findings import Change

PAGE: Final = 500
"""Handoffs that one sweep looks at."""

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
    page = reader.due(store.HANDOFFS, store.to_look_at(now), PAGE)
    batches = {row["batch"] for row in page}
    loose = _loose(reader, batches)
    asked = _asked(loose, batches - loose, (site for row in page for site in (row["from"], row["to"])))
    found = _judgements(reader, asked)
    return _commit(found, _changes(reader, found, now), now, None), len(page) == PAGE


def concerned(reader: Reader, events: Iterable[RecordedEvent]) -> list[HandoffsOf]:
    """The handoffs to judge at once, of those that events just recorded are about.

    They have an open finding, which the events may close, or are of a batch with a half that names no other side: whom
    that meets may change with every half that comes.
    """
    told = [event for event in events if event.step in HANDOFFS]
    batches = {batch for event in told for batch in event.batches}
    if not batches:
        return []
    loose = _loose(reader, batches)
    found = reader.find(store.FINDINGS, store.open_about_batches(batches - loose), {"batches": 1})
    named = batches.intersection(batch for row in found for batch in row["batches"])
    ours = (event for event in told if named & {*event.batches})
    return _asked(loose, named, (site for event in ours for site in (event.site, event.counterparty or UNNAMED)))


def _loose(reader: Reader, batches: Iterable[str]) -> set[str]:
    """Of these batches, those of which a half names no other side."""
    return {row["batch"] for row in reader.find(store.HANDOFFS, store.loose(batches), {"batch": 1})}


def _asked(loose: Iterable[str], named: Iterable[str], sites: Iterable[str]) -> list[HandoffsOf]:
    """All handoffs of loose batches; of the others, that may go to thousands of sites, those between these."""
    between = tuple(sorted({*sites} - {UNNAMED}))
    asked = HandoffsOf(tuple(sorted(loose))), HandoffsOf(tuple(sorted(named)), between)
    return [each for each in asked if each.batches]


def batches_at(reader: Reader, sites: Iterable[str]) -> set[str]:
    """Batches of the open findings that name these sites."""
    found = reader.find(store.FINDINGS, store.open_about_sites(list(sites)), {"batches": 1})
    return {batch for row in found for batch in row["batches"]}


def heard(reader: Reader, asked: Iterable[HandoffsOf], now: datetime, parent: Envelope | None) -> Commit:
    """What becomes of findings at once. Handoffs of which none changed are left to the sweep: whoever records more
    halves of them, as of a lot sold all day, is in nobody's way.
    """
    found = _judgements(reader, asked)
    changes = _changes(reader, found, now)
    ids = {change.after.id for change in changes}
    changed = [each for each in found if not ids.isdisjoint(findings.handoff_findings(each.handoff))]
    return _commit(changed, changes, now, parent)


def _judgements(reader: Reader, asked: Iterable[HandoffsOf]) -> list[Judgement]:
    return [judgement for each in asked for judgement in reader.driven(judge(each))]


def _changes(reader: Reader, found: Iterable[Judgement], now: datetime) -> list[Change]:
    ids = [id for judgement in found for id in findings.handoff_findings(judgement.handoff)]
    known = {row["_id"]: store.finding(row) for row in reader.find(store.FINDINGS, {"_id": {"$in": ids}})}
    return findings.of_handoffs(found, known, now)


def _commit(found: Iterable[Judgement], changes: Sequence[Change], now: datetime, parent: Envelope | None) -> Commit:
    writes: dict[str, list[Any]] = {
        store.HANDOFFS: [op for judgement in found for op in _looked(judgement, changes, now)],
        store.FINDINGS: [store.changed(change) for change in changes],
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
    return store.looked(handoff.id, handoff.look_at, again, store.as_read(handoff))


def _opens(change: Change) -> bool:
    return change.after.open and not (change.before and change.before.open)
