"""What an objection and its re-test do to the case, the task and the recall that the first result led to. Pure."""

from contextlib import suppress
from typing import Final

from contracts.inspection import TaskState, TestResult
from services.inspection.cases import cases
from services.inspection.decision import Decision, system
from services.inspection.documents import Case, Test
from services.inspection.domain import Act, Step
from services.inspection.places import Sites
from services.inspection.recalls import recalls
from services.inspection.results import objections
from services.inspection.results.objections import Move
from services.inspection.results.results import Known, new_row, tested_at
from services.inspection.rules import Refused
from services.inspection.tasks.tasks import task_id

OVERTURNED: Final = "复检合格，撤销立案"


def object_to(decision: Decision, test: Test, act: Act) -> Test:
    """The operator objects: no penalty and no closing until the re-test. Raises Refused."""
    after = decision.test_step(test, objections.moved(test, Move.OBJECT, act), Move.OBJECT, act)
    if case := _case_of(decision, test):
        decision.case_step(case, cases.contested(case, True), "contest", act, after["standing"])
    return after


def record(decision: Decision, test: TestResult, first: Test, known: Known, sites: Sites, act: Act) -> Test:
    """Records a re-test, which decides the objection to the first one. Raises Refused."""
    row = new_row(decision, test, tested_at(test, sites), known.events, act.who)
    row["retest_of"] = first["_id"]
    decide(decision, first, decision.record_test(row, act), act)
    return row


def decide(decision: Decision, first: Test, retest: Test, act: Act) -> Test:
    """The re-test decides. One that finds nothing wrong ends what the first result led to. Raises Refused.

    A case whose penalty is decided, and a task that somebody inspected, are left to people.
    """
    move = Move.OVERTURN if retest["qualified"] else Move.UPHOLD
    after = decision.test_step(first, objections.moved(first, move, act, retest), move, act)
    if case := _case_of(decision, first):
        case = decision.case_step(case, cases.contested(case, False), "settle", act, after["standing"])
        if move is Move.OVERTURN:
            _end(decision, case, first)
    return after


def _end(decision: Decision, case: Case, first: Test) -> None:
    doing = system(decision.now, OVERTURNED)
    case = recalls.withdraw(decision, case)
    with suppress(Refused):
        decision.case_step(case, cases.rescind(case, doing), "rescind", doing, "closed")
    task = decision.tasks.get(task_id("test", first["_id"]))
    if task and task["state"] == TaskState.OPEN:
        decision.step(task, Step.CANCEL, doing)


def _case_of(decision: Decision, test: Test) -> Case | None:
    return decision.cases.get(cases.case_id("test", test["_id"]))
