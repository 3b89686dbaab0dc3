"""Tasks: opened once for a cause, taken through the closed loop, overdue ones handed up. Pure."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from contracts.findings import GAPS, LIVE, TITLES, FindingKind
from contracts.inspection import TaskFacts, TaskKind, TaskState
from services.inspection import clocks
from services.inspection.documents import Taken, Task
from services.inspection.domain import ENDED, Act, Step, transition
from services.inspection.places import Place, placed

_CHECKS: Final[Mapping[str, str]] = {
    **dict.fromkeys(map(str, FindingKind), "真实性核查"),
    **dict.fromkeys(map(str, GAPS), "断链核查"),
    **dict.fromkeys(map(str, LIVE), "检疫核查"),
    FindingKind.SILENT_SITE: "场所核查",
}

UNTASKED: Final = frozenset({FindingKind.POSSIBLE_DUPLICATE})
"""Findings that need no visit: who told an event twice declares one of the two an error."""


def cause_id(*parts: str | int) -> str:
    """One cause, one id, however often it is told."""
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()[:24]


def task_id(cause: str, *parts: str | int) -> str:
    """One cause, one task."""
    return "T" + cause_id(cause, *parts)


def title(item: str, place: Place) -> str:
    """What an officer reads first: what for, and where."""
    what = f"{_CHECKS[item]}：{TITLES[item]}" if item in _CHECKS else item
    return f"{what} · {place.site_name or place.site}"


def opened(
    id: str, kind: TaskKind, cause: str, cause_id: str | None, item: str, place: Place, at: datetime, words: str = ""
) -> Task:
    """A new task. Its day runs from `at`."""
    due = clocks.runs_out(kind, TaskState.OPEN, at)
    return {
        "_id": id,
        "kind": kind.value,
        "state": TaskState.OPEN.value,
        "version": 1,
        "title": words or title(item, place),
        "cause": cause,
        "cause_id": cause_id,
        "item": item,
        **placed(place),
        "officers": [],
        "inspectors": [],
        "level": clocks.LEVELS[0],
        "escalations": 0,
        "due_at": due.at,
        "provisional": due.provisional,
        "order": order(due.at, id),
        "opened_at": at,
        "inspected_at": None,
        "ordered_at": None,
        "closed_at": None,
        "reason": None,
        "case": None,
        "findings": [],
        "items": [],
        "checked_level": None,
        "taken": [],
    }


def order(at: datetime, id: str) -> str:
    """Sorts by time, then by id, as one string: a page's position, tight even where thousands share a midnight."""
    return f"{at:%Y%m%d%H%M%S}:{id}"


def take(task: Task, step: Step, act: Act) -> Task:
    """The task after a step. Raises Refused with the rule that stands against it."""
    row = transition(task, step, act)
    after: Task = {**task, "state": row.end.value, "version": task["version"] + 1}
    after["taken"] = [*task["taken"], _taken(step, act, row.end)]
    if step is Step.ASSIGN:
        after["officers"] = list(dict.fromkeys(act.officers))
    elif step in (Step.FIND_NOTHING, Step.FIND_PROBLEM):
        after |= {"inspectors": list(act.present), "inspected_at": act.at, "checked_level": act.level}
    elif step in (Step.ORDER, Step.FAIL):
        after["ordered_at"] = act.at
    elif step is Step.ESCALATE:
        return _handed_up(after)
    if row.end in ENDED:
        after |= {"closed_at": act.at, "reason": act.note or None, "order": order(act.at, task["_id"])}
    elif row.end != row.start:
        _start_clock(after, row.end)
    return after


def _taken(step: Step, act: Act, state: TaskState) -> Taken:
    return {
        "step": step.value,
        "at": act.at,
        "who": act.who,
        "officers": list(act.officers),
        "note": "；".join(act.items) or act.note,
        "evidence": list(act.evidence),
        "location": act.location,
        "state": state.value,
    }


def _start_clock(task: Task, state: TaskState) -> None:
    """A stage begins on the station's desk, with its own time."""
    started = task[clocks.STARTS[state]]
    assert started is not None
    due = clocks.runs_out(task["kind"], state, started)
    task |= {"level": clocks.LEVELS[0], "due_at": due.at, "provisional": due.provisional}
    task["order"] = order(due.at, task["_id"])


def _handed_up(task: Task) -> Task:
    """One level up. The new level's time runs from when the last one's ran out, so that none is skipped after an
    outage; the province's does not end.
    """
    level = clocks.next_level(task["level"])
    assert level is not None
    task |= {"level": level, "escalations": task["escalations"] + 1}
    if until := clocks.told_until(level, task["taken"][-1]["at"]):
        task |= {"due_at": until, "order": order(until, task["_id"])}
    return task


def timed(task: Task) -> bool:
    """Whether a clock still runs that a timer has to end."""
    return task["state"] not in ENDED and clocks.next_level(task["level"]) is not None


def facts(task: Task) -> TaskFacts:
    """What is announced of it."""
    return TaskFacts.model_validate(
        {
            **{name: task.get(name) for name in TaskFacts.model_fields},
            "id": task["_id"],
            "findings": tuple(each["id"] for each in task["findings"]),
            "due_at": None if task["state"] in ENDED else task["due_at"],
        }
    )
