"""Objections to a failed test, and the re-test that decides: the state machine as a table. Pure.

Law 88: within 4 hours of a quick test's result, and no quick method in the re-test; within 7 working days of a
laboratory's result. What the re-test says is final.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.inspection import Standing, TestKind
from contracts.workdays import Days, Deadline, deadline
from services.inspection.documents import Test
from services.inspection.domain import Act
from services.inspection.rules import Refused

STANDS, OBJECTED, UPHELD, OVERTURNED = Standing

QUICK_HOURS: Final = timedelta(hours=4)
LABORATORY_DAYS: Final = 7


class Move(StrEnum):
    """What is done about a result."""

    OBJECT = "object"
    UPHOLD = "uphold"
    OVERTURN = "overturn"


class Row(NamedTuple):
    """One allowed move; `roles` may make it when no rule stands against it; `clause` is why it exists."""

    start: Standing
    move: Move
    end: Standing
    roles: frozenset[str]
    rules: tuple[str, ...]
    clause: str


_PARTIES: Final = frozenset({"operator", "regulator"})
"""The operator itself, or an officer who takes its paper in."""

_LABORATORY: Final = frozenset({"laboratory"})
_OBJECTING: Final = ("test_qualified", "retest_final", "objection_late", "reason_required")
_RETESTING: Final = ("retest_quick", "retest_same_laboratory")

OBJECTIONS: Final = (
    Row(STANDS, Move.OBJECT, OBJECTED, _PARTIES, _OBJECTING, "食品安全法第88条"),
    Row(OBJECTED, Move.UPHOLD, UPHELD, _LABORATORY, _RETESTING, "食品安全法第88条"),
    Row(OBJECTED, Move.OVERTURN, OVERTURNED, _LABORATORY, _RETESTING, "食品安全法第88条"),
)
_TABLE: Final = {(row.start, row.move): row for row in OBJECTIONS}


def until(kind: str, told_at: datetime) -> Deadline:
    """Until when the operator may object to a result it was told then."""
    if kind == TestKind.LABORATORY:
        return deadline(told_at, LABORATORY_DAYS, Days.WORKING)
    return Deadline(told_at + QUICK_HOURS, False)


_STANDS: Final[Mapping[str, Callable[[Test, Act, Test | None], bool]]] = {
    "test_qualified": lambda test, act, retest: test["qualified"],
    "retest_final": lambda test, act, retest: test["retest_of"] is not None,
    "objection_late": lambda test, act, retest: act.at > until(test["kind"], test["recorded_at"]).at,
    "reason_required": lambda test, act, retest: not act.note,
    "retest_quick": lambda test, act, retest: retest is not None and retest["kind"] != TestKind.LABORATORY,
    "retest_same_laboratory": lambda test, act, retest: (
        retest is not None and retest["recorded_by"] == test["recorded_by"]
    ),
}
"""When a rule stands against a move; `retest` is the test that decides."""


def moved(test: Test, move: Move, act: Act, retest: Test | None = None) -> Test:
    """The test after a move. Raises Refused with the rule that stands against it."""
    standing = Standing(test["standing"])
    row = _TABLE.get((standing, move))
    if row is None:
        raise Refused("objected_already" if move is Move.OBJECT else "no_objection", {"standing": standing})
    if act.role not in row.roles:
        raise Refused("role", {"role": act.role, "step": move})
    for rule in row.rules:
        if _STANDS[rule](test, act, retest):
            raise Refused(rule, {"until": until(test["kind"], test["recorded_at"]).at.isoformat()})
    after: Test = {**test, "version": test["version"] + 1, "standing": row.end.value}
    if move is Move.OBJECT:
        after["objection"] = {"who": act.who, "at": act.at, "reason": act.note, "evidence": list(act.evidence)}
    elif retest:
        after["retest"] = retest["_id"]
    return after
