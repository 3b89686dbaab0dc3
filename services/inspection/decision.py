"""What a handler or a call decided: documents against what was read, and lines for the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from contracts.inspection import TestResult
from services.inspection import cases, ledger, tasks
from services.inspection.documents import Case, Document, FindingRow, LedgerRow, Placed, Task
from services.inspection.domain import Act, Step
from services.inspection.places import Place

D = TypeVar("D", Task, Case, FindingRow)


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
    tests: list[tuple[TestResult, Place]] = field(default_factory=list)
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

    def link(self, task: Task, case: Case) -> Task:
        """Notes a task's case."""
        if task["case"] == case["_id"]:
            return task
        return self.tasks.put({**task, "case": case["_id"], "version": task["version"] + 1})

    def fail_recheck(self, case: Case, act: Act) -> Case:
        """A re-check that failed triggers the second must."""
        return self.case_step(case, cases.trigger(case, "rectification_failed"), "trigger", act, "rectification_failed")

    def _write(self, subject: str, version: int, where: Placed, action: str, act: Act, outcome: str) -> None:
        self.ledger += ledger.lines(subject, version, where, str(action), act, outcome, self.now)


def system(at: datetime, note: str = "") -> Act:
    """Something the service does by itself."""
    return Act("inspection", "system", at, note=note)
