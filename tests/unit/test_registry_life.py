"""Life of operators and sites: every transition of the table, and what events in any order make of it."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.registry import OperatorState
from contracts.trace import RecordedEvent, Step
from services.registry import domain, upkeep
from services.registry.decision import GRAVITY, By
from services.registry.documents import Mark
from services.registry.domain import TRANSITIONS
from services.registry.standing import LIVELY, NOTHING, World, after, base, life
from tests.unit.test_registry_domain import LICENCE, NOON, OFFICER, OTHER_LICENCE, USCC, Registry, sight

SITE, OTHER_SITE = f"licence:{LICENCE}", f"licence:{OTHER_LICENCE}"
SYSTEM = By("trace", "system", "accepted event")
STEPS = {row.step for row in TRANSITIONS}


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, uscc=USCC))
    return registry


def step(registry: Registry, step: domain.Step, by: By = OFFICER, world: World = NOTHING) -> None:
    registry.take(domain.take_step(registry.operators, registry.operator(f"uscc:{USCC}"), step, by, NOON, world))


def events(*days: str, site: str = SITE) -> World:
    mark: Mark = {"_id": site, "first": min(days), "last": max(days)}
    return World({site: mark})


def look(registry: Registry, world: World, now: datetime = NOON) -> str:
    registry.take(domain.look_again(registry.operators, SYSTEM, now, world))
    return str(registry.operator(f"uscc:{USCC}")["state"])


def test_table_leads_to_every_state_from_listed() -> None:
    reached = {OperatorState.LISTED}
    for _ in OperatorState:
        reached |= {row.end for row in TRANSITIONS if row.start in reached}
    assert reached == {*OperatorState}
    assert {*domain.Step} == STEPS


def test_one_start_and_step_have_one_end() -> None:
    places = [(row.start, row.step) for row in TRANSITIONS]
    assert len(places) == len(set(places))


def test_activated_goes_on_the_chain_with_its_first_event_and_is_active_with_the_next_day(registry: Registry) -> None:
    step(registry, domain.Step.ACTIVATE)
    assert look(registry, World()) == "activated"
    assert look(registry, events("2022-07-01")) == "on_chain"
    assert look(registry, events("2022-06-30", "2022-07-01")) == "active"


def test_thirty_days_without_an_event_are_inactive(registry: Registry) -> None:
    step(registry, domain.Step.ACTIVATE)
    world = events("2022-06-20", "2022-07-01")
    assert look(registry, world, NOON + timedelta(days=30)) == "active"
    assert look(registry, world, NOON + timedelta(days=31)) == "inactive"
    assert look(registry, events("2022-06-20", "2022-08-01"), NOON + timedelta(days=31)) == "active"


def test_events_before_activation_count_from_it_on(registry: Registry) -> None:
    assert look(registry, events("2022-06-30", "2022-07-01")) == "registered"
    step(registry, domain.Step.ACTIVATE, world=events("2022-06-30", "2022-07-01"))
    assert registry.operators[0]["state"] == "active"


def test_suspended_stays_so_whatever_it_records_and_is_back_at_once(registry: Registry) -> None:
    world = events("2022-06-30", "2022-07-01")
    step(registry, domain.Step.ACTIVATE, world=world)
    step(registry, domain.Step.SUSPEND, world=world)
    assert look(registry, world) == "suspended"
    step(registry, domain.Step.RESUME, world=world)
    assert registry.operators[0]["state"] == "active"
    assert registry.operators[0]["activated_at"] == NOON


@pytest.mark.parametrize("end", [domain.Step.REVOKE, domain.Step.DEREGISTER])
def test_what_ended_owes_nothing_and_records_nothing(registry: Registry, end: domain.Step) -> None:
    step(registry, domain.Step.ACTIVATE)
    step(registry, end)
    assert look(registry, events("2022-07-01")) == domain.following(OperatorState.ACTIVATED, end, "regulator")
    assert registry.site(SITE)["gaps"] == registry.site(SITE)["obligations"] == []


def test_each_site_has_a_life_of_its_own_and_the_operator_the_liveliest(registry: Registry) -> None:
    registry.observe(sight(1, "catering", "c-1", licence=OTHER_LICENCE, uscc=USCC))
    step(registry, domain.Step.ACTIVATE)
    decision = domain.look_again(registry.operators, SYSTEM, NOON, events("2022-07-01"))
    assert {site.site: site.state for site in decision.sites} == {SITE: OperatorState.ON_CHAIN}
    registry.take(decision)
    assert registry.site(OTHER_SITE)["state"] == "activated"
    assert registry.operators[0]["state"] == "on_chain"


def test_event_under_an_own_id_counts_for_the_site_it_means(registry: Registry) -> None:
    step(registry, domain.Step.ACTIVATE)
    assert look(registry, events("2022-07-01", site="market:stall-9")) == "on_chain"


def test_change_of_life_is_announced_once_with_its_cause(registry: Registry) -> None:
    step(registry, domain.Step.ACTIVATE)
    decision = domain.look_again(registry.operators, SYSTEM, NOON, events("2022-07-01"))
    (row,) = decision.changes
    assert (row["who"], row["why"]) == ("trace", "accepted event")
    assert row["detail"] | {"from": "activated", "to": "on_chain"} == row["detail"]
    registry.take(decision)
    again = domain.look_again(registry.operators, SYSTEM, NOON, events("2022-07-01"))
    assert (again.after, again.sites, again.changes) == ({}, (), [])


def test_facts_say_since_when_activated_and_whether_suspended(registry: Registry) -> None:
    decision = domain.take_step(registry.operators, registry.operators[0], domain.Step.ACTIVATE, OFFICER, NOON)
    (site,) = decision.sites
    assert (site.activated_at, site.suspended, site.registered, site.listed) == (NOON, False, True, False)
    registry.take(decision)
    (site,) = domain.take_step(registry.operators, registry.operators[0], domain.Step.SUSPEND, OFFICER, NOON).sites
    assert (site.activated_at, site.suspended) == (NOON, True)


DAYS = st.integers(0, 100).map(lambda number: after("2022-07-01", number))


def walked(days: Sequence[str], today: str) -> OperatorState:
    """The table, one step after the other, by events in order."""
    state, last = OperatorState.ACTIVATED, None
    for day in sorted(set(days)):
        if last and after(last, 30) < day:
            state = domain.following(state, domain.Step.LAPSE, "system")
        state, last = domain.following(state, domain.Step.RECORD, "system"), day
    if last and after(last, 30) < today:
        state = domain.following(state, domain.Step.LAPSE, "system")
    return state


@given(st.lists(DAYS, min_size=1, max_size=6), st.integers(0, 60))
def test_life_by_marks_is_the_table_walked_in_order(days: list[str], later: int) -> None:
    today = after(max(days), later)
    assert life(OperatorState.ACTIVATED, True, (min(days), max(days)), today) == walked(days, today)


@given(st.data(), st.lists(st.sampled_from([*domain.Step]), max_size=12), st.lists(DAYS, min_size=1, max_size=4))
def test_any_walk_changes_states_by_the_table_only(
    data: st.DataObject, steps: list[domain.Step], days: list[str]
) -> None:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, uscc=USCC))
    now, seen = NOON, World()
    for taken in steps:
        before = OperatorState(registry.operators[0]["state"])
        if taken in (domain.Step.RECORD, domain.Step.LAPSE):
            now += timedelta(days=31 if taken is domain.Step.LAPSE else 1)
            seen = events(*days[: data.draw(st.integers(1, len(days)))])
            decision = domain.look_again(registry.operators, SYSTEM, now, seen)
        elif any((row.start, row.step) == (before, taken) for row in TRANSITIONS):
            decision = domain.take_step(registry.operators, registry.operators[0], taken, OFFICER, now, seen)
        else:
            with pytest.raises(domain.NotAllowed):
                domain.take_step(registry.operators, registry.operators[0], taken, OFFICER, now, seen)
            continue
        registry.take(decision)
        assert OperatorState(registry.operators[0]["state"]) in within_reach(before, taken)


def within_reach(before: OperatorState, taken: domain.Step) -> set[OperatorState]:
    """Where one step and the events that are already there may lead."""
    ends = {row.end for row in TRANSITIONS if (row.start, row.step) == (before, taken)} | {before}
    lively = {*LIVELY} if any(base(end) is OperatorState.ACTIVATED for end in ends) else set()
    return ends | lively


def event(site: str, day: str) -> RecordedEvent:
    at = datetime.fromisoformat(f"{day}T04:00:00+00:00")
    return RecordedEvent(id=f"{site}{day}", source="market", step=Step.SELLING, time=at, sent_at=at, site=site)


@given(st.data(), st.lists(st.tuples(st.sampled_from(["a", "b"]), DAYS), min_size=1, max_size=8))
def test_marks_are_the_same_in_any_order_and_repetition(data: st.DataObject, told: list[tuple[str, str]]) -> None:
    once = upkeep.spans([event(*each) for each in told])
    shuffled = data.draw(st.permutations(told + told[:3]))
    assert upkeep.spans([event(*each) for each in shuffled]) == once
    assert {id: (mark["first"], mark["last"]) for id, mark in once.items()} == {
        id: (min(days), max(days))
        for id, days in ((id, [day for other, day in told if other == id]) for id in {id for id, _ in told})
    }


def test_day_of_an_event_is_shanghais() -> None:
    late = RecordedEvent(
        id="e",
        source="market",
        step=Step.SELLING,
        time=datetime(2022, 6, 30, 16, 30, tzinfo=UTC),
        sent_at=NOON,
        site="a",
    )
    assert upkeep.spans([late])["a"]["first"] == "2022-07-01"


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(OperatorState, 2)])
def test_two_that_prove_one_keep_what_people_gave_the_graver(one: OperatorState, other: OperatorState) -> None:
    registry = Registry()
    registry.observe(sight(0, "catering", "c-1", licence=LICENCE), sight(0, uscc=USCC))
    registry.operator(f"licence:{LICENCE}")["state"] = one
    registry.operator(f"uscc:{USCC}")["state"] = other
    registry.observe(sight(1, "one_network", "n-1", licence=LICENCE, uscc=USCC))
    graver = max(base(one), base(other), OperatorState.REGISTERED, key=GRAVITY.index)
    assert registry.operator(f"uscc:{USCC}")["state"] == graver
