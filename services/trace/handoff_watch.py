"""Watching handoffs: judges those whose time has come or whose other half may have, and says what to commit."""

from collections.abc import Generator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from chassis.outgoing import Commit
from contracts.envelope import Envelope
from services.trace import announce, findings, watched
from services.trace.broken import Judgement, judge
from services.trace.findings import Change
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
    return judged(reader, {row["batch"] for row in page}, now), len(page) == PAGE


def concerned(reader: Reader, batches: set[str]) -> set[str]:
    """Of the batches in events just recorded, those to judge at once.

    These have an open finding, which the events may close, or a half that names no other side: whom that meets may
    change with every half that comes.
    """
    open_ones = reader.find(watched.FINDINGS, watched.open_about_batches(batches), {"batches": 1})
    loose = reader.find(watched.HANDOFFS, watched.loose(batches), {"batch": 1})
    return {batch for row in open_ones for batch in row["batches"]} | {row["batch"] for row in loose}


def batches_at(reader: Reader, sites: Iterable[str]) -> set[str]:
    """Batches of the open findings that name these sites."""
    found = reader.find(watched.FINDINGS, watched.open_about_sites(list(sites)), {"batches": 1})
    return {batch for row in found for batch in row["batches"]}


def judged(reader: Reader, batches: Iterable[str], now: datetime, parent: Envelope | None = None) -> Commit:
    """What becomes of the handoffs of these batches and of their findings."""
    found = reader.driven(judge(batches))
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
