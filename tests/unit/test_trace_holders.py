"""Where goods stand, and who sees how much of it."""

from decimal import Decimal

import pytest

from chassis.caller import Caller
from contracts.trace import Step
from services.trace import privacy
from services.trace.lineage import Event, Place
from services.trace.walks.chain import Chain, Direction
from services.trace.walks.holders import Holder, State, holders
from services.trace.walks.start import Start
from tests.unit.trace_world import World, event, gaps, goods, harvest, make, pairs, receive, ship, world

FARM = Place("farm", operator="o:farm", division="370102")
STALL = Place("stall", operator="o:stall", division="370103")
SCHOOL = Place("school", operator="o:school", division="371302")
CHAIN = (
    harvest("e1", "A", FARM),
    ship("e2", "A", FARM, STALL),
    receive("e3", "A", STALL, FARM),
    ship("e4", "A", STALL, SCHOOL, quantity="4"),
    receive("e5", "A", SCHOOL, STALL, quantity="4"),
)


def held(told: World, batch: str = "A") -> dict[str, tuple[State, str | None]]:
    _, found = told.drive(holders(Start(batch, Direction.FORWARD)))
    return {h.node: (h.state, None if h.quantity is None else f"{h.quantity:f}") for h in found}


def test_what_is_left_is_held_and_a_handoff_told_twice_counts_once() -> None:
    assert held(world(*CHAIN)) == {"A@stall": (State.SOLD_ON, "6"), "A@school": (State.HELD, "4")}


def test_what_was_read_in_part_is_held_in_no_known_quantity() -> None:
    chain, found = world(*CHAIN).drive(holders(Start("A", Direction.FORWARD, site="farm", max_events=3)))
    assert {holder.node: holder.state for holder in found} == dict.fromkeys(("A@stall", "A@school"), State.UNKNOWN)
    assert ("size_limit", "A@stall") in gaps(chain)


def test_what_came_in_more_events_than_there_is_room_for_leaves_an_unknown_rest() -> None:
    many = (harvest(f"h{number}", "A", FARM) for number in range(9))
    chain, found = world(*CHAIN, *many).drive(holders(Start("A", Direction.FORWARD, site="farm", max_events=6)))
    assert {holder.state for holder in found} == {State.UNKNOWN}
    assert {key for kind, key in gaps(chain) if kind == "size_limit"} == {"A@farm", "A@stall", "A@school"}


def test_meal_replaces_its_raw_goods() -> None:
    cooked = event("e6", Step.KITCHEN_USE, SCHOOL, goods("A", quantity="4"), goods("M", quantity="30"))
    assert held(world(*CHAIN, cooked))["M@school"] == (State.HELD, "30")
    assert "A@school" not in held(world(*CHAIN, cooked))


@pytest.mark.parametrize("step", [Step.KITCHEN_USE, Step.DESTROYING, Step.SELLING])
def test_consumed_goods_are_told_where_they_went(step: Step) -> None:
    lots = goods("A", quantity="4")
    eaten = event("e6", step, SCHOOL, lots, lots if step is Step.SELLING else ())
    assert held(world(*CHAIN, eaten))["A@school"] == (State.CONSUMED, "4")
    part = event("e6", Step.DESTROYING, SCHOOL, goods("A", quantity="1"))
    assert held(world(*CHAIN, part))["A@school"] == (State.HELD, "3")


def test_retained_sample_still_stands_there() -> None:
    sample = event("e6", Step.RETAINED_SAMPLE, SCHOOL, goods("A", quantity="0.125"))
    assert held(world(*CHAIN, sample))["A@school"] == (State.HELD, "4")


def test_goods_without_a_comparable_quantity_are_unknown_once_some_went_on() -> None:
    told = world(make("e1", FARM, into="A", quantity=None), ship("e2", "A", FARM, STALL))
    assert held(told) == {"A@farm": (State.UNKNOWN, None), "A@stall": (State.HELD, "10")}


def test_what_came_from_elsewhere_counts_too() -> None:
    twice = (ship("e1", "A", FARM, STALL), ship("e2", "A", "other", STALL), ship("e3", "A", STALL, SCHOOL))
    _, found = world(*twice).drive(holders(Start("A", Direction.FORWARD, site="farm")))
    assert {h.node: h.quantity for h in found if h.state is State.SOLD_ON} == {"A@stall": Decimal(10)}


def test_returned_goods_stand_at_the_supplier_again() -> None:
    lots = goods("A", quantity="4")
    back = event("e6", Step.RETURNING, SCHOOL, lots, lots, STALL)
    assert held(world(*CHAIN, back)) == {"A@stall": (State.SOLD_ON, "10")}


def test_goods_that_left_the_province_are_held_there() -> None:
    abroad = Place("external:1", external=True)
    told = held(world(harvest("e1", "A", FARM), ship("e2", "A", FARM, abroad)))
    assert told == {"A@external:1": (State.HELD, "10")}


def who(role: str, division: str | None = None, operator_id: str | None = None) -> Caller:
    return Caller("somebody", role, division, operator_id)


def seen(caller: Caller, direction: Direction = Direction.FORWARD, events: tuple[Event, ...] = CHAIN) -> Chain | None:
    chain = world(*events).walk("A", direction, passes=privacy.passes(caller))
    return chain if privacy.touches(chain, caller) else None


def quantities(chain: Chain | None, caller: Caller) -> dict[tuple[str, str], bool]:
    assert chain is not None
    return {(edge.tail, edge.head): edge.goods.quantity is not None for edge in privacy.edges(chain, caller)}


def test_system_sees_everything() -> None:
    assert quantities(seen(who("system")), who("system")) == {
        ("A@farm", "A@stall"): True,
        ("A@stall", "A@school"): True,
    }


def test_regulator_sees_the_whole_chain_but_no_quantities_beyond_its_division() -> None:
    assert quantities(seen(who("regulator", "3713")), who("regulator", "3713")) == {
        ("A@farm", "A@stall"): False,
        ("A@stall", "A@school"): True,
    }
    assert all(quantities(seen(who("regulator", "37")), who("regulator", "37")).values())


def test_regulator_whom_the_chain_does_not_touch_sees_nothing() -> None:
    assert seen(who("regulator", "3702")) is None


@pytest.mark.parametrize(
    ("operator", "backward", "forward"),
    [
        ("o:farm", set(), {("A@farm", "A@stall")}),
        ("o:stall", {("A@farm", "A@stall")}, {("A@stall", "A@school")}),
        ("o:school", {("A@stall", "A@school")}, set()),
    ],
)
def test_operator_sees_one_hop_up_and_one_hop_down(
    operator: str, backward: set[tuple[str, str]], forward: set[tuple[str, str]]
) -> None:
    caller = who("operator", operator_id=operator)
    back, ahead = seen(caller, Direction.BACKWARD), seen(caller)
    assert back
    assert ahead
    assert (pairs(back), pairs(ahead)) == (backward, forward)
    assert not ahead.gaps


def test_operator_follows_its_own_goods_through_its_own_sites() -> None:
    canteen = Place("canteen", operator="o:school")
    told = (*CHAIN, ship("e6", "A", SCHOOL, canteen), make("e7", canteen, "A", "M"), ship("e8", "M", canteen, "class"))
    chain = seen(who("operator", operator_id="o:school"), events=told)
    assert chain
    assert pairs(chain) == {("A@school", "A@canteen"), ("A@canteen", "M@canteen"), ("M@canteen", "M@class")}


def test_operator_that_never_had_the_batch_sees_nothing() -> None:
    assert seen(who("operator", operator_id="o:other")) is None
    assert seen(who("operator"), events=(*CHAIN, ship("e6", "A", SCHOOL, "nobody's"))) is None


def test_what_an_operators_customer_holds_is_not_told() -> None:
    caller = who("operator", operator_id="o:stall")
    _, found = world(*CHAIN).drive(holders(Start("A", Direction.FORWARD, passes=privacy.passes(caller))))
    assert {h.node: h.state for h in found} == {"A@stall": State.SOLD_ON, "A@school": State.UNKNOWN}


def test_regulator_is_told_holders_beyond_its_division_without_quantities() -> None:
    caller = who("regulator", "370103")
    chain, found = world(*CHAIN).drive(holders(Start("A", Direction.FORWARD)))
    told = {h.node: h.quantity for h in (privacy.visible_holder(h, chain, caller) for h in found)}
    assert told == {"A@stall": Decimal(6), "A@school": None}
    assert isinstance(found[0], Holder)
