"""Objections and re-tests walked exhaustively; parked results, proposals of recalls, shared results."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.caller import Caller
from contracts import inspection as messages
from contracts.envelope import Envelope
from contracts.inspection import CaseState, RecallState, Standing, TaskState
from contracts.registry import SiteFacts
from contracts.topology import DEAD
from services.inspection import announce, documents, queries, translate
from services.inspection.cases import cases
from services.inspection.decision import Decision, Shelf
from services.inspection.documents import Case, Task
from services.inspection.domain import Act
from services.inspection.places import NOWHERE
from services.inspection.recalls import recalls
from services.inspection.results import objections, parking, results, retests, sharing
from services.inspection.results.objections import OBJECTIONS, Move, Row
from services.inspection.results.results import Known, take_tests
from services.inspection.rules import RULES, Refused
from services.inspection.tasks import tasks

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def result(id: str = "Q1", **told: Any) -> messages.TestResult:
    about = {"source": "market", "message_id": "m", "kind": "residue_quick", "item": "有机磷", "site": "s",
             "operator": "uscc:1", "batch": "B1", "qualified": False, "tested_at": NOW}  # fmt: skip
    return messages.TestResult.model_validate({"id": id, **about, **told})


class Book:
    """What is on record, step by step, as the store would have it."""

    def __init__(self) -> None:
        self.tests: dict[str, documents.Test] = {}
        self.cases: dict[str, Case] = {}
        self.tasks: dict[str, Task] = {}
        self.told: list[str] = []

    def decision(self, at: datetime = NOW) -> Decision:
        shelves = Shelf(self.tasks.values()), Shelf(self.cases.values())
        return Decision(at, *shelves, tests=Shelf(self.tests.values()))

    def keep(self, decision: Decision) -> None:
        self.tests |= {row["_id"]: row for row in decision.tests.changed()}
        self.cases |= {row["_id"]: row for row in decision.cases.changed()}
        self.tasks |= {row["_id"]: row for row in decision.tasks.changed()}
        self.told += [proposal.state for proposal in decision.recalls]

    def take(self, test: messages.TestResult, *events: str) -> documents.Test:
        decision = self.decision()
        take_tests(decision, [test], Known(events=dict.fromkeys(events, "E1")), {})
        self.keep(decision)
        return self.tests[test.id]

    def object(self, act: Act) -> None:
        decision = self.decision(act.at)
        retests.object_to(decision, self.tests["Q1"], act)
        self.keep(decision)

    def retest(self, act: Act, qualified: bool, kind: str = "laboratory") -> None:
        decision = self.decision(act.at)
        test = result("Q2", kind=kind, qualified=qualified)
        retests.record(decision, test, self.tests["Q1"], Known(), {}, act)
        self.keep(decision)

    @property
    def case(self) -> Case:
        (case,) = self.cases.values()
        return case

    @property
    def task(self) -> Task:
        (task,) = self.tasks.values()
        return task


OPERATOR = Act("王", "operator", NOW + HOUR, note="自送样品合格")
LABORATORY = Act("省检院", "laboratory", NOW + 30 * HOUR)


def objected() -> Book:
    book = Book()
    book.take(result(), "B1")
    book.object(OPERATOR)
    return book


# The state machine

acts = st.builds(
    Act,
    who=st.sampled_from(["王", "市检所", "省检院"]),
    role=st.sampled_from(["operator", "regulator", "laboratory", "overseer", "system"]),
    at=st.sampled_from([NOW, NOW + 3 * HOUR, NOW + 4 * HOUR, NOW + 5 * HOUR, NOW + timedelta(days=20)]),
    note=st.sampled_from(["", "说明"]),
)
kinds = st.sampled_from([*messages.TestKind])


@settings(max_examples=300, deadline=None)
@given(
    first=st.builds(result, kind=kinds, qualified=st.booleans()),
    path=st.lists(st.tuples(st.booleans(), acts, st.booleans(), kinds), max_size=8),
)
def test_no_path_overturns_a_result_past_a_rule(first: messages.TestResult, path: list[Any]) -> None:
    book = Book()
    book.take(first, "B1")
    moves = []
    for objects, act, qualified, kind in path:
        with suppress(Refused):
            book.object(act) if objects else book.retest(act, qualified, kind)
            moves.append((objects, act, qualified, kind))
    assert [objects for objects, *_ in moves] in ([], [True], [True, False])
    test = book.tests["Q1"]
    assert test["version"] == 1 + len(moves)
    if moves:
        _, act, *_ = moves[0]
        assert not first.qualified
        assert act.role in ("operator", "regulator")
        assert act.note
        assert act.at <= objections.until(first.kind, NOW).at
        assert book.case["contested"] == (len(moves) == 1)
    if len(moves) == 2:
        _, act, qualified, kind = moves[1]
        assert (kind, act.role) == ("laboratory", "laboratory")
        assert test["standing"] == (Standing.OVERTURNED if qualified else Standing.UPHELD)
        assert book.case["rescinded"] == qualified
        assert book.told == ["proposed", "withdrawn"][: 1 + qualified]


@pytest.mark.parametrize(("standing", "move"), [*product(Standing, Move)])
def test_the_table_alone_says_which_moves_there_are(standing: Standing, move: Move) -> None:
    allowed: dict[Any, Row] = {(row.start, row.move): row for row in OBJECTIONS}
    book = objected()
    test: documents.Test = {**book.tests["Q1"], "standing": standing.value}
    act = OPERATOR if move is Move.OBJECT else LABORATORY
    if row := allowed.get((standing, move)):
        assert objections.moved(test, move, act)["standing"] == row.end
        with pytest.raises(Refused, match="角色"):
            objections.moved(test, move, Act("纪", "overseer", NOW, note="x"))
    else:
        with pytest.raises(Refused) as refused:
            objections.moved(test, move, act)
        assert refused.value.rule == ("objected_already" if move is Move.OBJECT else "no_objection")


@pytest.mark.parametrize(
    ("kind", "after", "late"),
    [
        ("residue_quick", 4 * HOUR, False),
        ("clenbuterol_quick", 4 * HOUR + timedelta(milliseconds=1), True),
        # From Monday 2 March on, seven working days end on Wednesday 11 March.
        ("laboratory", timedelta(days=9, hours=14), False),
        ("laboratory", timedelta(days=9, hours=14, milliseconds=1), True),
    ],
)
def test_law_88_says_until_when(kind: str, after: timedelta, late: bool) -> None:
    book = Book()
    book.take(result(kind=kind))
    act = Act("王", "operator", NOW + after, note="不服")
    if not late:
        book.object(act)
        return
    with pytest.raises(Refused) as refused:
        book.object(act)
    assert refused.value.rule == "objection_late"


def test_each_rule_stands_by_its_name() -> None:
    book = Book()
    failed = book.take(result())
    own = Act("market", "laboratory", NOW)
    blanks: dict[str, tuple[documents.Test, Move, Act, documents.Test | None]] = {
        "test_qualified": ({**failed, "qualified": True}, Move.OBJECT, OPERATOR, None),
        "retest_final": ({**failed, "retest_of": "Q0"}, Move.OBJECT, OPERATOR, None),
        "reason_required": (failed, Move.OBJECT, Act("王", "operator", NOW), None),
        "retest_quick": ({**failed, "standing": "objected"}, Move.UPHOLD, LABORATORY, failed),
        "retest_same_laboratory": (
            {**failed, "standing": "objected"}, Move.UPHOLD, own, {**failed, "kind": "laboratory"}
        ),
    }  # fmt: skip
    for rule, (test, move, act, retest) in blanks.items():
        with pytest.raises(Refused) as refused:
            objections.moved(test, move, act, retest)
        assert refused.value.rule == rule
    named = {rule for row in OBJECTIONS for rule in row.rules}
    assert named == {*blanks, "objection_late"} <= {*RULES}
    assert all(row.clause for row in OBJECTIONS)


# What an objection and its re-test do


def test_while_a_re_test_is_to_decide_no_penalty_is_decided_and_no_case_closed() -> None:
    officer = Act("甲", "regulator", NOW, note="x", evidence=("e",))
    case = objected().case
    with pytest.raises(Refused, match="异议"):
        cases.decide(case, officer, "warning", "", "", ["王"])
    with pytest.raises(Refused, match="异议"):
        cases.close(case, officer)


def test_a_re_test_that_finds_nothing_wrong_ends_what_the_first_result_led_to() -> None:
    book = objected()
    book.retest(LABORATORY, qualified=True)
    assert (book.case["state"], book.case["rescinded"]) == (CaseState.CLOSED, True)
    assert cases.facts(book.case).rescinded
    assert book.task["state"] == TaskState.CANCELLED
    assert book.told == ["proposed", "withdrawn"]
    assert book.tests["Q2"]["retest_of"] == "Q1"


def test_a_penalty_that_was_decided_is_a_persons_to_take_back() -> None:
    book = Book()
    book.take(result(), "B1")
    officer = Act("甲", "regulator", NOW, note="x")
    book.cases = {book.case["_id"]: cases.decide(book.case, officer, "warning", "", "", ["王"])}
    book.object(OPERATOR)
    book.retest(LABORATORY, qualified=True)
    assert (book.case["state"], book.case["contested"]) == (CaseState.OPEN, False)
    assert book.told[-1] == "withdrawn"


def test_a_re_test_that_fails_opens_no_case_of_its_own() -> None:
    book = objected()
    book.retest(LABORATORY, qualified=False)
    assert book.tests["Q1"]["standing"] == Standing.UPHELD
    assert (book.case["state"], book.case["contested"]) == (CaseState.OPEN, False)


# Parked results and proposals


def linked(book: Book, event: str = "E7") -> None:
    parked = [test for test in book.tests.values() if "parked" in test]
    decision = book.decision(NOW + HOUR)
    parking.link(decision, parking.Found(parked, {"B1": event}, [*book.cases.values()]))
    book.keep(decision)


def test_a_result_for_an_unknown_batch_is_parked_and_proposes_its_recall_once_linked() -> None:
    book = Book()
    assert book.take(result())["parked"] == "B1"
    assert book.case["recall"] is None
    linked(book)
    test = book.tests["Q1"]
    assert (test["event"], "parked" in test, test["version"]) == ("E7", False, 2)
    recall: Any = book.case["recall"]
    assert (recall["batch"], recall["state"], recall["proposed_at"]) == ("B1", RecallState.PROPOSED, NOW + HOUR)
    assert book.told == ["proposed"]


def test_a_result_that_was_overturned_proposes_nothing_when_it_is_linked() -> None:
    book = Book()
    book.take(result())
    book.object(OPERATOR)
    book.retest(LABORATORY, qualified=True)
    linked(book)
    assert book.tests["Q1"]["event"] == "E7"
    assert book.told == []


def test_a_case_that_was_closed_and_a_result_overturned_after_the_penalty_propose_nothing_either() -> None:
    officer = Act("甲", "regulator", NOW, note="x")
    book = Book()
    book.take(result())
    book.cases = {book.case["_id"]: cases.decide(book.case, officer, "warning", "", "", ["王"])}
    book.object(OPERATOR)
    book.retest(LABORATORY, qualified=True)
    assert book.case["state"] == CaseState.OPEN
    linked(book)
    closed = Book()
    closed.take(result())
    closed.cases = {closed.case["_id"]: {**closed.case, "state": "closed"}}
    linked(closed)
    assert book.told == closed.told == []
    assert closed.tests["Q1"]["event"] == "E7"


def test_a_known_batch_is_not_parked_and_one_without_batch_never() -> None:
    book = Book()
    assert "parked" not in book.take(result(), "B1")
    assert "parked" not in book.take(result("Q3", batch=None))
    assert book.told == ["proposed"]


@pytest.mark.parametrize(
    ("kind", "recall_class", "hours", "days"), [("clenbuterol_quick", 1, 24, 10), ("laboratory", 2, 48, 20)]
)
def test_a_proposal_has_its_classs_clocks(kind: str, recall_class: int, hours: int, days: int) -> None:
    book = Book()
    book.take(result(kind=kind), "B1")
    told = recalls.facts(book.case)
    assert (told.recall_class, told.start_by, told.finish_days) == (recall_class, NOW + hours * HOUR, days)
    assert (told.case_id, told.test_id, told.operator) == (book.case["_id"], "Q1", "uscc:1")
    assert tasks.task_id("test", "Q1") == book.task["_id"]


def test_every_kind_of_test_has_a_class_and_a_term_of_validity() -> None:
    assert {*recalls.SUGGESTED} == {*sharing.VALID} == {*messages.TestKind}
    assert sharing.valid_until("laboratory", NOW) == NOW + timedelta(days=180)


# Who sees what


def test_a_test_is_placed_once_its_site_is_known_and_told_of_again() -> None:
    book = Book()
    book.take(result(operator=None))
    assert book.tests["Q1"]["areas"] == [NOWHERE]
    told = {"site": "s", "operator": "uscc:1", "name": "甲", "operator_name": "甲", "state": "activated", "version": 1}
    decision = book.decision()
    assert decision.sites() == {"s"}
    decision.move({"s": SiteFacts.model_validate({**told, "division": "370105"})})
    book.keep(decision)
    test = book.tests["Q1"]
    assert (test["areas"], test["operator"], test["version"]) == (["37", "3701", "370105"], "uscc:1", 2)
    assert results.facts(test).division == "370105"


def test_a_laboratory_sees_its_divisions_tests_and_without_one_only_its_own() -> None:
    free, bound = Caller("省检院", "laboratory"), Caller("市检所", "laboratory", "3701")
    assert queries.scope(free) == {"recorded_by": "省检院"}
    assert queries.scope(bound) == {"areas": "3701"}
    assert queries.scope(Caller("gateway", "system")) == {}
    # A re-test is of another laboratory's test, whose id it was given.
    assert queries.to_retest(free, "Q1") == {"_id": "Q1"}
    assert queries.to_retest(bound, "Q1") == {"_id": "Q1", "areas": "3701"}


def test_of_a_shared_test_others_learn_the_result_and_its_validity_only() -> None:
    book = objected()
    book.retest(LABORATORY, qualified=False)
    told = translate.shared_message(book.tests["Q1"], NOW + HOUR)
    assert {field.name for field, _ in told.test.ListFields()} == {
        "test_id", "kind", "item", "batch", "category", "test_time", "standing"
    }  # fmt: skip
    assert told.valid_until.ToDatetime(UTC) == NOW + HOUR


def test_a_dead_letter_holds_the_test_it_is_about_whoever_else_numbers_messages_alike() -> None:
    first, changed = result(), result(value="80%")
    other = result("Q2", source="catering")
    tests = [first, changed, other]
    verdicts = take_tests(Book().decision(), tests, Known(), {})
    parent = Envelope.new("inspection.record_tests.v1", "market")
    told = announce.answers(verdicts, tests, {test.id: parent for test in tests})
    [letter] = [each for each in told if each.exchange == DEAD]
    assert b"80%" in letter.body
    assert b"catering" not in letter.body
