"""Inspection's state machines walked exhaustively: no path skips a gate, and every row of the tables can be met."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.inspection import CaseState, TaskKind, TaskState
from services.inspection import domain
from services.inspection.cases import cases, gates
from services.inspection.cases.gates import CASE_TRANSITIONS, GATES, MUSTS, CaseStep, due_musts, missing_gates
from services.inspection.cases.handlings import Earlier
from services.inspection.documents import Case, Task
from services.inspection.domain import ENDED, TRANSITIONS, Act, Step
from services.inspection.places import Place
from services.inspection.rules import RULES, Refused
from services.inspection.tasks import tasks

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
WHERE = Place("licence:JY1", "uscc:1", "王记", "370105", "circulation", "匡山监管所")
PEOPLE = ("甲", "乙", "丙")

acts = st.builds(
    Act,
    who=st.sampled_from(PEOPLE),
    role=st.sampled_from(["regulator", "regulator", "regulator", "system", "overseer"]),
    at=st.just(NOW),
    officers=st.lists(st.sampled_from(PEOPLE), max_size=3).map(tuple),
    items=st.sampled_from([(), ("补录",)]),
    note=st.sampled_from(["", "说明"]),
    evidence=st.sampled_from([(), ("照片",)]),
)
steps = st.sampled_from(list(Step))


def new_task(**told: Any) -> Task:
    task = tasks.opened("T1", TaskKind.DAILY, "finding", "F1", "overdue_shipment", WHERE, NOW)
    return {**task, **told}  # type: ignore[typeddict-item]


def walked(path: list[tuple[Step, Act]]) -> list[Task]:
    """Every state of a task on a path, refused steps left out."""
    seen = [new_task()]
    for step, act in path:
        with suppress(Refused):
            seen.append(tasks.take(seen[-1], step, act))
    return seen


@settings(max_examples=300, deadline=None)
@given(path=st.lists(st.tuples(steps, acts), max_size=25))
def test_no_path_closes_a_task_past_a_gate(path: list[tuple[Step, Act]]) -> None:
    seen = walked(path)
    assert [task["version"] for task in seen] == list(range(1, len(seen) + 1))
    for before, after in pairwise(seen):
        assert before["state"] not in ENDED
        taken = after["taken"][-1]
        step = Step(taken["step"])
        if step in (Step.FIND_NOTHING, Step.FIND_PROBLEM):
            assert len({*before["officers"]}) >= 2
            assert {*taken["officers"]} <= {*before["officers"]}
            assert len({*taken["officers"]}) >= 2
        if step in (Step.PASS, Step.FAIL):
            assert {taken["who"], *taken["officers"]}.isdisjoint(after["inspectors"])
        if step is Step.RECTIFY:
            assert taken["evidence"]
    done = [taken["step"] for taken in seen[-1]["taken"] if taken["step"] not in (Step.ASSIGN, Step.ESCALATE)]
    if seen[-1]["state"] == TaskState.CLOSED:
        assert done[0] == Step.FIND_NOTHING or done[:3] == [Step.FIND_PROBLEM, Step.ORDER, Step.RECTIFY]
        assert done[-1] in (Step.FIND_NOTHING, Step.PASS)


@given(path=st.lists(st.tuples(steps, acts), max_size=15))
def test_a_task_is_timed_exactly_until_it_ends_or_is_with_the_province(path: list[tuple[Step, Act]]) -> None:
    for task in walked(path):
        assert tasks.timed(task) == (task["state"] not in ENDED and task["level"] != "province")
        assert tasks.facts(task).state == task["state"]
        assert task["order"].endswith(":T1")


@pytest.mark.parametrize(("state", "step"), [*product(TaskState, Step)])
def test_the_table_alone_says_which_steps_there_are(state: TaskState, step: Step) -> None:
    allowed = {(row.start, row.step): row for row in TRANSITIONS}
    taken = [{"step": "x", "at": NOW, "who": "甲"}]
    task = new_task(
        state=state.value, officers=["甲", "乙"], inspectors=["甲", "乙"], inspected_at=NOW, ordered_at=NOW, taken=taken
    )
    who = "丙" if step in (Step.PASS, Step.FAIL) else "甲"
    officers = ("甲", "乙") if step in (Step.ASSIGN, Step.FIND_NOTHING, Step.FIND_PROBLEM) else ()
    act = Act(who, "regulator", NOW, officers, ("补录",), "说明", ("照片",))
    if row := allowed.get((state, step)):
        assert tasks.take(task, step, act)["state"] == row.end
        with pytest.raises(Refused, match="角色"):
            tasks.take(task, step, Act(who, "overseer", NOW, officers, ("补录",), "说明", ("照片",)))
    else:
        with pytest.raises(Refused) as refused:
            tasks.take(task, step, act)
        assert refused.value.rule == ("task_ended" if state in ENDED else "task_state")


GATELESS: dict[str, tuple[Step, TaskState, Act]] = {
    "officers_required": (Step.ASSIGN, TaskState.OPEN, Act("甲", "regulator", NOW)),
    "two_inspectors": (Step.FIND_PROBLEM, TaskState.OPEN, Act("甲", "regulator", NOW, ("甲",), note="x")),
    "inspector_assigned": (Step.FIND_PROBLEM, TaskState.OPEN, Act("甲", "regulator", NOW, ("甲", "丙"), note="x")),
    "account_required": (Step.FIND_PROBLEM, TaskState.OPEN, Act("甲", "regulator", NOW, ("甲", "乙"))),
    "items_required": (Step.ORDER, TaskState.INSPECTED, Act("甲", "regulator", NOW, note="x")),
    "evidence_required": (Step.RECTIFY, TaskState.RECTIFYING, Act("甲", "regulator", NOW, note="x")),
    "recheck_other_officer": (Step.PASS, TaskState.RECTIFIED, Act("乙", "regulator", NOW, note="x")),
    "reason_required": (Step.CANCEL, TaskState.OPEN, Act("甲", "regulator", NOW)),
}


@pytest.mark.parametrize("rule", GATELESS)
def test_each_rule_stands_by_its_name(rule: str) -> None:
    step, state, act = GATELESS[rule]
    with pytest.raises(Refused) as refused:
        tasks.take(new_task(state=state.value, officers=["甲", "乙"], inspectors=["甲", "乙"]), step, act)
    assert refused.value.rule == rule


def test_every_rule_of_the_tables_is_in_the_table_of_rules() -> None:
    rows: list[domain.Transition | gates.CaseTransition] = [*TRANSITIONS, *CASE_TRANSITIONS]
    assert {rule for row in rows for rule in row.rules} <= {*RULES}
    assert all(row.clause for row in rows)
    assert {rule for row in TRANSITIONS for rule in row.rules} == {*GATELESS, "top_level"}


# Cases


def new_case(*earlier: Earlier, at: datetime = NOW) -> Case:
    return cases.opened("test", "Q1", "有机磷", WHERE, at, "韭菜农残不合格", "T1", earlier)


def done(case: Case, step: CaseStep, act: Act, target: str, penalty: str) -> Case:
    match step:
        case CaseStep.ESTABLISH:
            return cases.establish(case, act, {"crime_suspected": target == "to_police"})
        case CaseStep.DO_MUST | CaseStep.REFUSE_MUST:
            return cases.resolve_must(case, act, target if target in MUSTS else "fine", step is CaseStep.DO_MUST)
        case CaseStep.EVIDENCE:
            return cases.record_gate(case, act, target if target in GATES else GATES[0])
        case CaseStep.HANDLE:
            return cases.record_handling(case, act, "unit")
        case CaseStep.DECIDE:
            return cases.decide(case, act, penalty, "6000", "", ["王"] if act.officers else [])
        case CaseStep.CLOSE:
            return cases.close(case, act)
        case CaseStep.RESCIND:
            return cases.rescind(case, act)


targets = st.sampled_from([*MUSTS, *GATES])
penalties = st.sampled_from(["warning", "fine", "exempt", "none", "revocation"])
case_steps = st.tuples(st.sampled_from(list(CaseStep)), acts, targets, penalties)


@settings(max_examples=300, deadline=None)
@given(path=st.lists(case_steps, max_size=40), failed=st.booleans())
def test_no_path_closes_a_case_past_a_must_or_a_gate(path: list[Any], failed: bool) -> None:
    case = cases.trigger(new_case(), "rectification_failed") if failed else new_case()
    for step, act, target, penalty in path:
        try:
            after = done(case, step, act, target, penalty)
        except Refused:
            continue
        assert case["state"] == CaseState.OPEN
        assert after["version"] == case["version"] + 1
        assert {*case["triggers"]} <= {*after["triggers"]}
        assert {*case["musts"]} <= {*after["musts"]}
        for name in {*after["musts"]} - {*case["musts"]}:
            settled = after["musts"][name]
            assert MUSTS[name].trigger in case["triggers"]
            assert name == "fine" or (settled["evidence"] if settled["state"] == "done" else settled["note"])
        case = after
    if case["rescinded"]:
        assert case["closed_by"]
        assert not case["penalty"]
    elif case["state"] == CaseState.CLOSED:
        assert not missing_gates(case)
        assert not due_musts(case)
        assert case["penalty"]
        assert cases.facts(case).missing == ()


@pytest.mark.parametrize("left", GATES)
def test_a_case_without_one_gate_is_refused_by_its_name(left: str) -> None:
    act = Act("甲", "regulator", NOW, note="说明", evidence=("材料",))
    case = new_case()
    for gate in GATES:
        case = case if gate == left else cases.record_gate(case, act, gate)
    case = cases.decide(cases.resolve_must(case, act, "stop_and_rectify", True), act, "warning", "", "", ["王"])
    with pytest.raises(Refused) as refused:
        cases.close(case, act)
    assert refused.value.rule == left
    assert cases.facts(case).missing == (left,)
    closed = cases.close(cases.record_gate(case, act, left), act)
    with pytest.raises(Refused) as late:
        cases.close(closed, Act("乙", "regulator", NOW))
    assert (late.value.rule, late.value.told["by"]) == ("case_closed", "甲")


def test_a_reasoned_decision_to_punish_nobody_is_evidence_for_people_only() -> None:
    words = Act("甲", "regulator", NOW, note="集体讨论决定不予处分")
    assert gates.PEOPLE in cases.record_gate(new_case(), words, gates.PEOPLE)["gates"]
    for gate in {*GATES} - {gates.PEOPLE}:
        with pytest.raises(Refused) as refused:
            cases.record_gate(new_case(), words, gate)
        assert refused.value.rule == "gate_evidence"


@pytest.mark.parametrize(
    ("days", "state", "parties", "expected"),
    [
        (30, "closed", ("uscc:1", "匡山监管所"), ["accountability", "accountability"]),
        (30, "closed", ("uscc:1",), ["accountability", "interview"]),
        (30, "closed", ("uscc:2", "另一所"), ["interview", "interview"]),
        (365, "closed", ("uscc:1",), ["accountability", "interview"]),
        (366, "closed", ("uscc:1",), ["interview", "interview"]),
        (800, "open", ("uscc:1",), ["accountability", "interview"]),
        (0, "open", ("uscc:1",), ["interview", "interview"]),
    ],
    ids=["both", "unit", "others", "a year", "older", "not put right", "same occasion"],
)
def test_interview_first_then_accountability(
    days: int, state: str, parties: tuple[str, ...], expected: list[str]
) -> None:
    case = new_case(Earlier(frozenset(parties), NOW - timedelta(days=days), state))
    assert [each["handling"] for each in case["handlings"]] == expected
    assert case["facts"]["same_within_year"] == ("uscc:1" in parties and 0 < days <= 365)
