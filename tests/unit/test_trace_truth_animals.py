"""Live alerts about animals under quarantine certificates, and meat that nothing explains."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from contracts.findings import FindingKind
from contracts.trace import Category, Step
from services.trace.lineage import Goods, Place
from services.trace.truth import asks
from services.trace.truth.statements import Paper, Statement
from tests.unit.trace_world import MORNING, event
from tests.unit.truth_world import FARM, KITCHEN, SHOP, Truth, state

K = FindingKind
WORKS = "licence:W"
CERTIFICATE = Paper(
    "quarantine", "3701000111", "animal_b", issued_on=date(2026, 1, 5), quantity=Decimal(100), unit="HEA"
)
DUE = MORNING + timedelta(hours=16)
"""The midnight that ends a certificate of the same day."""


def pigs(heads: int, batch: str = "P") -> tuple[Goods, ...]:
    return (Goods(batch, Decimal(heads), "HEA", "生猪", Category.MEAT),)


def depart(id: str, heads: int, there: str | Place = WORKS, paper: Paper = CERTIFICATE, **more: Any) -> Statement:
    hour = more.pop("hour", 0)
    return state(event(id, Step.SHIPPING, FARM, pigs(heads), pigs(heads), there, hour), paper, **more)


def arrive(id: str, heads: int, hour: int = 2, *papers: Paper, here: str = WORKS) -> Statement:
    return state(event(id, Step.RECEIVING, here, pigs(heads), pigs(heads), FARM, hour), *papers)


def world(now: Any = DUE - timedelta(minutes=1)) -> Truth:
    return Truth(now=now)


# Head counts and arrival


@pytest.mark.parametrize("papers", [(), (CERTIFICATE,)])
def test_animals_that_arrive_as_they_departed_are_no_doubt(papers: tuple[Paper, ...]) -> None:
    truth = world()
    truth.hear(depart("e1", 60), depart("e2", 40))
    truth.hear(arrive("e3", 100, 2, *papers))
    truth.now = DUE + timedelta(days=30)
    truth.sweep()
    assert not truth.open


def test_animals_that_nobody_took_over_are_missed_when_the_certificate_ends_and_found_when_they_come() -> None:
    truth = world()
    truth.hear(depart("e1", 100))
    truth.sweep()
    assert not truth.open
    truth.now = DUE
    truth.sweep()
    found = truth.only(K.ANIMALS_NOT_ARRIVED)
    assert (found.site, found.counterparty, found.due_at, found.document) == (WORKS, FARM, DUE, "3701000111")
    assert (found.allowed, found.told) == ("100 HEA", "0 HEA")
    truth.hear(arrive("e2", 100, hour=30))
    assert not truth.open


def test_animals_not_arrived_are_laid_to_a_sender_that_names_no_receiver() -> None:
    truth = world(DUE)
    truth.hear(depart("e1", 100, ""))
    assert truth.only(K.ANIMALS_NOT_ARRIVED).site == FARM
    truth.hear(arrive("e2", 100))
    assert not truth.open


def test_what_another_supplier_brought_or_another_site_took_over_is_no_arrival() -> None:
    truth = world(DUE)
    truth.hear(depart("e1", 100))
    elsewhere = event("e2", Step.RECEIVING, SHOP, pigs(100), pigs(100), FARM, 2)
    truth.hear(elsewhere, event("e3", Step.RECEIVING, WORKS, pigs(100), pigs(100), KITCHEN, 2))
    assert K.ANIMALS_NOT_ARRIVED in truth.open


def test_animals_that_left_the_province_are_out_of_sight() -> None:
    truth = world(DUE + timedelta(days=30))
    truth.hear(depart("e1", 100, Place("external:x", external=True)))
    assert not truth.open


def test_more_animals_than_departed_are_found_at_once_and_fewer_when_the_certificate_ends() -> None:
    truth = world()
    truth.hear(depart("e1", 100), arrive("e2", 101))
    more = truth.only(K.HEAD_COUNT_MISMATCH)
    assert (more.site, more.allowed, more.told, more.tolerance) == (WORKS, "100 HEA", "101 HEA", "0")
    fewer = world()
    fewer.hear(depart("e1", 100), arrive("e2", 60))
    fewer.sweep()
    assert not fewer.open
    fewer.now = DUE
    fewer.sweep()
    assert fewer.only(K.HEAD_COUNT_MISMATCH).told == "60 HEA"
    fewer.hear(arrive("e3", 40))
    assert not fewer.open


def test_what_is_certified_counts_where_no_heads_are_told_of_the_departure() -> None:
    weighed = (Goods("P", Decimal(11000), "KGM", "生猪", Category.MEAT),)
    truth = world()
    truth.hear(state(event("e1", Step.SHIPPING, FARM, weighed, weighed, WORKS), CERTIFICATE), arrive("e2", 120))
    assert truth.only(K.HEAD_COUNT_MISMATCH).allowed == "100 HEA"


def test_animals_that_are_sold_and_shipped_bought_and_received_are_counted_once() -> None:
    steps = (Step.SELLING, FARM, WORKS), (Step.SHIPPING, FARM, WORKS), (Step.PURCHASE, WORKS, FARM)
    told = [event(f"e{n}", step, here, pigs(100), pigs(100), there, n) for n, (step, here, there) in enumerate(steps)]
    truth = world(DUE)
    truth.hear(*(state(each, CERTIFICATE) for each in told), arrive("e9", 100, 6))
    assert not truth.open


FIRST, SECOND = (CERTIFICATE._replace(number=f"370100011{load}", quantity=Decimal(50)) for load in range(2))
"""Of one lot that leaves in two loads, each with a certificate of its own."""


@pytest.mark.parametrize("cited", [True, False])
def test_a_lot_in_two_loads_is_counted_by_load(cited: bool) -> None:
    truth = world(DUE)
    truth.hear(depart("e1", 50, paper=FIRST), depart("e2", 50, paper=SECOND, hour=4))
    truth.hear(*(arrive(f"e{4 + load}", 50, 6, *(paper,) * cited) for load, paper in enumerate((FIRST, SECOND))))
    assert not truth.open


def test_the_load_of_a_lot_that_did_not_arrive_is_missed_though_the_other_did() -> None:
    truth = world(DUE)
    truth.hear(depart("e1", 50, paper=FIRST), depart("e2", 50, paper=SECOND), arrive("e4", 50, 6, FIRST))
    assert truth.only(K.ANIMALS_NOT_ARRIVED).document == SECOND.number


def test_more_animals_than_departed_are_found_in_each_load_of_a_lot() -> None:
    truth = world()
    truth.hear(depart("e1", 50, paper=FIRST), depart("e2", 50, paper=SECOND))
    truth.hear(arrive("e4", 51, 6, FIRST), arrive("e5", 50, 6, SECOND))
    assert [found.document for found in truth.open[K.HEAD_COUNT_MISMATCH]] == [FIRST.number]
    loose = world()
    loose.hear(depart("e1", 50, paper=FIRST), depart("e2", 50, paper=SECOND), arrive("e4", 101, 6))
    assert {found.told for found in loose.open[K.HEAD_COUNT_MISMATCH]} == {"51 HEA"}


def test_more_animals_than_a_certificate_names_overuse_it() -> None:
    truth = world()
    truth.hear(depart("e1", 60), arrive("e2", 60), depart("e3", 41), arrive("e4", 41))
    found = truth.only(K.CERTIFICATE_OVERUSED)
    assert (found.allowed, found.told, found.tolerance) == ("100 HEA", "101 HEA", "0%")


# One vehicle, one certificate


OTHER = CERTIFICATE._replace(number="3701000222")
TRUCK: dict[str, Any] = {"vehicle": "鲁A12345"}


def test_vehicle_with_two_certificates_at_once_is_found() -> None:
    truth = world()
    truth.hear(depart("e1", 60, **TRUCK), depart("e2", 40, paper=OTHER, hour=1, **TRUCK))
    found = truth.only(K.VEHICLE_WITH_TWO_CERTIFICATES)
    assert (found.told, found.tolerance, found.events) == ("3701000111, 3701000222", "鲁A12345", ("e1", "e2"))
    truth.declare("e1")
    assert K.VEHICLE_WITH_TWO_CERTIFICATES not in truth.open


def test_a_vehicle_of_which_too_much_is_told_keeps_no_other_from_being_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asks, "MOST", 3)
    papers = [CERTIFICATE._replace(number=number) for number in [*["3702000330"] * 5, "3702000331"]]
    lots = [pigs(1, f"Q{number}") for number in range(6)]
    told = [event(f"e{n}", Step.SHIPPING, FARM, goods, goods, WORKS, 1) for n, goods in enumerate(lots)]
    busy = [state(each, paper, vehicle="鲁B12345") for each, paper in zip(told, papers, strict=True)]
    truth = world()
    truth.hear(*busy, depart("e10", 60, **TRUCK), depart("e11", 40, paper=OTHER, hour=1, **TRUCK))
    found = truth.only(K.VEHICLE_WITH_TWO_CERTIFICATES)
    assert found.tolerance == "鲁A12345"


def test_what_is_no_plate_is_no_vehicle() -> None:
    truth = world()
    truth.hear(depart("e1", 60, vehicle="无"), depart("e2", 40, paper=OTHER, hour=1, vehicle="无"))
    assert K.VEHICLE_WITH_TWO_CERTIFICATES not in truth.open


@pytest.mark.parametrize("papers", [(CERTIFICATE,), ()])
def test_second_trip_after_the_first_arrived_is_no_doubt(papers: tuple[Paper, ...]) -> None:
    truth = world()
    truth.hear(depart("e1", 60, **TRUCK), depart("e2", 40, paper=OTHER, hour=4, **TRUCK))
    assert truth.only(K.VEHICLE_WITH_TWO_CERTIFICATES)
    truth.hear(arrive("e8", 40, 5, OTHER))
    assert truth.only(K.VEHICLE_WITH_TWO_CERTIFICATES)
    truth.hear(arrive("e3", 60, 2, *papers))
    assert K.VEHICLE_WITH_TWO_CERTIFICATES not in truth.open


def test_meat_of_many_consignments_on_one_vehicle_is_no_doubt() -> None:
    meat = (Goods("M", Decimal(100), "KGM", "猪白条", Category.MEAT),)
    truth = world()
    for number in range(2):
        paper = Paper("quarantine", f"370200011{number}", "product_b")
        truth.hear(state(event(f"e{number}", Step.SHIPPING, WORKS, meat, meat, SHOP), paper, **TRUCK))
    assert not truth.open


# Meat


def pork(batch: str = "M", quantity: int = 10) -> tuple[Goods, ...]:
    return (Goods(batch, Decimal(quantity), "KGM", "猪白条", Category.MEAT),)


def bought(id: str = "e9", batch: str = "M", here: str = KITCHEN, there: str = SHOP, *papers: Paper) -> Statement:
    return state(event(id, Step.RECEIVING, here, pork(batch), pork(batch), there, 6), *papers)


def sold(id: str, batch: str, here: str, there: str, *papers: Paper) -> Statement:
    return state(event(id, Step.SHIPPING, here, pork(batch), pork(batch), there, 5), *papers)


DAY_AFTER = MORNING + timedelta(hours=6 + 24)


def test_meat_that_nothing_explains_is_found_when_the_supplier_had_a_day_to_tell() -> None:
    truth = world(MORNING + timedelta(hours=7))
    truth.hear(bought())
    assert not truth.open
    truth.now = DAY_AFTER
    truth.sweep()
    found = truth.only(K.MEAT_WITHOUT_PAPERS)
    assert (found.site, found.counterparty, found.batches, found.due_at) == (KITCHEN, SHOP, ("M",), DAY_AFTER)


@pytest.mark.parametrize("kind", ["quarantine", "inspection", "import"])
def test_meat_with_a_certificate_on_its_receipt_or_its_shipment_is_sound(kind: str) -> None:
    proof = Paper(kind, "3702000999")
    own = world(DAY_AFTER)
    own.hear(bought("e9", "M", KITCHEN, SHOP, proof))
    assert not own.open
    theirs = world(DAY_AFTER)
    theirs.hear(bought())
    assert theirs.only(K.MEAT_WITHOUT_PAPERS)
    theirs.hear(sold("e5", "M", SHOP, KITCHEN, proof))
    assert not theirs.open


def test_slaughter_in_the_last_steps_explains_meat_however_late_it_is_told() -> None:
    truth = world(DAY_AFTER)
    truth.hear(sold("e5", "C", WORKS, SHOP), bought("e6", "C", SHOP, WORKS), bought("e9", "C", KITCHEN, SHOP))
    assert len(truth.open[K.MEAT_WITHOUT_PAPERS]) == 2
    truth.hear(event("e4", Step.SLAUGHTER, WORKS, pigs(1), pork("C", 80)))
    assert K.MEAT_WITHOUT_PAPERS not in truth.open


@pytest.mark.parametrize(("shops", "sound"), [(2, True), (3, False)])
def test_meat_is_explained_by_its_last_steps_and_not_by_what_lies_before(shops: int, sound: bool) -> None:
    """The slaughter is a step, and so is each handing over from there."""
    truth = world(DAY_AFTER)
    sites = [WORKS, *(f"licence:{number}" for number in range(shops)), KITCHEN]
    handed = [bought(f"e{n}", "C", here, there) for n, (there, here) in enumerate(pairwise(sites))]
    truth.hear(event("e99", Step.SLAUGHTER, WORKS, pigs(1), pork("C", 80)), *handed)
    assert [each.site for each in truth.open.get(K.MEAT_WITHOUT_PAPERS, [])] == ([] if sound else [KITCHEN])


def test_meat_of_which_too_much_is_told_to_be_read_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sold it, naming nobody, may have had its papers."""
    sales = [sold(f"s{number}", "M", SHOP, "") for number in range(4)]
    receipt = bought("e9", "M", KITCHEN, "")
    doubted = world(DAY_AFTER)
    doubted.hear(*sales, receipt)
    assert doubted.only(K.MEAT_WITHOUT_PAPERS)
    monkeypatch.setattr(asks, "MOST", 3)
    lost = world(DAY_AFTER)
    lost.hear(*sales, receipt)
    assert not lost.open


def test_meat_is_doubted_again_when_the_slaughter_it_came_of_was_an_error() -> None:
    truth = world(DAY_AFTER)
    truth.hear(event("e4", Step.SLAUGHTER, WORKS, pigs(1), pork("C", 80)))
    truth.hear(bought("e6", "C", SHOP, WORKS), bought("e9", "C", KITCHEN, SHOP))
    assert not truth.open
    truth.declare("e4")
    assert {each.site for each in truth.open[K.MEAT_WITHOUT_PAPERS]} == {SHOP, KITCHEN}


def test_conformity_certificate_explains_no_meat_and_animals_are_none() -> None:
    truth = world(DAY_AFTER)
    truth.hear(bought("e9", "M", KITCHEN, SHOP, Paper("conformity", "HG20260105")))
    assert truth.only(K.MEAT_WITHOUT_PAPERS)
    alive = world(DAY_AFTER)
    alive.hear(arrive("e1", 10))
    assert not alive.open


def test_receipt_declared_an_error_is_no_meat_to_explain() -> None:
    truth = world(DAY_AFTER)
    truth.hear(bought())
    truth.declare("e9")
    assert not truth.open
