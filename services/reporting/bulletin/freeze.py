"""What a bulletin is frozen from, asked query by query, and the version that comes of it. No I/O.

Generators yield queries and are sent rows, as in `queries`.
"""

from collections.abc import Generator, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from contracts.notices import BulletinPublishedV1
from services.reporting import months, queries, store, uploads
from services.reporting.bulletin import composing, inputs
from services.reporting.bulletin.work import Told
from services.reporting.domain import SiteRow, System
from services.reporting.months import Window
from services.reporting.queries import Query
from services.reporting.store import Document

LATE_RECORDS: Final = "冻结后收到迟到记录"


class Frozen(NamedTuple):
    """A version ready to be stored: its document and the parts of its inputs."""

    document: Document
    parts: list[Document]


Steps = Generator[Query, list[Document], Frozen | None]


def first(month: str, now: datetime) -> Steps:
    """The first version of a month; None when there is one already."""
    if (yield _latest(month)):
        return None
    rows = yield from queries.site_rows(months.window(month))
    return (yield from _version(month, 1, None, rows, None, now))


def next_version(month: str, now: datetime) -> Steps:
    """A version with the records that came late; None when there is nothing to say, or none before it."""
    found = yield _latest(month)
    if not found:
        return None
    last = found[0]
    parts = yield inputs_of(month)
    frozen = inputs.unpack(part["rows"] for part in parts)
    rows = yield from queries.again(frozen, months.window(month))
    return (yield from _version(month, last["version"] + 1, last, rows, last["inputs"], now))


def _version(
    month: str, version: int, last: Document | None, rows: Sequence[SiteRow], digest: str | None, now: datetime
) -> Steps:
    window = months.window(month)
    systems: list[System] = yield from uploads.systems(window, month)
    own = inputs.digest(rows, systems)
    if own == digest:
        return None
    standards = queries.standards((yield Query(store.STANDARDS, [])))
    told: Told = yield from _told(window)
    names = {row["station"]: row["station_name"] or row["station"] for row in (yield Query(store.CELLS, _stations()))}
    before = yield Query(store.BULLETINS, _before(month))
    figures = composing.compose(window, rows, systems, standards, told, names, before)
    reason = f"{LATE_RECORDS}：{composing.changes(last['figures'], figures)}" if last else None
    document = {
        "_id": f"{month}#{version}",
        "month": month,
        "version": version,
        "frozen_at": now,
        "reason": reason,
        "inputs": own,
        "figures": figures,
    }
    parts = [
        {"_id": f"{month}#{version}/{part}", "month": month, "version": version, "part": part, "rows": packed}
        for part, packed in enumerate(inputs.pack(rows))
    ]
    return Frozen(document, parts)


def announcements(document: Document) -> list[BulletinPublishedV1]:
    """That a version is out, to each province it is about."""
    return [
        BulletinPublishedV1(
            month=document["month"],
            version=document["version"],
            division=province,
            frozen_at=document["frozen_at"],
            reason=document["reason"],
        )
        for province in composing.provinces(document["figures"])
    ]


def _told(window: Window) -> Generator[Query, list[Document], Told]:
    course = [{"$match": {"opened_at": {"$lt": window.end}, "$or": _not_closed_before(window)}}]
    findings = yield Query(store.FINDINGS, course)
    tasks = yield Query(store.TASKS, course)
    cases = yield Query(store.CASES, course)
    tests = yield Query(store.TESTS, [{"$match": {"tested_at": _during(window)}}])
    deliveries = yield Query(store.DELIVERIES, [{"$match": {"created_at": _during(window)}}])
    return Told(findings, tasks, cases, tests, deliveries)


def _during(window: Window) -> Document:
    return {"$gte": window.start, "$lt": window.end}


def _not_closed_before(window: Window) -> list[Document]:
    return [{"closed_at": None}, {"closed_at": {"$gte": window.start}}]


def _stations() -> list[Document]:
    return [{"$project": {"station": 1, "station_name": 1}}]


def _latest(month: str) -> Query:
    return Query(store.BULLETINS, [{"$match": {"month": month}}, {"$sort": {"version": -1}}, {"$limit": 1}])


def inputs_of(month: str) -> Query:
    """Parts of the rows that the latest version of a month was computed from."""
    latest: list[Document] = [
        {"$match": {"month": month}},
        {"$group": {"_id": "$version", "parts": {"$push": "$_id"}}},
        {"$sort": {"_id": -1}},
        {"$limit": 1},
        {"$lookup": {"from": store.INPUTS, "localField": "parts", "foreignField": "_id", "as": "rows"}},
        {"$unwind": "$rows"},
        {"$replaceWith": "$rows"},
        {"$sort": {"part": 1}},
    ]
    return Query(store.INPUTS, latest)


TREND_FIELDS: Final[Iterable[str]] = ("level", "code", "county", "link", "score", "rates", "rank")


def _before(month: str) -> list[Document]:
    """The latest version of each of the eleven months before, the latest first; of their lines what is compared."""
    lines = dict.fromkeys((f"figures.lines.{name}" for name in TREND_FIELDS), 1)
    return [
        {"$match": {"month": {"$lt": month}}},
        {"$sort": {"month": -1, "version": -1}},
        {"$project": {"month": 1, **lines}},
        {"$group": {"_id": "$month", "month": {"$first": "$month"}, "figures": {"$first": "$figures"}}},
        {"$sort": {"_id": -1}},
        {"$limit": composing.TREND_MONTHS - 1},
    ]
