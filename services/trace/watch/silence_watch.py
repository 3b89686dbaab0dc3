"""Watching for silent sites: marks the days with events, judges sites, and says what to commit."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne

from chassis.outgoing import Commit
from contracts.envelope import Envelope
from contracts.fields import day_of
from contracts.findings import Finding, FindingKind
from contracts.registry import SiteFacts
from contracts.trace import RecordedEvent
from services.trace import announce, rows
from services.trace.reading import Reader
from services.trace.sites import Sites
from services.trace.told import Stored
from services.trace.watch import findings, store
from services.trace.watch.findings import Change
from services.trace.watch.silence import Silence, recent, silent_at

PAGE: Final = 200
DAILY: Final = timedelta(days=1)
SILENT: Final = FindingKind.SILENT_SITE

Days = dict[str, set[date]]


class Marks:
    """The last days this process marked, so that a site is written once a day, not with each event."""

    KEPT: Final = 200_000

    def __init__(self) -> None:
        self._known: set[tuple[str, date]] = set()

    def new(self, events: Iterable[RecordedEvent]) -> Days:
        """By site, the days in Shanghai with events that are not marked yet."""
        days: Days = {}
        for event in events:
            day = day_of(event.time)
            if (event.site, day) not in self._known:
                days.setdefault(event.site, set()).add(day)
        return days

    def keep(self, days: Days) -> None:
        """Remembers what was committed."""
        if len(self._known) > self.KEPT:
            self._known.clear()
        self._known.update((site, day) for site, told in days.items() for day in told)


def marking(days: Days) -> Commit:
    """Notes days with events."""
    return Commit({store.ACTIVITY: [store.marked(site, told) for site, told in sorted(days.items())]})


def concerned(reader: Reader, sites: Iterable[str]) -> list[str]:
    """Of sites that just spoke, those that were found silent."""
    known = reader.sites(*sites)
    today = sorted({known.now(site) for site in sites})
    found = reader.find(store.FINDINGS, {"open": True, "kind": SILENT, "site": {"$in": today}}, {"site": 1})
    return [row["site"] for row in found]


def sweep(reader: Reader, now: datetime) -> tuple[Commit, bool]:
    """Judges a page of sites whose time has come; says whether there may be more."""
    page = reader.due(store.ACTIVITY, store.to_look_at(now), PAGE)
    return judged(reader, [row["_id"] for row in page], now), len(page) == PAGE


def judged(reader: Reader, sites: Sequence[str], now: datetime, parent: Envelope | None = None) -> Commit:
    """What becomes of these sites, given by any of their ids, and of the findings about them."""
    known = reader.sites(*sites)
    found = [_judged(reader, known, site, now) for site in sorted({known.now(site) for site in sites})]
    changes = [change for site in found for change in site.changes]
    writes: dict[str, list[Any]] = {
        store.ACTIVITY: [op for site in found for op in site.looked],
        store.FINDINGS: [store.changed(change) for change in changes],
    }
    return Commit(writes, announce.findings_changed(changes, parent))


class _Judged(NamedTuple):
    changes: list[Change]
    looked: list[UpdateOne]


def _judged(reader: Reader, sites: Sites, site: str, now: datetime) -> _Judged:
    """A site by today's id. What was found about an id that means it now is about nobody any more."""
    ids = sites.ids(site)
    marked = reader.find(store.ACTIVITY, {"_id": {"$in": ids}})
    about = {"_id": {"$in": [findings.finding_id(SILENT, id) for id in ids]}}
    known = {row["_id"]: store.finding(row) for row in reader.find(store.FINDINGS, about)}
    facts = reader.facts({site}).get(site)
    last = reader.last_event(ids)
    days = {day for row in marked for day in row["days"]}
    # What is recorded counts before its announcement is heard.
    silence = silent_at(recent(days | {_day(last).isoformat()} if last else days), facts)
    wrong = _finding(reader, sites, site, silence, last, now) if last and silence and silence.at <= now else None
    changes = findings.changed(known, [wrong] if wrong else [], known, now)
    again = None if wrong else _again(silence, facts, now)
    looked = [op for row in marked for op in _looked(row, again)]
    return _Judged(changes, looked)


def _looked(row: Stored, again: datetime | None) -> list[UpdateOne]:
    return store.looked(row["_id"], row.get("look_at"), again, {"days": row["days"]})


def _again(silence: Silence | None, facts: SiteFacts | None, now: datetime) -> datetime | None:
    """When to look again. A declared closure may be declared otherwise, so that is looked at daily."""
    times = [silence.at] if silence else []
    if facts and facts.closed_from:
        times.append(now + DAILY)
    return min(times, default=None)


def _day(event: Stored) -> date:
    return day_of(event["time"])


def _finding(reader: Reader, sites: Sites, site: str, silence: Silence, last: Stored, now: datetime) -> Finding:
    reader.driven(sites.resolve([rows.event(last)]))
    return Finding(
        id=findings.finding_id(SILENT, site),
        kind=SILENT,
        **findings.laid_to(sites.place(site)),
        event_id=last["_id"],
        due_at=silence.at,
        opened_at=now,
        open=True,
        version=1,
        provisional=silence.provisional,
    )
