"""A decision as pymongo operations; pure, for worker and api alike."""

from typing import Any

from pymongo import InsertOne, ReplaceOne

from chassis import timers
from services.inspection import store
from services.inspection.decision import D, Decision, Shelf
from services.inspection.documents import Task
from services.inspection.tasks import tasks

TIMER = "task"
"""Kind of the timer rows: one for each task whose clock runs."""


def writes(decision: Decision) -> dict[str, list[Any]]:
    """The decision as operations of one transaction.

    Whoever decided on an older sight of a document, or opened the same thing, meets a duplicate key and decides
    again. The ledger is only ever inserted into.
    """
    made = {
        store.TASKS: _placed(decision.tasks),
        store.CASES: _placed(decision.cases),
        store.FINDINGS: _placed(decision.findings),
        store.TESTS: _placed(decision.tests),
        store.SAMPLES: [InsertOne(row) for row in decision.samples],
        store.FRAMES: [InsertOne(row) for row in decision.frames],
        store.LEDGER: [InsertOne(row) for row in decision.ledger],
    }
    return _merged(made, *(_timer(task) for task in decision.tasks.changed()))


def _placed(shelf: Shelf[D]) -> list[Any]:
    return [
        ReplaceOne({"_id": doc["_id"], "version": read}, doc, upsert=True) if read else InsertOne(doc)
        for doc in shelf.changed()
        for read in [shelf.versions.get(doc["_id"])]
    ]


def _timer(task: Task) -> dict[str, list[Any]]:
    """The task's clock, set or stopped with it."""
    id = timer_id(task["_id"])
    return timers.due(id, TIMER, task["due_at"], {"task": task["_id"]}) if tasks.timed(task) else timers.done(id)


def timer_id(task: str) -> str:
    """The id of a task's timer row."""
    return f"{TIMER}:{task}"


def _merged(*parts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    whole: dict[str, list[Any]] = {}
    for part in parts:
        for name, operations in part.items():
            whole.setdefault(name, []).extend(operations)
    return whole
