"""Truth checks: each finds what it is for, says by how much, and leaves honest books alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.trace import Category, Step
from services.trace.lineage import Event
from services.trace.truth import TOLERANCE, Doubt, Found, out_of_order, out_of_yield, unbalanced, yield_of
from tests.unit.trace_world import MORNING, event, goods, harvest, make, receive, ship

FARM, SHOP, KITCHEN = "licence:F", "licence:S", "licence:K"


def doubts(*events: Event) -> list[tuple[Doubt, str]]:
    return [(found.doubt, found.node) for found in unbalanced(events)]


def test_more_shipped_than_received_is_found_with_both_figures() -> None:
    [found] = unbalanced([receive("e1", "A", SHOP, FARM), ship("e2", "A", SHOP, KITCHEN, quantity="10.51")])
    assert found == Found(Doubt.MORE_OUT_THAN_IN, f"A@{SHOP}", ("e1", "e2"), "10.50 KGM", "10.51 KGM")


@pytest.mark.parametrize("quantity", ["10", "10.50", "0"])
def test_losses_and_the_tolerance_of_scales_are_no_doubt(quantity: str) -> None:
    assert not doubts(receive("e1", "A", SHOP, FARM), ship("e2", "A", SHOP, KITCHEN, quantity=quantity))


def test_shipment_and_receipt_of_one_handoff_count_once() -> None:
    handoff = ship("e1", "A", FARM, SHOP), receive("e2", "A", SHOP, FARM)
    assert not doubts(harvest("e0", "A", FARM), *handoff, ship("e3", "A", SHOP, KITCHEN))
    assert doubts(harvest("e0", "A", FARM), *handoff, *(ship(f"x{n}", "A", SHOP, KITCHEN) for n in (1, 2))) == [
        (Doubt.MORE_OUT_THAN_IN, f"A@{SHOP}")
    ]


def test_goods_without_a_known_quantity_or_in_two_units_are_out_of_the_balance() -> None:
    assert not doubts(receive("e1", "A", SHOP, FARM, quantity=None), ship("e2", "A", SHOP, KITCHEN, quantity="99"))
    pieces = tuple(lot._replace(unit="H87") for lot in goods("A", quantity="99"))
    assert not doubts(receive("e1", "A", SHOP, FARM), event("e2", Step.SHIPPING, SHOP, pieces, pieces, KITCHEN))


def test_goods_nobody_says_came_are_a_broken_chain_and_no_balance() -> None:
    assert not doubts(ship("e1", "A", SHOP, KITCHEN))


def test_goods_that_left_before_they_came_are_found() -> None:
    came = receive("e1", "A", SHOP, FARM)._replace(time=MORNING + timedelta(hours=5))
    assert doubts(came, ship("e2", "A", SHOP, KITCHEN)) == [(Doubt.LEFT_BEFORE_IT_CAME, f"A@{SHOP}")]
    earlier = receive("e0", "A", SHOP, FARM)
    assert not doubts(earlier, came, ship("e2", "A", SHOP, KITCHEN))


@pytest.mark.parametrize(("made", "found"), [("2", True), ("3", False), ("35", False), ("36", True)])
def test_yield_beyond_its_range_is_found(made: str, found: bool) -> None:
    lots = goods("rice"), goods("meal", quantity=made)
    cooked = list(out_of_yield(event("e1", Step.KITCHEN_USE, KITCHEN, *lots)))
    assert bool(cooked) is found


def test_every_transforming_step_with_inputs_has_a_yield_for_every_category() -> None:
    for step in (Step.MAKING, Step.PACKING, Step.KITCHEN_USE):
        for category in Category:
            row = yield_of(step, category)
            assert row
            assert 0 < row.least < 1 <= row.most
    assert yield_of(Step.STORING, Category.OTHER) is None


def test_receipt_before_its_shipment_is_found() -> None:
    later = MORNING + timedelta(hours=1)
    [found] = out_of_order({"e1": later}, {"e2": MORNING}, f"A@{SHOP}")
    assert (found.doubt, found.events) == (Doubt.RECEIVED_BEFORE_SHIPPED, ("e1", "e2"))
    assert not list(out_of_order({"e1": MORNING}, {"e2": MORNING}, f"A@{SHOP}"))
    assert not list(out_of_order({}, {"e2": MORNING}, f"A@{SHOP}"))


@given(st.lists(st.decimals("0.1", "100", places=1), min_size=1), st.lists(st.decimals("0.1", "100", places=1)))
def test_balance_is_that_of_plain_sums(came: list[Decimal], went: list[Decimal]) -> None:
    told = [
        *(make(f"i{n}", SHOP, into="A", quantity=str(quantity)) for n, quantity in enumerate(came)),
        *(make(f"o{n}", SHOP, of="A", into=f"B{n}", quantity=str(quantity)) for n, quantity in enumerate(went)),
    ]
    overdrawn = sum(went, Decimal(0)) > sum(came, Decimal(0)) * (1 + TOLERANCE)
    assert ((Doubt.MORE_OUT_THAN_IN, f"A@{SHOP}") in doubts(*told)) is overdrawn
