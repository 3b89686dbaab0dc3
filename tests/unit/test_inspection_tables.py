"""Inspection's tables and draws: clocks, penalties, samples, marks; findings and tests that repeat or come late."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import inspection as messages
from contracts.findings import Finding
from contracts.inspection import TaskKind, TaskState
from contracts.trace import RecordedEvent
from contracts.workdays import Days, deadline, is_working
from services.inspection import clocks, store
from services.inspection.cases import penalties
from services.inspection.checks import sampling
from services.inspection.decision import Decision, Shelf
from services.inspection.domain import Act, Step
from services.inspection.places import NOWHERE, Place, areas
from services.inspection.results.results import Known, content_of, take_tests
from services.inspection.risk import marks
from services.inspection.tasks import tasks
from services.inspection.tasks.shipments import take_findings
from services.inspection.writes import writes

NOW = datetime(2026, 9, 29, 2, 0, tzinfo=UTC)


def test_calendar_days_end_at_midnight_in_shanghai() -> None:
    ends = deadline(datetime(2026, 3, 2, 17, 0, tzinfo=UTC), 7)
    assert ends == (datetime(2026, 3, 10, 16, 0, tzinfo=UTC), False)


def test_working_days_skip_the_holiday_and_count_the_makeup_day() -> None:
    assert not is_working(date(2026, 10, 1))
    assert is_working(date(2026, 10, 10))  # A Saturday worked for the holiday.
    assert deadline(NOW, 2, Days.WORKING).at == datetime(2026, 10, 8, 16, 0, tzinfo=UTC)


def test_a_year_without_announced_holidays_is_provisional() -> None:
    ends = deadline(datetime(2099, 12, 29, 2, 0, tzinfo=UTC), 3, Days.WORKING)
    assert (ends.at, ends.provisional) == (datetime(2100, 1, 1, 16, 0, tzinfo=UTC), True)
    assert not deadline(datetime(2099, 12, 29, 2, 0, tzinfo=UTC), 3).provisional


@pytest.mark.parametrize(
    ("kind", "state", "days"),
    [("daily", "open", 1), ("daily", "rectifying", 7), ("daily", "rectified", 30), ("annual", "open", 30)],
)
def test_the_table_says_what_a_stage_may_take(kind: str, state: str, days: int) -> None:
    row = clocks.clock(kind, state, NOW.date())
    assert row is not None
    assert (row.days, row.unit) == (days, Days.CALENDAR)


def test_a_statutory_term_is_counted_in_working_days() -> None:
    row = clocks.clock("quarterly", "open", NOW.date())
    assert row is not None
    assert row.unit is Days.WORKING


def test_before_the_table_everything_is_due_at_once() -> None:
    then = datetime(2020, 1, 1, tzinfo=UTC)
    assert clocks.clock("daily", "open", then.date()) is None
    assert clocks.runs_out("daily", "open", then).at == then


def test_every_running_state_has_a_clock_for_every_kind() -> None:
    assert all(clocks.clock(kind, state, NOW.date()) for kind in TaskKind for state in clocks.STARTS)
    assert {*clocks.STARTS} == {*TaskState} - {TaskState.CLOSED, TaskState.CANCELLED}


# Penalties


def suggested(at: datetime = NOW, /, **facts: Any) -> list[str]:
    return [each.penalty for each in penalties.suggest(facts, at)]


@pytest.mark.parametrize(
    "fact",
    [
        {"value": "20000"},
        {"months": 3},
        {"deaths": 1},
        {"ill": 30},
        {"false_records": True},
        {"refused_inspection": True},
        {"same_within_year": True},
        {"prior_criminal_penalty": True},
    ],
    ids=lambda fact: next(iter(fact)),
)
def test_each_circumstance_of_regulation_67_makes_it_serious(fact: dict[str, Any]) -> None:
    assert suggested(**fact) == ["warning", "suspension", "revocation"]


def test_below_the_thresholds_it_is_a_warning_and_on_refusal_a_fine() -> None:
    assert suggested(value="19999.99", months=2, ill=29) == ["warning"]
    (fine,) = [each for each in penalties.suggest({"refused_to_rectify": True}, NOW) if each.penalty == "fine"]
    assert (fine.least, fine.most, fine.clause) == ("5000", "50000", "食品安全法第126条")
    assert penalties.follows("fine", "5000", [fine])
    assert not penalties.follows("fine", "50000.01", [fine])


def test_law_136_exempts_a_trader_who_did_all_of_it() -> None:
    facts: dict[str, Any] = {"trader": True, "checked_purchase": True, "did_not_know": True, "names_source": True}
    assert suggested(**facts)[0] == "exempt"
    for missing in facts:
        assert "exempt" not in suggested(**facts | {missing: False})


def test_a_row_counts_from_its_day_on() -> None:
    before = datetime(2019, 11, 30, 15, 59, tzinfo=UTC)
    assert suggested(before, deaths=1) == ["warning"]
    assert suggested(before + timedelta(minutes=1), deaths=1) == ["warning", "suspension", "revocation"]


# Samples

frames = st.dictionaries(
    st.sampled_from(
        [f"{county}/{link}" for county in (370102, 370105, 370202) for link in ("catering", "circulation")]
    ),
    st.lists(st.integers(0, 999).map(str), min_size=1, max_size=40, unique=True),
    min_size=1,
)


@given(frame=frames, size=st.integers(1, 80), seed=st.text(max_size=8))
def test_a_draw_is_repeatable_and_each_stratum_gets_its_share(
    frame: dict[str, list[str]], size: int, seed: str
) -> None:
    frame = {name: [f"{name}:{id}" for id in ids] for name, ids in frame.items()}
    drawn = sampling.draw(seed, frame, size)
    shuffled = {name: ids[::-1] for name, ids in reversed(frame.items())}
    assert sampling.draw(seed, shuffled, size) == drawn
    total = sum(map(len, frame.values()))
    assert len(drawn) == len({*drawn}) == min(size, total)
    shares = sampling.allocate({name: len(ids) for name, ids in frame.items()}, size)
    for name, ids in frame.items():
        assert sum(id in drawn for id in ids) == shares[name] <= len(ids)
    if size >= total:
        assert {*drawn} == {id for ids in frame.values() for id in ids}


def test_another_seed_draws_others_in_proportion() -> None:
    frame = {"370105/catering": [f"a{n}" for n in range(900)], "370105/circulation": [f"b{n}" for n in range(100)]}
    first, second = sampling.draw("1", frame, 50), sampling.draw("2", frame, 50)
    assert first != second
    assert sum(id.startswith("a") for id in first) == 45


def test_a_quarter_begins_and_ends_in_shanghai() -> None:
    assert sampling.bounds("2026Q4") == (
        datetime(2026, 9, 30, 16, 0, tzinfo=UTC),
        datetime(2026, 12, 31, 16, 0, tzinfo=UTC),
    )
    assert sampling.quarter_of(datetime(2026, 9, 30, 15, 59, tzinfo=UTC)) == "2026Q3"
    with pytest.raises(ValueError, match="2026Q5"):
        sampling.bounds("2026Q5")


def test_a_mark_says_what_is_wrong_and_nothing_else() -> None:
    told = {"id": "E1", "source": "market", "step": "receiving", "time": NOW, "sent_at": NOW, "site": "s"}
    fine = {"_id": "E1", "site": "s", "time": NOW, "batches": []}
    assert marks.mark(RecordedEvent(**told)) == fine
    assert marks.mark(RecordedEvent(**told, flags=("operator_suspended",))) == fine
    assert marks.mark(RecordedEvent(**told, flags=("late_upload", "time_order"))) == {
        **fine,
        "late": True,
        "inaccurate": True,
    }


def test_no_events_have_no_rates() -> None:
    assert marks.Score().rate(0) == ""
    assert marks.total([]) == marks.Score()
    assert marks.Score(3, 1).rate(1) == "0.6667"


# Triggers


def finding(version: int, open: bool = True, id: str = "F1", **told: Any) -> Finding:
    about = {"kind": "overdue_shipment", "site": "s", "event_id": f"E-{id}", "due_at": NOW, "opened_at": NOW}
    return Finding.model_validate({"id": id, **about, "version": version, "open": open, **told})


def after(*findings: Finding, apart: bool, started: bool = False) -> Decision:
    """What becomes of findings that come in one batch, or each in its own."""
    known: dict[str, Any] = {}
    told: dict[str, Any] = {}
    decision = Decision(NOW)
    for each in [[one] for one in findings] if apart else [findings]:
        decision = Decision(NOW, Shelf(known.values()), findings=Shelf(told.values()))
        take_findings(decision, each, {})
        if started:
            start(decision)
        known |= {task["_id"]: task for task in decision.tasks.changed()}
        told |= {row["_id"]: row for row in decision.findings.changed()}
    return Decision(NOW, Shelf(known.values()), findings=Shelf(told.values()), ledger=decision.ledger)


def start(decision: Decision) -> None:
    """Two officers inspect what is open."""
    officer = Act("甲", "regulator", NOW, ("甲", "乙"), note="x")
    for task in [*decision.tasks.changed()]:
        decision.step(decision.step(task, Step.ASSIGN, officer), Step.FIND_PROBLEM, officer)


def states(decision: Decision) -> list[str]:
    return sorted(task["state"] for id in decision.tasks.versions if (task := decision.tasks.get(id)))


@pytest.mark.parametrize("apart", [True, False])
def test_a_finding_that_closes_cancels_only_what_nobody_started(apart: bool) -> None:
    assert states(after(finding(1), finding(1), apart=apart)) == ["open"]
    assert states(after(finding(1), finding(2, open=False), apart=apart)) == ["cancelled"]
    assert states(after(finding(2, open=False), finding(1), apart=apart)) == []


def test_an_inspected_task_outlives_its_finding() -> None:
    decision = after(finding(1), apart=True, started=True)
    take_findings(decision, [finding(2, open=False)], {})
    assert states(decision) == ["inspected"]


LINES: list[dict[str, Any]] = [
    {"id": f"F{n}", "document": "XS20260105001", "counterparty": "c", "batches": (f"B{n}",)} for n in range(20)
]


@pytest.mark.parametrize("apart", [True, False])
def test_findings_of_one_shipment_are_one_task_that_lists_them(apart: bool) -> None:
    decision = after(*(finding(1, **line) for line in LINES), apart=apart)
    assert states(decision) == ["open"]
    (task,) = decision.tasks
    assert [each["batches"] for each in task["findings"]] == [[f"B{n}"] for n in range(20)]
    assert task["cause_id"] == "F0"
    assert len(tasks.facts(task).findings) == 20


@pytest.mark.parametrize(
    "other",
    [{"site": "t"}, {"counterparty": "d"}, {"document": "XS20260105002"}, {"kind": "unknown_source"}],
    ids=lambda other: next(iter(other)),
)
def test_another_shipment_is_another_task(other: dict[str, Any]) -> None:
    assert states(after(finding(1, **LINES[0]), finding(1, **LINES[1] | other), apart=False)) == ["open", "open"]


def test_a_short_number_starts_again_every_day_so_that_the_event_tells_shipments_apart() -> None:
    short: dict[str, Any] = {"document": "007", "counterparty": "c"}
    lines = [finding(1, id=f"F{n}", event_id="E1", **short) for n in range(3)]
    assert states(after(*lines, finding(1, id="F9", event_id="E2", **short), apart=False)) == ["open", "open"]


def test_what_a_declaration_settles_needs_no_visit_and_what_does_not_look_true_says_why() -> None:
    decision = after(
        finding(1, kind="possible_duplicate"), finding(2, kind="possible_duplicate", open=False), apart=True
    )
    assert states(decision) == []
    evidence: dict[str, Any] = {"batches": ("B",), "allowed": "10.5 KGM", "told": "12 KGM"}
    decision = after(finding(1, kind="more_out_than_in", **evidence), apart=True)
    (task,) = decision.tasks
    assert task["title"].startswith("真实性核查：出多于进")
    assert "B；应为 10.5 KGM，实为 12 KGM" in str([*decision.ledger])
    (live,) = after(finding(1, kind="animals_not_arrived"), apart=True).tasks
    assert live["title"].startswith("检疫核查：检疫动物逾期未到")


def test_a_task_closes_by_itself_with_the_last_of_its_findings() -> None:
    opened = [finding(1, **line) for line in LINES[:3]]
    closed = [finding(2, open=False, **line) for line in LINES[:3]]
    assert states(after(*opened, *closed[:2], apart=True)) == ["open"]
    later = finding(1, **LINES[3])
    assert states(after(*opened, *closed[:2], later, closed[2], apart=True)) == ["open"]
    assert states(after(*opened, *closed, apart=True)) == ["cancelled"]
    assert states(after(*opened, *closed, later, apart=True)) == ["cancelled", "open"]


def test_a_finding_that_opens_again_returns_to_its_task_whatever_its_paper_is_called_now() -> None:
    first, second = LINES[:2]
    renamed = first | {"document": "XS20260105009"}
    told = [finding(1, **first), finding(1, **second), finding(2, open=False, **first), finding(3, **renamed)]
    assert states(after(*told, apart=True)) == ["open"]


@given(told=st.permutations([(n, version) for n in range(3) for version in (1, 2, 3)]), apart=st.booleans())
def test_findings_in_any_order_and_number_are_one_running_task_at_most(told: list[Any], apart: bool) -> None:
    decision = after(*(finding(version, open=version != 2, **LINES[n]) for n, version in told * 2), apart=apart)
    assert states(decision).count("open") == 1
    (running,) = [task for task in decision.tasks if task["state"] == "open"]
    assert {each["id"] for each in running["findings"] if each["open"]} == {"F0", "F1", "F2"}


def test_a_batch_of_tests_is_taken_once_each() -> None:
    told = {"source": "market", "message_id": "m", "kind": "residue_quick", "item": "有机磷", "site": "s",
            "qualified": False, "tested_at": NOW}  # fmt: skip
    test = messages.TestResult.model_validate({"id": "Q1", **told})
    decision = Decision(NOW)
    verdicts = take_tests(decision, [test, test], Known(), {})
    assert [verdict.outcome for verdict in verdicts["market"]] == ["accepted", "duplicate"]
    assert len([*decision.tests.changed()]) == len([*decision.cases.changed()]) == len([*decision.tasks.changed()]) == 1


def test_a_test_on_record_is_left_as_it_is() -> None:
    told = {"source": "market", "message_id": "m", "kind": "residue_quick", "item": "有机磷", "site": "s",
            "qualified": False, "tested_at": NOW}  # fmt: skip
    test = messages.TestResult.model_validate({"id": "Q1", **told})
    for content, outcome in ((content_of(test), "duplicate"), ("other", "rejected")):
        decision = Decision(NOW)
        verdicts = take_tests(decision, [test], Known(contents={"Q1": content}), {})
        assert [verdict.outcome for verdict in verdicts["market"]] == [outcome]
        assert not [*decision.tests.changed(), *decision.cases.changed(), *decision.tasks.changed()]


def test_the_ledger_is_only_ever_inserted_into() -> None:
    decision = after(finding(1), apart=True, started=True)
    operations = writes(decision)[store.LEDGER]
    assert len(operations) == 5
    assert {type(operation).__name__ for operation in operations} == {"InsertOne"}


def test_areas_are_the_prefixes_a_scope_may_be() -> None:
    assert areas("370105001000") == ["37", "3701", "370105", "370105001", "370105001000"]
    assert areas(None) == [NOWHERE]


def test_an_id_is_the_causes_own() -> None:
    assert tasks.task_id("finding", "F1", 1) == tasks.task_id("finding", "F1", 1) != tasks.task_id("finding", "F1", 2)
    assert Place("s").operator is None
