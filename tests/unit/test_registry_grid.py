"""The grid: every site in exactly one cell, with an officer in charge and a 1:1 contact, or a gap that is listed."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.registry import Officer, SiteFacts
from services.registry import domain
from services.registry.documents import CellRow, Edit
from services.registry.grid import grid
from services.registry.standing import World, place
from tests.unit.test_registry_domain import LICENCE, NOON, OFFICER, OTHER_LICENCE, USCC, Registry, sight

SITE, OTHER_SITE = f"licence:{LICENCE}", f"licence:{OTHER_LICENCE}"


def cell(id: str, area: str, parent: str | None = None, officer: str | None = None) -> CellRow:
    return {
        "_id": id,
        "parent": parent,
        "name": id,
        "division": area.ljust(6, "0"),
        "area": area,
        "station": f"station-{id}",
        "station_name": None,
        "officer": {"officer": officer, "name": officer} if officer else None,
        "version": 1,
    }


CITY, COUNTY = cell("jinan", "3701", officer="zhao"), cell("lixia", "370102", "jinan", officer="qian")
STREET, NORTH, SOUTH = (
    cell("street", "370102001", "lixia"),
    cell("north", "370102001", "street", officer="sun"),
    cell("south", "370102001", "street"),
)
GRID = World(cells=[CITY, COUNTY, STREET, NORTH, SOUTH])


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, uscc=USCC, division="370102"))
    return registry


def look(registry: Registry, world: World) -> tuple[SiteFacts, ...]:
    decision = domain.look_again(registry.operators, OFFICER, NOON, world)
    registry.take(decision)
    return decision.sites


def edit(field: str, value: str, minute: int = 1, target: str = SITE) -> Edit:
    return Edit(of="site", target=target, field=field, value=value, at=NOON + timedelta(minutes=minute), who="王五")


def assign(registry: Registry, kind: str, *edits: Edit, world: World = GRID) -> Any:
    decision = grid.assign(registry.operators, edits, kind, OFFICER, edits[0]["at"], world)
    registry.take(decision)
    return decision


@pytest.mark.parametrize(
    ("division", "expected"),
    [
        ("370102", "lixia"),
        ("370103", "jinan"),
        ("370102001000", "street"),
        ("370102001003", "street"),
        ("370102002000", "lixia"),
        ("110101", None),
        (None, None),
    ],
)
def test_division_places_a_site_in_the_narrowest_cell_around_it(division: str | None, expected: str | None) -> None:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, division=division))
    look(registry, GRID)
    assert registry.site(SITE)["cell"] == expected
    assert registry.site(SITE)["station"] == (f"station-{expected}" if expected else None)


def test_two_cells_side_by_side_leave_the_choice_to_a_person(registry: Registry) -> None:
    world = World(cells=[CITY, cell("a", "370102", "jinan"), cell("b", "370102", "jinan")])
    look(registry, world)
    assert registry.site(SITE)["cell"] == "jinan"
    assign(registry, "placed", edit("cell", "b"), world=world)
    assert registry.site(SITE)["cell"] == "b"


def test_person_places_and_takes_back_and_both_are_kept(registry: Registry) -> None:
    look(registry, GRID)
    first = assign(registry, "placed", edit("cell", "north"))
    assert [site.cell for site in first.sites] == ["north"]
    second = assign(registry, "placed", edit("cell", "", 2))
    assert registry.site(SITE)["cell"] == "lixia"
    kept = [(row["kind"], row["detail"]["from"], row["detail"]["to"], row["who"]) for row in second.changes]
    assert kept == [("placed", "north", "", "王五")]


def test_observation_does_not_move_what_a_person_placed(registry: Registry) -> None:
    assign(registry, "placed", edit("cell", "south"))
    decision, _ = domain.observe(registry.operators, set(), [sight(5, licence=LICENCE, phone="5")], NOON, GRID)
    registry.take(decision)
    assert registry.site(SITE)["cell"] == "south"


def test_gaps_are_what_is_missing_of_cell_officer_and_contact(registry: Registry) -> None:
    look(registry, World())
    assert registry.site(SITE)["gaps"] == ["cell", "contact"]
    look(registry, World(cells=[STREET | {"area": "370102"}]))
    assert registry.site(SITE)["gaps"] == ["officer", "contact"]
    look(registry, GRID)
    assert registry.site(SITE)["gaps"] == ["contact"]
    assign(registry, "contact", edit("helper", "sun"))
    assert registry.site(SITE)["gaps"] == registry.operators[0]["gaps"] == []


def test_contact_who_left_the_grid_is_a_gap_again(registry: Registry) -> None:
    (told,) = assign(registry, "contact", edit("helper", "sun")).sites
    assert told.helper == "sun"
    left = grid.hand_over(NORTH, None, OFFICER, NOON)
    look(registry, World(cells=[CITY, COUNTY, STREET, left.after, SOUTH]))  # type: ignore[list-item]
    assert registry.site(SITE)["gaps"] == ["contact"]


def test_hand_over_keeps_from_whom_to_whom_and_concerns_both_ones_sites() -> None:
    changed = grid.hand_over(COUNTY, {"officer": "li", "name": "李四"}, OFFICER, NOON)
    assert changed.row["detail"] == {"from": "qian", "to": "li"}
    assert (changed.row["cell"], changed.row["why"]) == ("lixia", "现场核实")
    assert changed.concerned == {"areas": [], "cell": "lixia", "helper": "qian"}
    told = grid.announced(changed.after)  # type: ignore[arg-type]
    assert told.officer == Officer(officer="li", name="李四")
    assert told.version == COUNTY["version"] + 1


def test_setting_a_cell_leaves_its_officer_in_charge() -> None:
    changed = grid.set_cell(COUNTY, {**COUNTY, "station": "other", "officer": None}, OFFICER, NOON)
    assert changed.after["officer"] == COUNTY["officer"]
    assert changed.concerned["areas"] == ["370102"]
    assert grid.set_cell(None, COUNTY, OFFICER, NOON).after["officer"] is None


def test_other_station_of_a_cell_is_announced_of_its_sites(registry: Registry) -> None:
    look(registry, GRID)
    moved = {**COUNTY, "station": "new"}
    (site,) = look(registry, World(cells=[CITY, moved]))  # type: ignore[list-item]
    assert (site.cell, site.station) == ("lixia", "new")
    assert look(registry, World(cells=[CITY, moved])) == ()  # type: ignore[list-item]


def test_change_of_the_named_person_is_announced(registry: Registry) -> None:
    named = [
        Edit(of="operator", target=f"uscc:{USCC}", field=field, value=value, at=NOON, who="王五")
        for field, value in (("contact", "赵六"), ("phone", "13800000000"), ("wechat", "openid-6"))
    ]
    (site,) = domain.update(registry.operators, named, OFFICER, NOON).sites
    assert (site.contact_name, site.contact_phone, site.contact_wechat) == ("赵六", "13800000000", "openid-6")


def test_declared_closure_is_announced_and_the_later_word_stands(registry: Registry) -> None:
    until = (NOON + timedelta(days=9)).isoformat()
    (site,) = assign(registry, "closed", edit("closed_from", NOON.isoformat()), edit("closed_until", until)).sites
    assert (site.closed_from, site.closed_until) == (NOON, NOON + timedelta(days=9))
    (site,) = assign(registry, "closed", edit("closed_until", "", 2)).sites
    assert (site.closed_from, site.closed_until) == (NOON, None)


AREAS = st.sampled_from(["37", "3701", "370102", "370102001", "3702"])


@given(st.data(), st.lists(AREAS, min_size=1, max_size=6))
def test_every_site_sits_in_one_cell_whatever_the_order_of_cells(data: st.DataObject, areas: list[str]) -> None:
    cells = [cell(f"c{number}", area) for number, area in enumerate(areas)]
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE, division="370102001000"))
    site = registry.site(SITE)
    found = place(site, cells)
    assert place(site, data.draw(st.permutations(cells))) == found
    alone = [area for area in areas if areas.count(area) == 1 and "370102001".startswith(area)]
    assert (found["area"] if found else None) == max(alone, key=len, default=None)
