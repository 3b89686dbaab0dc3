"""The closed loop as a table: which step leads where, for whom, past which rules, by which clause. Pure.

S3: daily inspect → rectify within the week → re-check within the month by another officer (`tasks`). The state
machine of cases is `gates`, that of objections `objections`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.inspection import TaskState
from services.inspection.documents import Task
from services.inspection.rules import Refused

OPEN, INSPECTED, RECTIFYING, RECTIFIED, CLOSED, CANCELLED = TaskState
ENDED: Final = frozenset({CLOSED, CANCELLED})
RUNNING: Final = tuple(state for state in TaskState if state not in ENDED)

INSPECTORS: Final = 2
"""At least so many inspect (行政处罚法 art. 42)."""


class Step(StrEnum):
    """What is done to a task."""

    ASSIGN = "assign"
    FIND_NOTHING = "find_nothing"
    FIND_PROBLEM = "find_problem"
    ORDER = "order"
    RECTIFY = "rectify"
    PASS = "pass"
    FAIL = "fail"
    ESCALATE = "escalate"
    CANCEL = "cancel"


class Transition(NamedTuple):
    """One allowed step; `roles` may take it when no rule of `rules` stands against it; `clause` is why it exists."""

    start: TaskState
    step: Step
    end: TaskState
    roles: frozenset[str]
    rules: tuple[str, ...]
    clause: str


_OFFICER: Final = frozenset({"regulator"})
_ANY: Final = frozenset({"regulator", "system"})
_INSPECTING: Final = ("two_inspectors", "inspector_assigned", "account_required")
_RECHECKING: Final = ("recheck_other_officer", "account_required")
_DAY, _WEEK, _MONTH = "S3: 日督查", "S3: 周整改", "S3: 月复查"

TRANSITIONS: Final = (
    Transition(OPEN, Step.ASSIGN, OPEN, _OFFICER, ("officers_required",), "行政处罚法第42条"),
    Transition(OPEN, Step.FIND_NOTHING, CLOSED, _OFFICER, _INSPECTING, _DAY),
    Transition(OPEN, Step.FIND_PROBLEM, INSPECTED, _OFFICER, _INSPECTING, _DAY),
    Transition(INSPECTED, Step.ORDER, RECTIFYING, _OFFICER, ("items_required",), "食品安全法第126条"),
    Transition(RECTIFYING, Step.RECTIFY, RECTIFIED, _OFFICER, ("evidence_required",), _WEEK),
    Transition(RECTIFIED, Step.PASS, CLOSED, _OFFICER, _RECHECKING, _MONTH),
    Transition(RECTIFIED, Step.FAIL, RECTIFYING, _OFFICER, _RECHECKING, _MONTH),
    # The system cancels what came to rest by itself, and only before anybody looked.
    Transition(OPEN, Step.CANCEL, CANCELLED, _ANY, ("reason_required",), "断链自行闭合；召回结束"),
    *(Transition(state, Step.ESCALATE, state, _ANY, ("top_level",), "S3: 逾期上报") for state in RUNNING),
)
_TABLE: Final = {(row.start, row.step): row for row in TRANSITIONS}


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, as what (a role of `shilian.access.v1`, or `system`), when, and what they bring.

    `level` is that of their authority: `county`, `city` or `province`.
    """

    who: str
    role: str
    at: datetime
    officers: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    note: str = ""
    evidence: tuple[str, ...] = ()
    location: str = ""
    level: str = "county"

    @property
    def present(self) -> tuple[str, ...]:
        """Who was there: the officers named and whoever records it."""
        return tuple(dict.fromkeys((*self.officers, self.who)))


_STANDS: Final[Mapping[str, Callable[[Task, Act], bool]]] = {
    "officers_required": lambda task, act: not act.officers,
    "two_inspectors": lambda task, act: min(len({*task["officers"]}), len({*act.officers})) < INSPECTORS,
    "inspector_assigned": lambda task, act: not {*act.officers} <= {*task["officers"]},
    "account_required": lambda task, act: not (act.note or act.evidence),
    "evidence_required": lambda task, act: not act.evidence,
    "items_required": lambda task, act: not act.items,
    "reason_required": lambda task, act: not act.note,
    "recheck_other_officer": lambda task, act: not {*act.present}.isdisjoint(task["inspectors"]),
    "top_level": lambda task, act: task["level"] == "province",
}
"""When a rule stands against a step."""


def transition(task: Task, step: Step, act: Act) -> Transition:
    """The row for a step of this task. Raises Refused with the rule that stands against it."""
    state = TaskState(task["state"])
    row = _TABLE.get((state, step))
    if state in ENDED:
        raise Refused("task_ended", ended(task))
    if row is None:
        raise Refused("task_state", {"state": state, "step": step})
    if act.role not in row.roles:
        raise Refused("role", {"role": act.role, "step": step})
    for rule in row.rules:
        if _STANDS[rule](task, act):
            raise Refused(rule, {"state": state, "step": step})
    return row


def ended(task: Task) -> dict[str, str]:
    """Who ended a task and when."""
    last = task["taken"][-1]
    return {"state": task["state"], "by": last["who"], "at": last["at"].isoformat()}
