"""A site's credit file (信用档案): what counts against it in the last 12 months, from cases, tests and tasks. Pure."""

from collections.abc import Container, Generator, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from contracts.inspection import Standing, TaskState
from services.inspection import store
from services.inspection.cases.handlings import a_year_before
from services.inspection.decision import SELF
from services.inspection.documents import Document
from services.inspection.domain import Step
from services.inspection.risk.risk import Entry
from services.inspection.store import Query

_STEPS: Final = {
    (Step.FIND_PROBLEM, TaskState.INSPECTED): "problem",
    (Step.FAIL, TaskState.RECTIFYING): "failed_recheck",
    (Step.ESCALATE, TaskState.RECTIFYING): "overdue",
}
"""By step and where it led. Of what runs out only the week to rectify is the site's; the rest, and what an officer
hands up before its time, is not."""

_MILD: Final = ("exempt", "none")


def asked_file(sites: Iterable[str], now: datetime) -> Generator[Query, list[Document], list[Entry]]:
    """The file of a site, given by all its ids, newest first: yields queries, and is sent rows."""
    since, here = a_year_before(now), {"site": {"$in": sorted(sites)}}
    lately = {"$or": [{"opened_at": {"$gte": since}}, {"penalty.at": {"$gte": since}}]}
    cases = yield Query(store.CASES, {**here, **lately, "rescinded": {"$ne": True}})
    overturned = yield _asked_overturned(cases)
    cases = _well_founded(cases, {test["_id"] for test in overturned})
    tests = yield Query(
        store.TESTS,
        {**here, "qualified": False, "retest_of": None, "tested_at": {"$gte": since},
         "standing": {"$ne": Standing.OVERTURNED.value}},
    )  # fmt: skip
    tasks = yield Query(store.TASKS, {**here, "taken": {"$elemMatch": {"at": {"$gte": since}}}})
    entries = [entry for entry in (*_of_cases(cases), *_of_tests(tests), *_of_tasks(tasks)) if entry.at >= since]
    return sorted(entries, key=lambda entry: (entry.at, entry.id), reverse=True)


def _asked_overturned(cases: Iterable[Document]) -> Query:
    """Tests that led to these cases and were overturned: what was decided or closed by then was not rescinded."""
    ids = sorted(case["cause_id"] for case in cases if case["cause"] == "test")
    return Query(store.TESTS, {"_id": {"$in": ids}, "standing": Standing.OVERTURNED.value}, {"_id": 1})


def _well_founded(cases: Iterable[Document], overturned: Container[str]) -> list[Document]:
    return [case for case in cases if not (case["cause"] == "test" and case["cause_id"] in overturned)]


def _of_cases(cases: Iterable[Any]) -> Iterator[Entry]:
    for case in cases:
        yield Entry("case", case["opened_at"], case["_id"], case["title"])
        if (penalty := case["penalty"]) and penalty["penalty"] not in _MILD:
            yield Entry("penalty", penalty["at"], case["_id"], penalty["penalty"])


def _of_tests(tests: Iterable[Any]) -> Iterator[Entry]:
    for test in tests:
        yield Entry("failed_test", test["tested_at"], test["_id"], test["item"])


def _of_tasks(tasks: Iterable[Any]) -> Iterator[Entry]:
    for task in tasks:
        for taken in task["taken"]:
            kind = _STEPS.get((taken["step"], taken["state"]))
            if kind and not (kind == "overdue" and taken["who"] != SELF):
                yield Entry(kind, taken["at"], task["_id"], task["title"])
