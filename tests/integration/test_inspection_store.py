"""Inspection's queries on a real database: a worklist's page reads what it shows, however long the list is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import WriteError

from chassis.caller import Caller
from chassis.collections import ensure
from contracts.inspection import TaskKind
from services.inspection import queries
from services.inspection.domain import RUNNING
from services.inspection.places import Place
from services.inspection.store import COLLECTIONS, TASKS
from services.inspection.tasks import tasks

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
OPEN = [state.value for state in RUNNING]
COUNT, PAGE = 3_000, 50


def regulator(division: str) -> Caller:
    return Caller("王一", "regulator", division)


def filled(db: Any) -> Any:
    """A database with many open tasks, most of them due at one midnight."""
    ensure(db, COLLECTIONS)
    rows = []
    for number in range(COUNT):
        where = Place(f"market:{number}", division=f"3701{number % 5:02}", station=f"所{number % 20}")
        at = NOW - timedelta(days=number % 3)
        task = tasks.opened(f"T{number:06}", TaskKind.DAILY, "hand", None, "patrol", where, at)
        rows.append({**task, "officers": [f"officer-{number % 10}", "王一"]})
    db[TASKS].insert_many(rows)
    return db[TASKS]


QUESTIONS: dict[str, tuple[Caller, dict[str, Any]]] = {
    "province": (regulator("37"), {}),
    "city": (regulator("3701"), {}),
    "county": (regulator("370103"), {}),
    "station": (regulator("3701"), {"station": "所3"}),
    "officer": (regulator("3701"), {"officers": "officer-3"}),
    "everything": (Caller("任务", "system"), {}),
}


@pytest.mark.parametrize("states", [OPEN, []], ids=["open", "any state"])
def test_a_page_reads_little_more_than_it_shows_and_sorts_nothing(db: Any, states: list[str]) -> None:
    collection = filled(db)
    for name, (caller, fields) in QUESTIONS.items():
        after = ""
        for _ in range(2):
            asked = queries.tasks_like(caller, "", states, after, **fields)
            cursor = collection.find(asked).sort([("order", 1)]).limit(PAGE + 1)
            told = cursor.explain()["executionStats"]
            assert told["nReturned"] == PAGE + 1, name
            assert told["totalDocsExamined"] <= 8 * PAGE, name
            assert "'SORT'" not in str(cursor.explain()["queryPlanner"]["winningPlan"]), name
            after = list(cursor)[-1]["order"]


def test_pages_show_every_task_once_in_the_order_of_what_is_due(db: Any) -> None:
    collection = filled(db)
    seen: list[Any] = []
    after = ""
    while page := list(
        collection.find(queries.tasks_like(regulator("370103"), "", OPEN, after)).sort([("order", 1)]).limit(500)
    ):
        seen += page
        after = page[-1]["order"]
    assert len({task["_id"] for task in seen}) == len(seen) == COUNT // 5
    assert [task["due_at"] for task in seen] == sorted(task["due_at"] for task in seen)


def test_what_is_no_task_is_not_stored(db: Any) -> None:
    ensure(db, COLLECTIONS)
    task: Any = tasks.opened("T1", TaskKind.DAILY, "hand", None, "patrol", Place("s"), NOW)
    wrongs: list[Any] = [{"state": "lost"}, {"level": "planet"}, {"areas": []}, {"due_at": "soon"}]
    for wrong in wrongs:
        with pytest.raises(WriteError):
            db[TASKS].insert_one({**task, **wrong})
