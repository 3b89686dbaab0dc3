"""The month's bulletin: from its timer being due to the version stored and announced, beside its bare pipelines."""

import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bench.child import Child
from bench.ground import Field, Ground
from bench.hearing import Ear, Wrong
from bench.month import MARKS_PER_SITE, Month, fill
from bench.result import Result, Side, measured
from chassis import timers
from chassis.asking import answered
from chassis.collections import TIMERS
from services.reporting import store
from services.reporting.bulletin import freeze
from services.reporting.queries import Query

KEY: Final = "reporting.bulletin_published.v1"
FREEZE: Final = "bulletin.freeze"
"""Kind and id of the worker's timer."""

WITHIN_S: Final = 300.0


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
        fill(field, sites)
        queries = _queries(field, month)
        urls = {"amqp_url": field.amqp_url, "mongo_url": field.mongo_url}
        with ground.running(name, ("services.reporting", "worker"), **urls, timer_s=0.05) as worker:
            ear.await_true(partial(_is_idle, field), worker.runs, "waiting for the fifth")
            # Warm, as the pipelines are by now.
            _frozen(field, ear, worker, month, sites)
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
