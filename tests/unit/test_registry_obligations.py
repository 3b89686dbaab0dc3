"""The 10+3: what a site owes by phase, division, category and kind of unit."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.fields import SHANGHAI
from contracts.registry import UnitKind
from contracts.trace import Category
from services.registry import domain
from services.registry.documents import Phase
from services.registry.phases import S4, TEN
from services.registry.standing import World
from tests.unit.test_registry_domain import LICENCE, OFFICER, Registry, sight

SITE = f"licence:{LICENCE}"


def on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=SHANGHAI)


def owed(day: str, *phases: Phase, **told: Any) -> list[str]:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, **{"division": "370102", **told}))
    registry.take(domain.look_again(registry.operators, OFFICER, on(day), World(phases=phases or S4)))
    found: list[str] = registry.site(SITE)["obligations"]
    return found


def phase(**more: Any) -> Phase:
    return {**S4[2], **more}  # type: ignore[typeddict-item]


def test_seeds_are_the_three_phases_of_the_speech() -> None:
    assert [(each["starts"], each["ends"]) for each in S4] == [
        ("2022-04-15", None),
        ("2022-04-15", "2022-06-30"),
        ("2022-07-01", None),
    ]
    assert S4[1]["duties"] == ["register", "activate"]
    assert len(TEN) == 10
    assert {*S4[2]["unit_kinds"]} == {*UnitKind}


def test_site_owes_what_it_deals_in_from_the_day_of_its_phase() -> None:
    meat = (Category.MEAT, Category.DAIRY)
    assert owed("2022-06-30", categories=meat) == []
    assert owed("2022-07-01", categories=meat) == ["dairy", "meat"]


@pytest.mark.parametrize("kind", UnitKind)
def test_unit_of_the_three_kinds_owes_all(kind: UnitKind) -> None:
    assert owed("2022-07-01", unit_kind=kind) == sorted(TEN)


def test_site_that_deals_in_none_of_the_ten_owes_nothing() -> None:
    assert owed("2022-07-01", categories=(Category.OTHER,)) == []
    assert owed("2022-07-01") == []


@pytest.mark.parametrize(("areas", "expected"), [([], True), (["37"], True), (["370102"], True), (["3702"], False)])
def test_phase_holds_in_its_divisions(areas: list[str], expected: bool) -> None:
    assert bool(owed("2022-07-01", phase(areas=areas), unit_kind="central_kitchen")) is expected


def test_phase_ends_behind_its_last_day() -> None:
    short = phase(ends="2022-08-31")
    assert owed("2022-08-31", short, unit_kind="group_meal")
    assert not owed("2022-09-01", short, unit_kind="group_meal")


def test_categories_of_all_who_told_add_up() -> None:
    registry = Registry()
    registry.observe(
        sight(0, licence=LICENCE, categories=(Category.MEAT,)),
        sight(0, "catering", "c-1", licence=LICENCE, categories=(Category.FRUIT,)),
        sight(1, "catering", "c-1", licence=LICENCE, categories=(Category.DAIRY,)),
    )
    assert registry.site(SITE)["categories"] == ["dairy", "meat"]


def test_day_on_which_a_phase_turns_is_known_beforehand() -> None:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, unit_kind="central_kitchen"))
    dues = []
    day = on("2022-04-01")
    while due := _look(registry, day):
        dues.append(due)
        day = on(due)
    assert dues == ["2022-04-15", "2022-07-01"]
    assert registry.site(SITE)["obligations"] == sorted(TEN)


def _look(registry: Registry, now: datetime) -> str | None:
    registry.take(domain.look_again(registry.operators, OFFICER, now, World(phases=S4)))
    return registry.operators[0]["due"]


def test_what_turns_is_announced_once() -> None:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, unit_kind="central_kitchen"))
    world = World(phases=S4)
    told = []
    for day in range(3):
        now = on("2022-06-30") + timedelta(days=day)
        decision = domain.look_again(registry.operators, OFFICER, now, world)
        registry.take(decision)
        told.append([len(site.obligations) for site in decision.sites])
    assert told == [[], [10], []]
