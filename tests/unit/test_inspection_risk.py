"""Risk grades, points that are due, and what a lower level does not repeat."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.asking import answered
from contracts.registry import SiteFacts
from contracts.trace import Category, Link
from services.inspection import store
from services.inspection.checks import points
from services.inspection.checks.points import Check
from services.inspection.risk import credit, risk
from services.inspection.risk.risk import Entry

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def facts(**told: Any) -> SiteFacts:
    about = {"site": "s", "operator": "o", "name": "n", "operator_name": "n", "state": "activated", "version": 1}
    return SiteFacts.model_validate({**about, **told})


def file(**counts: int) -> list[Entry]:
    return [Entry(kind, NOW, f"{kind}{n}", "") for kind, count in counts.items() for n in range(count)]


@pytest.mark.parametrize(
    ("told", "entries", "letter", "total"),
    [
        ({"link": "circulation"}, {}, "A", 10),
        ({"link": "catering", "unit_kind": "school_canteen"}, {"problem": 1}, "A", 30),
        ({"link": "catering", "unit_kind": "school_canteen"}, {"problem": 1, "overdue": 1}, "B", 32),
        ({"link": "circulation"}, {"case": 3, "failed_test": 1}, "C", 46),
        ({"link": "special_food", "obligations": ["infant_formula", "dairy"]}, {"case": 9}, "D", 70),
    ],
)
def test_points_make_the_grade(told: dict[str, Any], entries: dict[str, int], letter: str, total: int) -> None:
    found = risk.assess(facts(**told), file(**entries), NOW)
    assert (found.grade.letter, found.static + found.dynamic) == (letter, total)
    assert sum(each.points for each in found.points) >= total


def test_the_grade_sets_how_often_a_year_a_site_is_checked() -> None:
    grades = risk.table(NOW.date()).grades
    assert [(grade.letter, grade.least_checks, grade.most_checks) for grade in grades] == [
        ("A", 1, 1), ("B", 1, 2), ("C", 2, 3), ("D", 3, 4)
    ]  # fmt: skip


sites = st.builds(
    facts,
    link=st.sampled_from([None, *Link]),
    unit_kind=st.sampled_from([None, "school_canteen"]),
    obligations=st.lists(st.sampled_from(Category), unique=True),
    suspended=st.booleans(),
)
kinds = st.sampled_from([row.id for row in risk.table(NOW.date()).dynamic])


@given(site=sites, kinds=st.lists(kinds, max_size=30), more=kinds)
def test_another_entry_never_betters_a_grade(site: SiteFacts, kinds: list[str], more: str) -> None:
    entries = [Entry(kind, NOW, str(n), "") for n, kind in enumerate(kinds)]
    before = risk.assess(site, entries, NOW)
    after = risk.assess(site, [*entries, Entry(more, NOW, "x", "")], NOW)
    assert before.static <= risk.MOST_STATIC
    assert before.dynamic <= after.dynamic <= risk.MOST_DYNAMIC
    assert before.grade.letter <= after.grade.letter


def test_a_table_counts_from_its_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    later = risk.TABLES[0]._replace(version="2027-01", since=date(2027, 1, 1), static=())
    monkeypatch.setattr(risk, "TABLES", (*risk.TABLES, later))
    assert risk.assess(facts(link="catering"), [], NOW).version == "2026-11"
    next_year = risk.assess(facts(link="catering"), [], datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    assert (next_year.version, next_year.static) == ("2027-01", 0)


# Points


@pytest.mark.parametrize("link", [None, *Link])
def test_a_site_is_covered_by_all_its_points_only(link: Link | None) -> None:
    every = points.of(link)
    assert {*every} <= {*points.POINTS}
    assert points.missing(link, [every[:3], every[3:]]) == []
    assert points.missing(link, [every[1:]]) == [every[0]]
    assert points.missing(link, []) == [*every]


def test_a_task_goes_through_every_point_unless_some_are_named_or_it_samples() -> None:
    assert points.taken_in("daily", "catering", []) == [*points.of("catering")]
    assert points.taken_in("special", "catering", ["retained", "retained"]) == ["retained"]
    assert points.taken_in("sampling", "catering", []) == []


@pytest.mark.parametrize(
    ("division", "level", "above"),
    [
        (None, "province", []),
        ("37", "province", []),
        ("3701", "city", ["province"]),
        ("370105", "county", ["city", "province"]),
        ("370105001", "county", ["city", "province"]),
    ],
)
def test_a_level_is_told_by_the_division(division: str | None, level: str, above: list[str]) -> None:
    assert points.level_of(division) == level
    assert points.higher(level) == above


@pytest.mark.parametrize(
    ("kind", "items", "triggered", "refused"),
    [
        ("daily", ["purchase", "labels"], False, True),
        ("daily", ["labels"], False, False),
        ("daily", ["purchase"], True, False),
        ("return_visit", ["purchase"], False, False),
        ("sampling", [], False, False),
    ],
    ids=["same item", "another item", "triggered", "re-check", "sampling"],
)
def test_a_lower_level_does_not_repeat_the_same_items(
    kind: str, items: list[str], triggered: bool, refused: bool
) -> None:
    check = Check("T1", "province", NOW, frozenset({"purchase", "staff"}))
    assert bool(points.repeated(kind, items, triggered, [check])) == refused
    assert points.repeated(kind, items, triggered, []) is None


@pytest.mark.parametrize(
    ("at", "months", "before"),
    [
        (datetime(2026, 5, 31, 4, tzinfo=UTC), 3, datetime(2026, 2, 28, 4, tzinfo=UTC)),
        (datetime(2026, 2, 1, 4, tzinfo=UTC), 3, datetime(2025, 11, 1, 4, tzinfo=UTC)),
        (datetime(2026, 11, 22, 17, tzinfo=UTC), 24, datetime(2024, 11, 22, 17, tzinfo=UTC)),
    ],
)
def test_months_are_counted_in_shanghai(at: datetime, months: int, before: datetime) -> None:
    assert points.months_before(at, months) == before
    assert points.months_before(at, months) < at - timedelta(days=88)


def credited(**rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Kind and subject of each line of a credit file made of these rows."""
    file = answered(credit.asked_file(["s"], NOW), lambda query: rows.get(query.collection, []))
    return [(entry.kind, entry.id) for entry in file]


def step(kind: str, state: str, who: str, at: datetime = NOW) -> dict[str, Any]:
    return {"step": kind, "state": state, "who": who, "at": at}


def test_only_a_week_that_ran_out_counts_against_the_site_and_not_what_officers_were_late_with() -> None:
    taken = [
        step("escalate", "open", "inspection"),
        step("find_problem", "inspected", "王一"),
        step("escalate", "inspected", "inspection"),
        step("escalate", "rectifying", "王一"),
        step("escalate", "rectifying", "inspection"),
        step("escalate", "rectified", "inspection"),
    ]
    assert sorted(credited(**{store.TASKS: [{"_id": "T", "title": "t", "taken": taken}]})) == [
        ("overdue", "T"),
        ("problem", "T"),
    ]


CASE = {"_id": "C", "title": "c", "cause": "task", "cause_id": "T", "opened_at": NOW, "penalty": None}


def test_a_case_that_was_closed_before_its_test_was_overturned_counts_no_more() -> None:
    penalty = {"penalty": "fine", "at": NOW}
    tested = {**CASE, "cause": "test", "cause_id": "Q1", "state": "closed", "penalty": penalty}
    other = {**CASE, "_id": "D", "cause_id": "Q1"}
    for standing, kept in (("overturned", ["D"]), ("upheld", ["C", "C", "D"])):
        test = {"_id": "Q1", "standing": standing, "qualified": False, "item": "有机磷", "tested_at": NOW}

        def found(query: store.Query, test: dict[str, Any] = test) -> list[dict[str, Any]]:
            if query.collection == store.CASES:
                return [tested, other]
            asked = query.filter.get("standing") == "overturned" == test["standing"]
            return [test] if asked and query.filter["_id"] == {"$in": ["Q1"]} else []

        assert sorted(entry.id for entry in answered(credit.asked_file(["s"], NOW), found)) == kept


def test_a_penalty_counts_for_a_year_from_when_it_was_decided() -> None:
    penalty = {"penalty": "fine", "at": NOW - timedelta(days=30)}
    case = {**CASE, "opened_at": NOW - timedelta(days=400), "penalty": penalty}
    assert credited(**{store.CASES: [case]}) == [("penalty", "C")]
    mild = {**case, "opened_at": NOW, "penalty": {**penalty, "penalty": "exempt"}}
    assert credited(**{store.CASES: [mild]}) == [("case", "C")]
    asked = next(credit.asked_file(["s"], NOW))
    assert {"penalty.at"} <= {name for either in asked.filter["$or"] for name in either}
