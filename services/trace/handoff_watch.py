"""Watching handoffs: judges those whose time has come or whose other half may have, and says what to commit."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from chassis.outgoing import Commit
from contracts.envelope import Envelope
from contracts.findings import FindingKind
from services.trace import announce, findings, watched
from services.trace.broken import Judgement, judge
from services.trace.findings import Change
from services.trace.reading import Reader

PAGE: Final = 500
"""Handoffs that one sweep reads; it judges every handoff of their batches."""

AGAIN: Final = timedelta(minutes=1)
"""A handoff just found broken is judged once more, for the half that was being recorded meanwhile."""


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


def _looked(judgement: Judgement, changes: list[Change], now: datetime) -> list[Any]:
    handoff, broken = judgement
    again: datetime | None = None
    if broken and broken.due_at > now:
        again = broken.due_at
    elif broken and _opens(broken.kind, handoff.id, changes):
        again = now + AGAIN
    return watched.looked(handoff.id, handoff.look_at, again)


def _opens(kind: FindingKind, handoff: str, changes: list[Change]) -> bool:
    id = findings.finding_id(kind, handoff)
    return any(change.after.id == id and not (change.before and change.before.open) for change in changes)
