"""The four dimensions against a brute-force count; standards; the calendar; marks in any order."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.asking import answered
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Category, RecordedEvent, Step
from services.reporting import facts, months, queries, store
from services.reporting.bulletin import inputs, work
from services.reporting.domain import Line, SiteRow, System, behind, lines, rank, upload
from services.reporting.scores import Count, rounded, score
from services.reporting.standards import DEFAULT, SCORED, Dimension, Standard, Standards
from tests.unit import reporting_world as world

REGISTRATION, ACTIVITY, COVERAGE, UPLOAD = SCORED


# The oracle: every rate counted site by site, every score by the sentence of the domain page


def members(rows: Iterable[SiteRow], level: str, code: str, link: str) -> list[SiteRow]:
    place: Callable[[SiteRow], str] = (lambda row: row.station) if level == "station" else (lambda row: row.division)
    return [row for row in rows if place(row).startswith(code) and link in ("", row.link)]


def oracle(rows: list[SiteRow], systems: list[System], level: str, code: str, link: str) -> dict[Dimension, Count]:
    sites = members(rows, level, code, link)
    roster = [row for row in sites if row.listed]
    working = [row for row in sites if row.working]
    owed = [(row.site, category) for row in sites for category in row.owed]
    covered = [(row.site, category) for row in sites for category in row.covered]
    there = [s for s in systems if level != "station" and s.division.startswith(code) and link in ("", s.link)]
    return {
        REGISTRATION: Count(sum(row.registered for row in roster), len(roster)),
        Dimension.ACTIVATION: Count(sum(row.activated for row in roster), len(roster)),
        ACTIVITY: Count(sum(row.active for row in working), len(working)),
        COVERAGE: Count(len(covered), len(owed)),
        UPLOAD: Count(sum(min(s.accepted, s.declared) for s in there), sum(s.declared for s in there)),
    }


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_every_rate_and_score_equals_a_count_site_by_site(seed: int, sites: int) -> None:
    rows = world.rows(seed, sites)
    standards = Standards(world.STANDARDS, world.WINDOW.first)
    found = lines(rows, world.SYSTEMS, standards)
    for line in found:
        counted = oracle(rows, world.SYSTEMS, line.level, line.code, line.link)
        assert line.counts == counted
        present = {each: count for each, count in counted.items() if each in SCORED and count.denominator}
        if not present:
            assert line.total is None
            assert line.rank == 0
            continue
        thresholds = line.standard.thresholds if line.standard else {}
        told = sum(
            25 * min(Fraction(1), Fraction(c.numerator, c.denominator) / Fraction(thresholds[each]))
            for each, c in present.items()
        )
        assert line.total == told * 4 / len(present)
    assert {line.code for line in found if line.level == "county"} >= {row.division for row in rows}


def test_a_code_of_a_whole_city_counts_in_the_city_and_is_no_county() -> None:
    row = world.rows(1, 1)[0]._replace(division="370100", station="")
    found = lines([row], [], Standards([], world.WINDOW.first))
    assert {(line.level, line.code) for line in found} == {("province", "37"), ("city", "3701")}


@pytest.mark.parametrize(("told", "today"), [("370125", "370115"), ("370671", "370600"), ("370102001", "370102001")])
def test_who_goes_by_an_abolished_division_counts_where_that_is_today(told: str, today: str) -> None:
    site = SiteFacts(
        site="a", operator="o", name="甲", operator_name="甲", state=OperatorState.ACTIVE, version=1, division=told
    )
    operation: Any = store.site_changed(site)
    (stage,) = operation._doc
    assert stage["$replaceWith"]["$cond"][2]["$mergeObjects"][1]["$literal"]["division"] == today


def sited(**told: Any) -> SiteRow:
    """The row of a site as the replica holds it, of which there is no mark and no finding."""
    about = {"name": "甲", "division": "370102", "station": None, "link": "catering", "listed": True}
    stands = {"registered": True, "suspended": False, "state": OperatorState.ACTIVE, "obligations": []}
    site = {"_id": "a", **about, **stands, **told}
    steps = queries.site_rows(world.WINDOW)
    (row,) = answered(steps, lambda query: [site] if {"$project": queries.SITE_FIELDS} in query.pipeline else [])
    return row


@pytest.mark.parametrize(("code", "levels"), [("370102", ["county", "city", "province"]), ("999999", []), (None, [])])
def test_who_lies_in_no_division_there_is_makes_no_province(code: str | None, levels: list[str]) -> None:
    row = sited(division=code)
    found = lines([row], [], Standards([], world.WINDOW.first))
    assert sorted({line.level for line in found}) == sorted(levels)
    assert bool(row.division) is bool(levels)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_categories_add_up_to_the_coverage(seed: int) -> None:
    rows = world.rows(seed, 60)
    for line in lines(rows, [], Standards([], world.WINDOW.first)):
        owed = sum(count.denominator for count in line.categories.values())
        covered = sum(count.numerator for count in line.categories.values())
        assert line.counts[COVERAGE] == Count(covered, owed)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_sites_behind_a_rate_are_its_numerator_and_those_it_lacks_the_rest(seed: int) -> None:
    rows = world.rows(seed, 80)
    province = next(line for line in lines(rows, [], Standards([], world.WINDOW.first)) if line.code == "37")
    for dimension in (REGISTRATION, ACTIVITY, Dimension.ACTIVATION):
        count = province.counts[dimension]
        assert sum(behind(row, dimension, missing=False)[0] for row in rows) == count.numerator
        assert sum(behind(row, dimension, missing=True)[0] for row in rows) == count.denominator - count.numerator
    covered = [category for row in rows for category in behind(row, COVERAGE, missing=False)[1]]
    lacking = [category for row in rows for category in behind(row, COVERAGE, missing=True)[1]]
    assert Count(len(covered), len(covered) + len(lacking)) == province.counts[COVERAGE]


def test_no_denominator_is_not_applicable_and_its_weight_goes_to_the_others() -> None:
    counts = {REGISTRATION: Count(1, 2), ACTIVITY: Count(8, 10), COVERAGE: Count(), UPLOAD: Count()}
    told = score(counts, DEFAULT.thresholds, DEFAULT.weights)
    assert told.not_applicable == (COVERAGE, UPLOAD)
    assert told.weights == {REGISTRATION: 50, ACTIVITY: 50}
    assert told.total == 25 + 50
    nothing = score({}, DEFAULT.thresholds, DEFAULT.weights)
    assert nothing.total is None
    assert nothing.not_applicable == SCORED


def test_a_rate_above_its_threshold_earns_no_more_than_its_weight() -> None:
    counts = {ACTIVITY: Count(10, 10)}
    assert score(counts, DEFAULT.thresholds, DEFAULT.weights).total == 100
    assert score({ACTIVITY: Count(4, 10)}, DEFAULT.thresholds, DEFAULT.weights).total == 50


def test_weights_that_are_all_on_what_is_not_applicable_give_no_score() -> None:
    weights = {REGISTRATION: Decimal(100), ACTIVITY: Decimal(0), COVERAGE: Decimal(0), UPLOAD: Decimal(0)}
    assert score({ACTIVITY: Count(1, 1)}, DEFAULT.thresholds, weights).total is None


def test_scores_are_rounded_half_up() -> None:
    assert rounded(Fraction(1, 8)) == Decimal("0.13")
    assert rounded(Fraction(2, 3)) == Decimal("0.67")
    assert rounded(None) is None


def test_equal_scores_share_a_rank_and_none_has_none() -> None:
    def county(code: str, active: int, of: int = 10) -> Line:
        counts = {ACTIVITY: Count(active, of)}
        return Line("county", code, "", counts=counts, score=score(counts, DEFAULT.thresholds, DEFAULT.weights))

    found = [county("370101", 4), county("370102", 6), county("370103", 6), county("370104", 0, 0), county("370105", 1)]
    rank(found)
    assert [line.rank for line in found] == [3, 1, 1, 0, 4]


def test_links_of_a_province_compete_with_each_other() -> None:
    found = lines(world.rows(3, 300), [], Standards([], world.WINDOW.first))
    assert sorted(line.rank for line in found if line.level == "province" and line.link) == [1, 2, 3, 4]


def test_uploads_count_days_for_all_when_one_system_declares_no_number() -> None:
    counted = System("docking.a", "370102", "production", 120, 100, 10, 31)
    daily = System("docking.b", "370102", "production", 5, 0, 30, 31)
    assert upload([counted]) == Count(100, 100)
    assert upload([counted, daily]) == Count(40, 62)
    assert upload([]).rate is None


# Standards


def test_the_nearest_threshold_holds_and_weights_hold_for_what_lies_below() -> None:
    weights = dict(zip(SCORED, map(Decimal, (40, 30, 20, 10)), strict=True))
    rows = [
        Standard("37", date(2026, 1, 1), 1, {ACTIVITY: Decimal("0.85")}),
        Standard("3702", date(2026, 1, 1), 2, {ACTIVITY: Decimal("0.95")}, weights, "demonstration"),
    ]
    standards = Standards(rows, date(2026, 10, 1))
    assert standards.of("3701").thresholds[ACTIVITY] == Decimal("0.85")
    assert standards.of("370202").thresholds[ACTIVITY] == Decimal("0.95")
    assert standards.of("3702").tag == "demonstration"
    assert standards.of("3702").weights == DEFAULT.weights
    assert standards.of("370202").weights == weights


def test_a_standard_holds_from_its_day_and_the_later_word_on_one_day_wins() -> None:
    rows = [
        Standard("37", date(2026, 10, 1), 2, {ACTIVITY: Decimal("0.90")}),
        Standard("37", date(2026, 10, 1), 1, {ACTIVITY: Decimal("0.70")}),
        Standard("37", date(2026, 11, 1), 3, {ACTIVITY: Decimal("0.99")}),
    ]
    assert Standards(rows, date(2026, 9, 30)).of("37").thresholds[ACTIVITY] == Decimal("0.80")
    assert Standards(rows, date(2026, 10, 1)).of("37").thresholds[ACTIVITY] == Decimal("0.90")


# Calendar


def test_a_month_begins_and_ends_at_midnight_in_shanghai() -> None:
    october = months.window("2026-10")
    assert october.start == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert october.end == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert months.day_of(october.end - timedelta(milliseconds=1)) == date(2026, 10, 31)
    assert october.days == 31


@pytest.mark.parametrize("month", ["2026-13", "2026", "x", "2026-1", "20261", "9999-12", "0001-01"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(ValueError, match=r"month|isoformat"):
        months.window(month)


@given(st.integers(0, 20 * 365 * 24 * 60))
def test_every_month_is_frozen_once_on_the_fifth(minutes: int) -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    first = months.next_freeze(moment)
    second = months.next_freeze(first)
    assert first > moment
    assert months.day_of(first).day == 5
    frozen, following = months.month_to_freeze(first), months.month_to_freeze(second)
    assert frozen is not None
    assert months.before(following or "") == frozen
    assert months.month_to_freeze(first + timedelta(seconds=1)) is None


# Marks


def event(number: int, random: Random) -> RecordedEvent:
    time = world.WINDOW.start + timedelta(hours=random.randint(0, 80))
    return RecordedEvent(
        id=f"E{number}",
        source=random.choice(["market", "docking.formula"]),
        step=random.choice([Step.SHIPPING, Step.RECEIVING, Step.SELLING]),
        time=time,
        sent_at=time + timedelta(hours=random.randint(0, 40)),
        site=random.choice(["a", "b"]),
        categories=(random.choice([Category.MEAT, Category.DAIRY]),),
        external=random.random() < 0.2,
    )


@given(st.integers(0, 10_000))
def test_marks_do_not_depend_on_order_or_repetition(seed: int) -> None:
    random = Random(seed)
    events = [event(number, random) for number in range(30)]
    again = [*events, *random.sample(events, 10)]
    random.shuffle(again)
    assert facts.marks(again) == facts.marks(events)
    assert facts.uploads(again) == facts.uploads(events)


def stored(mark: facts.Mark) -> dict[str, Any]:
    """A mark as its row holds it."""
    return {"site": mark.site, "kinds": mark.kinds, "closed": mark.closed, **mark.ids}


@given(st.integers(0, 10_000))
def test_a_mark_without_what_was_declared_wrong_is_that_of_the_others(seed: int) -> None:
    random = Random(seed)
    events = [
        event(number, random).model_copy(update={"site": "a", "time": datetime(2026, 10, 8, 1, tzinfo=UTC)})
        for number in range(12)
    ]
    wrong = frozenset(event.id for event in random.sample(events, random.randint(0, 12)))
    [mark] = facts.marks(events)
    right = facts.marks(event for event in events if event.id not in wrong)
    stands = facts.standing(stored(mark), wrong)
    expected = right[0] if right else facts.Mark("a", mark.day)
    assert ({*stands.kinds}, {*stands.closed}) == (expected.kinds, expected.closed)
    assert {category: {*ids} for category, ids in stands.handoffs.items()} == expected.handoffs


def test_a_mark_made_before_ids_were_kept_stands() -> None:
    old = {"site": "a", "kinds": ["selling"], "closed": ["meat"], "handoffs": {"dairy": ["E1", "E2"]}}
    stands = facts.standing(old, frozenset({"E1", "E9"}))
    assert stands == facts.Stands(frozenset({"selling"}), frozenset({"meat"}), {"dairy": frozenset({"E2"})})


def test_only_shipments_receipts_and_borders_link() -> None:
    base = event(1, Random(1)).model_copy(update={"external": False, "categories": (Category.MEAT,)})
    [sold] = facts.marks([base.model_copy(update={"step": Step.SELLING})])
    assert (sold.kinds, sold.linked) == ({"selling"}, set())
    [abroad] = facts.marks([base.model_copy(update={"step": Step.SELLING, "external": True})])
    assert abroad.linked == {"meat"}
    [shipped] = facts.marks([base.model_copy(update={"step": Step.SHIPPING})])
    assert shipped.handoffs == {"meat": {"E1"}}


def test_a_bulletins_inputs_come_back_as_they_were() -> None:
    rows = world.rows(5, 300)
    assert [*inputs.unpack(inputs.pack(rows))] == rows
    shuffled = Random(1).sample(rows, len(rows))
    assert inputs.digest(shuffled, world.SYSTEMS) == inputs.digest(rows, world.SYSTEMS)
    changed = [rows[0]._replace(active=not rows[0].active), *rows[1:]]
    assert inputs.digest(changed, world.SYSTEMS) != inputs.digest(rows, world.SYSTEMS)


def test_a_result_that_was_overturned_is_no_failed_one_and_its_re_test_no_test_of_its_own() -> None:
    first = {"division": "370102", "kind": "residue_quick", "qualified": False, "standing": "overturned",
             "retest_of": None}  # fmt: skip
    again = {**first, "kind": "laboratory", "qualified": True, "standing": "stands", "retest_of": "Q1"}
    upheld = {**first, "standing": "upheld"}
    counted = work.work(world.told(1)._replace(tests=[first, again, upheld]), world.WINDOW)["370102"]
    assert {name: counted[name] for name in counted if name.startswith("tests")} == {
        "tests": 2,
        "tests_residue_quick": 2,
        "tests_unqualified": 1,
        "tests_residue_quick_unqualified": 1,
    }


@given(seconds=st.floats(0, 7_200), after=st.sampled_from([60, 900, 3_600]))
def test_a_late_record_is_never_left_to_a_look_that_has_begun(seconds: float, after: int) -> None:
    frozen, step = datetime(2026, 11, 5, tzinfo=UTC), timedelta(seconds=after)
    now = frozen + timedelta(seconds=seconds)

    def row(at: datetime) -> dict[str, Any]:
        [operation] = store.late(["2026-10"], at, step)["timers"]
        told: dict[str, Any] = {**operation._filter, **operation._doc["$setOnInsert"]}
        return told

    set_now = row(now)
    assert step <= set_now["due_at"] - now <= 2 * step
    assert store.month_of_look(set_now["_id"]) == "2026-10"
    # While a record is on its way for less than `after`, no row that it is to set can be due.
    assert row(set_now["due_at"] - step)["_id"] != set_now["_id"]


def test_a_late_record_that_is_looked_at_at_once_has_a_look_of_its_own() -> None:
    now = datetime(2026, 11, 5, tzinfo=UTC)
    looks = [store.late(["2026-10"], at, timedelta(0))["timers"][0] for at in (now, now + timedelta(milliseconds=1))]
    assert looks[0]._filter != looks[1]._filter
