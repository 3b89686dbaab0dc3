"""Recalls as tasks: one for each site that holds the goods or sold them on, until the recall ends or has to. Pure.

Closing the task confirms the site: its goods are kept apart, brought back or destroyed; what an officer finds wrong
there goes the closed loop's way. A site that is told again, in any order, has its task already. Once a recall is closed
nobody has to go any more: a task that nobody inspected for is cancelled, what was found stays to be put right.
"""

from collections.abc import Generator, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from contracts.inspection import TaskKind, TaskState
from contracts.recalls import CLOCKS, LEVELS, EndedRecall, Recall
from contracts.workdays import Days, deadline
from services.inspection.decision import Decision, system
from services.inspection.documents import Document, Task
from services.inspection.domain import Step
from services.inspection.places import Place, Sites, place
from services.inspection.store import TASKS, Query
from services.inspection.tasks import tasks

CAUSE: Final = "recall"
MOMENT: Final = timedelta(milliseconds=1)


def task_id(recall: str, site: str) -> str:
    """The task of a recall at a site."""
    return tasks.task_id(CAUSE, recall, site)


def asked_tasks(
    recalls: Sequence[Recall | EndedRecall], sites: Sites
) -> Generator[Query, list[Document], list[Document]]:
    """The tasks that there are already, under whatever id of their sites: yields a query and is sent its documents."""
    ids, named = list[str](), set[str]()
    for recall in recalls:
        today = {_where(site, sites).site for site in recall.sites}
        ids += [task_id(recall.id, site) for site in sorted(today)]
        named |= {*recall.sites, *today}
    at_sites = {"cause": CAUSE, "cause_id": {"$in": [each.id for each in recalls]}, "site": {"$in": sorted(named)}}
    found = yield Query(TASKS, {"$or": [{"_id": {"$in": ids}}, at_sites]})
    return found


def take_recalls(decision: Decision, recalls: Iterable[Recall], sites: Sites) -> None:
    """Opens a task at each site of the recalls that has none."""
    for recall in recalls:
        there = _by_site(decision, recall, sites)
        for where in _places(recall, sites):
            if where.site not in there:
                _open(decision, recall, where)


def end_recalls(decision: Decision, ends: Iterable[EndedRecall], sites: Sites) -> None:
    """Cancels the tasks that nobody inspected for. A site without one was told of the end before the beginning, and
    gets a cancelled one, so that the beginning opens none.
    """
    for recall in ends:
        there, act = _by_site(decision, recall, sites), system(decision.now, f"召回已结束：{recall.closed_reason}")
        for where in _places(recall, sites):
            for task in there.get(where.site) or [_open(decision, recall, where)]:
                if task["state"] == TaskState.OPEN:
                    decision.step(task, Step.CANCEL, act)


def _places(recall: Recall | EndedRecall, sites: Sites) -> list[Place]:
    """Its sites, each once, by the ids they have today."""
    places = [_where(site, sites, recall.division) for site in recall.sites]
    return [*{where.site: where for where in places}.values()]


def _by_site(decision: Decision, recall: Recall | EndedRecall, sites: Sites) -> dict[str, list[Task]]:
    """Its tasks by where they are today: one that was opened under an older id of its site keeps its own."""
    found: dict[str, list[Task]] = {}
    for task in decision.tasks:
        if task["cause_id"] == recall.id:
            found.setdefault(_where(task["site"], sites).site, []).append(task)
    return found


def _open(decision: Decision, recall: Recall | EndedRecall, where: Place) -> Task:
    what = f"召回核查：{recall.product or '食品'}（{LEVELS[recall.recall_class]}召回）"
    title = f"{what} · {where.site_name or where.site}"
    id = task_id(recall.id, where.site)
    new = tasks.opened(id, TaskKind.SPECIAL, CAUSE, recall.id, CAUSE, where, decision.now, title)
    due = recall.finish_by or deadline(recall.opened_at, CLOCKS[recall.recall_class].finish_days, Days.WORKING).at
    due = max(due, decision.now + MOMENT)
    words = f"{'、'.join(recall.batches[:3])}，{recall.reason}"
    return decision.open_task({**new, "due_at": due, "order": tasks.order(due, id)}, system(decision.now, words))


def _where(site: str, sites: Sites, division: str | None = None) -> Place:
    """A site that the registry does not know yet is its recall's division's to look after, till it is placed."""
    return place(Place(site, division=division), sites)


def progress(recall: str, scope: Document, within: Document) -> list[Document]:
    """Pipeline: how many of a recall's tasks there are, closed, cancelled, with a problem, by division and station."""

    def count(found: Any) -> Any:
        return {"$sum": {"$cond": [found, 1, 0]}}

    return [
        {"$match": {"$and": [{"cause_id": recall, "cause": CAUSE}, scope, within]}},
        {
            "$group": {
                "_id": {"division": "$division", "station": "$station"},
                "tasks": {"$sum": 1},
                "confirmed": count({"$eq": ["$state", TaskState.CLOSED.value]}),
                "withdrawn": count({"$eq": ["$state", TaskState.CANCELLED.value]}),
                "problems": count({"$in": ["find_problem", "$taken.step"]}),
            }
        },
        {"$sort": {"_id": 1}},
    ]
