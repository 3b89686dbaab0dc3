"""Recalls that failed tests propose, with their class's clocks; whoever is entitled decides. Pure."""

from typing import Any, Final

from contracts.inspection import RecallProposal, RecallState, TestKind
from contracts.recalls import CLOCKS
from services.inspection.cases.cases import is_open
from services.inspection.decision import Decision, system
from services.inspection.documents import Case, Test
from services.inspection.tasks.tasks import cause_id

SUGGESTED: Final = {TestKind.CLENBUTEROL_QUICK: 1, TestKind.RESIDUE_QUICK: 2, TestKind.LABORATORY: 2}
"""⚠ The measures ask for the harm, which no test tells: a banned substance may be grave, excess residue less so."""


def propose(decision: Decision, case: Case, test: Test) -> Case:
    """Proposes to recall a failed test's batch, once the batch is known, while the case is open."""
    if not test["batch"] or not test["event"] or not is_open(case):
        return case
    clock = CLOCKS[SUGGESTED[TestKind(test["kind"])]]
    told = {
        "state": RecallState.PROPOSED.value,
        "test": test["_id"],
        "batch": test["batch"],
        "product": test["product"],
        "category": test["category"],
        "recall_class": clock.recall_class,
        "proposed_at": decision.now,
        "start_by": decision.now + clock.start,
        "finish_days": clock.finish_days,
    }
    return _changed(decision, case, told, "propose_recall")


def withdraw(decision: Decision, case: Case) -> Case:
    """Takes the proposal back, if there is one."""
    if not case["recall"] or case["recall"]["state"] != RecallState.PROPOSED:
        return case
    return _changed(decision, case, {**case["recall"], "state": RecallState.WITHDRAWN.value}, "withdraw_recall")


def _changed(decision: Decision, case: Case, recall: Any, action: str) -> Case:
    after: Case = {**case, "version": case["version"] + 1, "recall": recall}
    decision.recalls.append(facts(after))
    return decision.case_step(case, after, action, system(decision.now, recall["batch"]), recall["state"])


def facts(case: Case) -> RecallProposal:
    """What is announced of a case's proposal."""
    recall: Any = case["recall"]
    placed = {name: case.get(name) for name in ("site", "operator", "site_name", "division", "link", "station")}
    about = {
        "id": "R" + cause_id("recall", case["_id"]),
        "version": case["version"],
        "case_id": case["_id"],
        "test_id": recall["test"],
        "item": case["item"],
    }
    return RecallProposal.model_validate({**recall, **placed, **about})
