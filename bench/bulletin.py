"""The month's bulletin: from its timer being due to the version stored and announced, beside its bare pipelines."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from bench.child import Child
from bench.facts import CATEGORIES
from bench.ground import Field, Ground
from bench.hearing import Ear, Wrong
from bench.result import Result, Side, measured
from bench.seeding import seed
from chassis import timers
from chassis.asking import answered
from chassis.collections import TIMERS
from contracts.findings import Finding, FindingKind
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Link
from services.reporting import freeze, months, store
from services.reporting.queries import Query

KEY: Final = "reporting.bulletin_published.v1"
FREEZE: Final = "bulletin.freeze"
"""Kind and id of the worker's timer."""

MARKS_PER_SITE: Final = 10
COUNTIES, STATIONS, DAYS = 140, 8, 28
BROKEN_EVERY: Final = 50
"""One site in so many has a broken chain."""

WITHIN_S: Final = 300.0


class Month(NamedTuple):
    """The month that was frozen last, and when it was due."""

    name: str
    due_at: datetime

    @classmethod
    def last(cls, now: datetime) -> "Month":
        """The latest that may be frozen by now."""
        due_at = months.next_freeze(now - timedelta(days=62))
        while (following := months.next_freeze(due_at)) <= now:
            due_at = following
        return cls(months.month_to_freeze(due_at) or "", due_at)


def bulletin(ground: Ground, rounds: int) -> Result:
    """A fifth of a province: what fits into ten minutes with all others."""
    return _bulletin(ground, rounds, "bulletin", 20_000)


def bulletin_full(ground: Ground, rounds: int) -> Result:
    """A province: 100,000 sites and a million facts."""
    return _bulletin(ground, rounds, "bulletin_full", 100_000)


def _bulletin(ground: Ground, rounds: int, name: str, sites: int) -> Result:
    month = Month.last(datetime.now(UTC))
    told = f"its pipelines alone; {sites:,} sites, {sites * MARKS_PER_SITE:,} facts"
    with ground.field(store.COLLECTIONS) as field, closing(Ear(field, KEY, b'"month":')) as ear:
        _fill(field, sites)
        queries = _queries(field, month)
        urls = {"amqp_url": field.amqp_url, "mongo_url": field.mongo_url}
        with ground.running(name, ("services.reporting", "worker"), **urls, timer_s=0.05) as worker:
            ear.await_true(partial(_is_idle, field), worker.runs, "waiting for the fifth")
            return measured(
                name,
                "sites/s",
                rounds,
                ours=lambda: sites / _frozen(field, ear, worker, month, sites),
                limit=Side(told, lambda: sites / _asked(field, queries), 1 / 3),
            )


def _is_idle(field: Field) -> bool:
    """Whether the worker has set its timer to the next month's fifth."""
    return field.db[TIMERS].find_one({"_id": FREEZE, "due_at": {"$gt": datetime.now(UTC)}}) is not None


def _frozen(field: Field, ear: Ear, worker: Child, month: Month, sites: int) -> float:
    """Seconds until the worker has frozen the month, for the first time once more. Raises Wrong when sites lack."""
    for name in (store.BULLETINS, store.INPUTS):
        field.db[name].delete_many({})
    started = time.monotonic()
    field.db[TIMERS].bulk_write(timers.due(FREEZE, FREEZE, month.due_at)[TIMERS])
    finished = ear.await_items(1, worker.runs, WITHIN_S)
    ear.heard()
    ear.await_true(partial(_is_idle, field), worker.runs, "waiting for the next fifth")
    found = field.db[store.BULLETINS].find_one({"month": month.name})
    active = found and next(line for line in found["figures"]["lines"] if line["level"] == "province")["counts"]
    if not active or active["activity"] != [sites, sites]:
        raise Wrong(f"the bulletin of {month.name} counts {active} instead of {sites} active sites")
    return finished - started


def _queries(field: Field, month: Month) -> list[Query]:
    """All that is asked for a bulletin; asking for it warms the store as well."""
    asked: list[Query] = []

    def ask(query: Query) -> list[dict[str, Any]]:
        asked.append(query)
        return list(field.db[query.collection].aggregate(query.pipeline, allowDiskUse=True))

    answered(freeze.first(month.name, datetime.now(UTC)), ask)
    return asked


def _asked(field: Field, queries: list[Query]) -> float:
    """Seconds for the pipelines, every row read."""
    started = time.monotonic()
    for query in queries:
        for _ in field.db[query.collection].aggregate(query.pipeline, allowDiskUse=True):
            pass
    return time.monotonic() - started


# What there is to report


def _fill(field: Field, sites: int) -> None:
    for collection, making in ((store.SITES, site_rows), (store.MARKS, mark_rows), (store.FINDINGS, finding_rows)):
        seed(field, collection, making, sites)


def site_rows(numbers: range) -> Iterator[dict[str, Any]]:
    """Sites as the registry told of them: activated, each with two obligations."""
    since = datetime.now(UTC) - timedelta(days=365)
    for number in numbers:
        division = _division(number)
        facts = SiteFacts(
            site=_site(number),
            operator=f"uscc:{number:018}",
            name=f"食品店{number}",
            operator_name=f"食品公司{number}",
            state=OperatorState.ACTIVATED,
            division=division,
            link=Link.CATERING if number % 3 else Link.CIRCULATION,
            version=1,
            listed=True,
            activated_at=since,
            obligations=(CATEGORIES[number % 4], CATEGORIES[(number + 1) % 4]),
            station=f"st{division}{number // COUNTIES % STATIONS}",
        )
        yield {"_id": facts.site, **facts.model_dump()}


def mark_rows(numbers: range) -> Iterator[dict[str, Any]]:
    """What each site did on ten days of the month."""
    first = months.window(Month.last(datetime.now(UTC)).name).first
    for number in numbers:
        for turn in range(MARKS_PER_SITE):
            day = (first + timedelta(days=(number + 3 * turn) % DAYS)).isoformat()
            category, kind = CATEGORIES[(number + turn) % 4], "shipping" if turn % 3 else "receiving"
            handed = [_event(number, turn, each) for each in range(2)]
            row = {"site": _site(number), "day": day, "kinds": [kind], "linked": [category]}
            yield {"_id": f"{row['site']}@{day}", **row, "handoffs": {category: handed}}


def finding_rows(numbers: range) -> Iterator[dict[str, Any]]:
    """Shipments of the month that nobody received."""
    start = months.window(Month.last(datetime.now(UTC)).name).start
    for number in numbers[::BROKEN_EVERY]:
        finding = Finding(
            id=f"F{number:031}",
            kind=FindingKind.OVERDUE_SHIPMENT,
            open=True,
            version=1,
            site=_site(number + 1),
            division=_division(number + 1),
            counterparty=_site(number),
            event_id=_event(number, 0, 0),
            due_at=start + timedelta(days=2),
            opened_at=start + timedelta(days=2),
        )
        yield {"_id": finding.id, **finding.model_dump()}


def _site(number: int) -> str:
    return f"licence:JY23701{number:09}"


def _division(number: int) -> str:
    county = number % COUNTIES
    return f"37{county // 10 + 1:02}{county % 10 + 2:02}"


def _event(number: int, turn: int, each: int) -> str:
    return f"E{number:020}{turn:06}{each:05}"
