"""What a handler or a call decided: documents against what was read, and lines for the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, TypeVar, cast

from contracts.inspection import RecallProposal
from services.inspection.cases import cases
from services.inspection.checks import ledger
from services.inspection.documents import Case, Document, FindingRow, LedgerRow, Placed, Task, Test
from services.inspection.domain import Act, Step
from services.inspection.places import Sites, place, placed, placed_at
from services.inspection.tasks import tasks

D = TypeVar("D", Task, Case, FindingRow, Test)
T = TypeVar("T", Task, Case, Test)

SELF: Final = "inspection"
"""Who did what the service does by itself."""


class Shelf(Generic[D]):
    """Documents of one kind as they were read and as they are to be."""

    def __init__(self, found: Iterable[D] = ()) -> None:
        self._now: dict[str, D] = {doc["_id"]: doc for doc in found}
        self.versions: dict[str, int] = {id: doc["version"] for id, doc in self._now.items()}
        self._put: dict[str, D] = {}

    def get(self, id: str) -> D | None:
        """The document as it is to be."""
        return self._now.get(id)

    def put(self, doc: D) -> D:
        """Takes a new state in."""
        self._now[doc["_id"]] = self._put[doc["_id"]] = doc
        return doc

    def __iter__(self) -> Iterator[D]:
        yield from self._now.values()

    def changed(self) -> Iterator[D]:
        """What is to be written."""
        yield from self._put.values()


@dataclass
class Decision:
    """Everything one commit writes. `now` is when it is decided (aware UTC, milliseconds)."""

    now: datetime
    tasks: Shelf[Task] = field(default_factory=Shelf)
    cases: Shelf[Case] = field(default_factory=Shelf)
    findings: Shelf[FindingRow] = field(default_factory=Shelf)
    ledger: list[LedgerRow] = field(default_factory=list)
    tests: Shelf[Test] = field(default_factory=Shelf)
    recalls: list[RecallProposal] = field(default_factory=list)
    samples: list[Document] = field(default_factory=list)
    frames: list[Document] = field(default_factory=list)

    def open_task(self, task: Task, act: Act) -> Task:
        """Puts a new task on the worklist, unless its cause has one already."""
        if known := self.tasks.get(task["_id"]):
            return known
        self._write(task["_id"], 1, task, "open_task", act, task["state"])
        return self.tasks.put(task)

    def step(self, task: Task, step: Step, act: Act) -> Task:
        """Takes a task one step on. Raises Refused."""
        after = tasks.take(task, step, act)
        outcome = after["level" if step is Step.ESCALATE else "state"]
        self._write(task["_id"], after["version"], task, step, act, outcome)
        return self.tasks.put(after)

    def open_case(self, case: Case, act: Act) -> Case:
        """Opens a case, unless its cause has one already."""
        if known := self.cases.get(case["_id"]):
            return known
        self._write(case["_id"], 1, case, "open_case", act, case["state"])
        return self.cases.put(case)

    def case_step(self, before: Case, after: Case, action: str, act: Act, outcome: str) -> Case:
        """Takes over what `cases` made of a case; nothing when that is the same."""
        if after is before:
            return before
        self._write(after["_id"], after["version"], after, action, act, outcome)
        return self.cases.put(after)

    def record_test(self, test: Test, act: Act) -> Test:
        """Puts a test on record that somebody brings by hand."""
        self._write(test["_id"], 1, test, "record_test", act, "qualified" if test["qualified"] else "failed")
        return self.tests.put(test)

    def test_step(self, before: Test, after: Test, action: str, act: Act) -> Test:
        """Takes over what became of a test on record."""
        self._write(after["_id"], after["version"], before, action, act, after["standing"])
        return self.tests.put(after)

    def link(self, task: Task, case: Case) -> Task:
        """Notes a task's case."""
        if task["case"] == case["_id"]:
            return task
        return self.tasks.put({**task, "case": case["_id"], "version": task["version"] + 1})

    def fail_recheck(self, case: Case, act: Act) -> Case:
        """A re-check that failed triggers the second must."""
        return self.case_step(case, cases.trigger(case, "rectification_failed"), "trigger", act, "rectification_failed")

    def sites(self) -> set[str]:
        """Where the tasks, cases and tests read are."""
        return {doc["site"] for shelf in (self.tasks, self.cases, self.tests) for doc in shelf}

    def move(self, sites: Sites) -> None:
        """Moves what was read to where the registry says its site is."""
        _move(self.tasks, sites)
        _move(self.cases, sites)
        _move(self.tests, sites)

    def _write(self, subject: str, version: int, where: Placed, action: str, act: Act, outcome: str) -> None:
        self.ledger += ledger.lines(subject, version, where, str(action), act, outcome, self.now)


def system(at: datetime, note: str = "") -> Act:
    """Something the service does by itself."""
    return Act(SELF, "system", at, note=note)


def _move(shelf: Shelf[T], sites: Sites) -> None:
    for doc in [*shelf]:
        before, after = placed_at(doc), place(placed_at(doc), sites)
        if after != before:
            shelf.put(cast(T, {**doc, **placed(after), "version": doc["version"] + 1}))
