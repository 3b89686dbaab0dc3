"""How long each stage of the closed loop may take, by dated tables, and when the next level is told. Pure.

S3's terms (inspect the day it is found, rectify within the week, re-check within the month) are calendar days;
statutory terms are working days: each row says which.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from contracts.fields import SHANGHAI
from contracts.inspection import TaskKind, TaskState
from contracts.workdays import Days, Deadline, deadline


class Clock(NamedTuple):
    """From `since` on, a task in `state` has `days` from when `STARTS` says; no `kinds` means any kind."""

    state: TaskState
    days: int
    unit: Days
    since: date
    clause: str
    kinds: tuple[TaskKind, ...] = ()


Start = Literal["opened_at", "inspected_at", "ordered_at"]

STARTS: Final[dict[TaskState, Start]] = {
    TaskState.OPEN: "opened_at",
    TaskState.INSPECTED: "inspected_at",
    TaskState.RECTIFYING: "ordered_at",
    TaskState.RECTIFIED: "ordered_at",
}
"""What a stage's days are counted from: week and month both run from the order, which is given on the day."""

_S4_START: Final = date(2022, 4, 15)
_S3: Final = "S3: 日督查、周整改、月复查"

CLOCKS: Final = (
    Clock(TaskState.OPEN, 1, Days.CALENDAR, _S4_START, _S3),
    Clock(TaskState.OPEN, 20, Days.WORKING, _S4_START, "S1: 每季度抽查", (TaskKind.QUARTERLY,)),
    Clock(TaskState.OPEN, 20, Days.WORKING, _S4_START, "食品安全抽样检验管理办法 ⚠", (TaskKind.SAMPLING,)),
    Clock(TaskState.OPEN, 30, Days.CALENDAR, _S4_START, "S4: 年审", (TaskKind.ANNUAL,)),
    Clock(TaskState.INSPECTED, 1, Days.CALENDAR, _S4_START, _S3),
    Clock(TaskState.RECTIFYING, 7, Days.CALENDAR, _S4_START, _S3),
    Clock(TaskState.RECTIFIED, 30, Days.CALENDAR, _S4_START, _S3),
)

LEVELS: Final = ("station", "county", "city", "province")

STAYS: Final = {"county": timedelta(days=3), "city": timedelta(days=3)}
"""How long a level has, once told, before the next one is."""


@lru_cache(1024)
def clock(kind: str, state: str, day: date) -> Clock | None:
    """The row for a stage that began that day: the latest in force, one for the task's kind before one for any."""
    rows = (row for row in CLOCKS if row.state == state and (not row.kinds or kind in row.kinds) and row.since <= day)
    return max(rows, key=lambda row: (bool(row.kinds), row.since), default=None)


def runs_out(kind: str, state: str, started: datetime) -> Deadline:
    """When a stage that began then runs out; what began before the first row of the table is due at once."""
    row = clock(kind, state, started.astimezone(SHANGHAI).date())
    return deadline(started, row.days, row.unit) if row else Deadline(started, False)


def next_level(level: str) -> str | None:
    """Whom an overdue task goes to; None from the province."""
    place = LEVELS.index(level) + 1
    return LEVELS[place] if place < len(LEVELS) else None


def told_until(level: str, due_at: datetime) -> datetime | None:
    """Until when a level that was told at `due_at` has time; None for the last."""
    return due_at + STAYS[level] if level in STAYS else None
