"""When trace examines what does not look true: as events come, and at the times set in `to_examine`."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import DeleteOne, UpdateOne

from chassis.asking import answered
from chassis.outgoing import Commit
from chassis.worker.mongo import Store
from contracts.envelope import Envelope
from services.trace import announce
from services.trace.reading import Reader
from services.trace.told import Stored
from services.trace.truth import findings
from services.trace.truth import store as truth_store
from services.trace.truth.answers import Answers
from services.trace.truth.findings import Judged
from services.trace.truth.judge import Examination
from services.trace.truth.subjects import Subject, Topic
from services.trace.watch import store as watch_store
from services.trace.watch.findings import Change

PAGE: Final = 100
"""So many subjects one sweep examines."""

AGAIN: Final = timedelta(minutes=1)
"""What a sweep changed is judged once more, for the event that was being recorded meanwhile; busy ones so often."""

BUSY_ONES: Final = 3
"""So many of them one sweep examines."""

_busy: Final[set[Subject]] = set()
"""Busy nodes, papers and vehicles that this process met, which wait for the sweep from then on."""

MOST_BUSY: Final = 10_000


def examined(own: Store, ids: Sequence[str], now: datetime, parent: Envelope) -> None:
    """Judges all that events have to do with until nothing changes.

    Whoever records an event sees it: what another worker judged at the same time without it is judged once more by
    that worker, after it has committed.
    """
    reader, subjects = Reader(own), frozenset[Subject]()
    while ids or subjects:
        changed: list[Judged] = []

        def judging(
            ids: Sequence[str] = ids, more: Iterable[Subject] = subjects, found: list[Judged] = changed
        ) -> Commit:
            found.clear()
            examination = Examination(put_off=_busy)
            commit, judged = _judged(reader, examination, ids, more, now, parent)
            found += judged
            _remember(examination.busy)
            return commit

        own.decide(judging)
        ids, subjects = (), frozenset(each.subject for each in changed)


def _remember(busy: set[Subject]) -> None:
    if len(_busy) > MOST_BUSY:
        _busy.clear()
    _busy.update(busy)


def sweep(reader: Reader, now: datetime) -> tuple[Commit, bool]:
    """Examines a page of subjects whose time has come; says whether there may be more."""
    due = {Subject.named(row["_id"]): row for row in reader.due(truth_store.EXAMINE, watch_store.to_look_at(now), PAGE)}
    busy = [subject for subject in due if subject.topic is Topic.NODE or subject in _busy]
    page = {subject: row for subject, row in due.items() if subject not in busy[BUSY_ONES:]}
    ids = [subject.key for subject in page if subject.topic is Topic.EVENT]
    commit, changed = _judged(reader, Examination(), ids, page, now, None, list(page.values()))
    beside = [truth_store.look_again(each.subject, now + AGAIN) for each in changed if each.subject not in page]
    writes = {**commit.writes, truth_store.EXAMINE: [*commit.writes[truth_store.EXAMINE], *beside]}
    return Commit(writes, commit.outgoing), len(due) == PAGE or len(page) < len(due)


def _judged(
    reader: Reader,
    examination: Examination,
    ids: Iterable[str],
    more: Iterable[Subject],
    now: datetime,
    parent: Envelope | None,
    page: Sequence[Stored] = (),
) -> tuple[Commit, list[Judged]]:
    """What becomes of subjects; those of which a finding changed are told beside the commit."""
    judged = answered(examination.run(ids, more), Answers(reader).to)
    about = {"_id": {"$in": [id for each in judged for id in each.findings]}}
    known = {row["_id"]: watch_store.finding(row) for row in reader.find(watch_store.FINDINGS, about)}
    changes = findings.changes(judged, known, examination.reading.sites, now)
    changed = _changed(judged, changes)
    later = [truth_store.look_again(subject, now + AGAIN) for subject in sorted(examination.waiting)]
    looks = [*_looked(page, judged, changed, now), *_pending(page, judged, now), *later]
    writes: dict[str, list[Any]] = {
        watch_store.FINDINGS: [watch_store.changed(change) for change in changes],
        truth_store.EXAMINE: looks,
    }
    return Commit(writes, announce.findings_changed(changes, parent)), changed


def _changed(judged: Iterable[Judged], changes: Iterable[Change]) -> list[Judged]:
    ids = {change.after.id for change in changes}
    return [each for each in judged if ids & set(each.findings)]


def _looked(
    page: Iterable[Stored], judged: Iterable[Judged], changed: Iterable[Judged], now: datetime
) -> list[DeleteOne | UpdateOne]:
    again = {each.subject.id: each.pending(now) for each in judged}
    again |= {each.subject.id: now + AGAIN for each in changed}
    return [truth_store.looked(row, again.get(row["_id"])) for row in page]


def _pending(page: Iterable[Stored], judged: Iterable[Judged], now: datetime) -> list[UpdateOne]:
    known = {row["_id"] for row in page}
    return [
        truth_store.look_again(each.subject, at)
        for each in judged
        if (at := each.pending(now)) and each.subject.id not in known
    ]


def reconsidering(reader: Reader, sites: Iterable[str], now: datetime) -> Commit:
    """Has the next sweep judge again what the registry's word about sites may put right."""
    fields = {"event_id": 1, "events": 1}
    found = reader.find(watch_store.FINDINGS, truth_store.open_about_sites(sites), fields)
    return Commit(truth_store.to_examine((id for row in found for id in (row["event_id"], *row["events"])), now))
