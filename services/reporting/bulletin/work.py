"""What was found, inspected, tested and told in a window, counted by county. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from contracts.findings import FindingKind
from contracts.inspection import Standing
from services.reporting.months import Window

Document = dict[str, Any]

NOWHERE: Final = "-"
"""Of what names no division."""


class Told(NamedTuple):
    """Rows that concern a window, as they stand now."""

    findings: list[Document]
    tasks: list[Document]
    cases: list[Document]
    tests: list[Document]
    deliveries: list[Document]


def work(told: Told, window: Window) -> dict[str, dict[str, int]]:
    """Counters by county code.

    `<what>_opened`, `_closed` in the window and `_open` at its end, of each kind of finding, of tasks and of cases;
    `tasks_escalated`; `tests`, `tests_unqualified`, and both per kind; `deliveries_<channel>_<state>`. A re-test is no
    test of its own: what it says stands for the first one (食品安全法 art. 88).
    """
    counted: dict[str, Counter[str]] = {}
    for finding in told.findings:
        _count(counted, finding, _course(finding, finding["kind"], window))
    for task in told.tasks:
        _count(counted, task, _course(task, "tasks", window))
        if task["escalations"]:
            _count(counted, task, ["tasks_escalated"])
    for case in told.cases:
        _count(counted, case, _course(case, "cases", window))
    for test in told.tests:
        _count(counted, test, _tested(test))
    for delivery in told.deliveries:
        _count(counted, delivery, [f"deliveries_{delivery['channel']}_{delivery['state']}"])
    return {county: dict(sorted(counter.items())) for county, counter in sorted(counted.items())}


def _count(counted: dict[str, Counter[str]], row: Document, names: Iterable[str]) -> None:
    counted.setdefault((row.get("division") or NOWHERE)[:6], Counter()).update(names)


def _course(row: Document, what: str, window: Window) -> list[str]:
    opened, closed = row["opened_at"], row.get("closed_at")
    names = {
        "opened": window.start <= opened < window.end,
        "closed": closed is not None and window.start <= closed < window.end,
        "open": open_at_end(row, window),
    }
    return [f"{what}_{name}" for name, counts in names.items() if counts]


def open_at_end(row: Document, window: Window) -> bool:
    """Whether it was open when the window ended."""
    closed = row.get("closed_at")
    return bool(row["opened_at"] < window.end and (closed is None or closed >= window.end))


def _tested(test: Document) -> list[str]:
    if test["retest_of"]:
        return []
    names = ["tests", f"tests_{test['kind']}"]
    stands = test["qualified"] or test["standing"] == Standing.OVERTURNED
    return names if stands else [*names, "tests_unqualified", f"tests_{test['kind']}_unqualified"]


def still_open(findings: Iterable[Document], kinds: Iterable[FindingKind], window: Window) -> list[Document]:
    """Findings of some kinds that were open when the window ended, the oldest first."""
    wanted = set(kinds)
    found = (row for row in findings if row["kind"] in wanted and open_at_end(row, window))
    return sorted(found, key=lambda row: (row["due_at"], row["id"]))
