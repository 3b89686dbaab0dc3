"""Truth checks: each finds what it is for, says by how much, and leaves honest books alone."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.findings import FindingKind
from contracts.registry import OperatorState
from contracts.trace import Category, Step
from services.trace.domain import decide
from services.trace.lineage import Event, Place
from services.trace.sites import Row
from services.trace.truth import asks
from services.trace.truth import judge as truth_judge
from services.trace.truth import store as truth_store
from services.trace.truth.balance import yield_of
from services.trace.truth.doubles import doubles
from services.trace.truth.papers import last_day
from services.trace.truth.statements import TOLERANCE, Paper, once
from services.trace.truth.subjects import Subject, Topic
from tests.unit.test_trace_capture import CABBAGE, facts, written
from tests.unit.trace_world import MORNING, event, goods, harvest, make, receive, ship
from tests.unit.truth_world import FARM, KITCHEN, SHOP, Truth, at, state

K = FindingKind
ON_CHAIN = OperatorState.ON_CHAIN


def told(*events: object) -> Truth:
    world = Truth()
    world.hear(*events)
    return world


# Mass balance


def test_more_shipped_than_received_is_found_with_both_figures() -> None:
    world = told(receive("e1", "A", SHOP, FARM), ship("e2", "A", SHOP, KITCHEN, quantity="10.51"))
    found = world.only(K.MORE_OUT_THAN_IN)
    assert (found.site, found.batches, found.events) == (SHOP, ("A",), ("e1", "e2"))
    assert (found.allowed, found.told, found.tolerance) == ("10.5 KGM", "10.51 KGM", "5%")


@pytest.mark.parametrize("quantity", ["10", "10.50", "0"])
def test_losses_and_the_tolerance_of_scales_are_no_doubt(quantity: str) -> None:
    assert not told(receive("e1", "A", SHOP, FARM), ship("e2", "A", SHOP, KITCHEN, quantity=quantity)).open


def test_animals_are_counted_without_tolerance() -> None:
    pigs = [tuple(lot._replace(unit="HEA") for lot in goods("A", quantity=heads)) for heads in ("100", "101")]
    world = told(event("e1", Step.FARMING, FARM, (), pigs[0]), event("e2", Step.SHIPPING, FARM, pigs[1], pigs[1], SHOP))
    assert world.only(K.MORE_OUT_THAN_IN).tolerance == "0%"


def test_shipment_and_receipt_of_one_handoff_count_once() -> None:
    handoff = ship("e1", "A", FARM, SHOP), receive("e2", "A", SHOP, FARM)
    assert not told(harvest("e0", "A", FARM), *handoff, ship("e3", "A", SHOP, KITCHEN)).open
    twice = told(harvest("e0", "A", FARM), *handoff, *(ship(f"x{n}", "A", SHOP, KITCHEN) for n in (1, 2)))
    assert twice.only(K.MORE_OUT_THAN_IN).site == SHOP


def test_late_receipt_puts_the_balance_right() -> None:
    world = told(receive("e1", "A", SHOP, FARM), ship("e2", "A", SHOP, KITCHEN, quantity="18"))
    assert world.only(K.MORE_OUT_THAN_IN).version == 1
    world.hear(receive("e3", "A", SHOP, FARM))
    assert not world.open
    world.hear(ship("e4", "A", SHOP, KITCHEN))
    assert world.only(K.MORE_OUT_THAN_IN).version == 3


def test_goods_without_a_known_quantity_or_in_two_units_are_out_of_the_balance() -> None:
    assert not told(receive("e1", "A", SHOP, FARM, quantity=None), ship("e2", "A", SHOP, KITCHEN, quantity="99")).open
    pieces = tuple(lot._replace(unit="H87") for lot in goods("A", quantity="99"))
    assert not told(receive("e1", "A", SHOP, FARM), event("e2", Step.SHIPPING, SHOP, pieces, pieces, KITCHEN)).open


def test_goods_sent_back_do_not_begin_a_balance_and_count_in_one() -> None:
    lot = goods("A", quantity="2")
    back = event("e2", Step.RETURNING, SHOP, lot, lot, FARM, 30)
    sold = ship("e1", "A", FARM, SHOP), back, event("e3", Step.RECEIVING, FARM, lot, lot, SHOP, 32)
    assert not told(*sold).open
    again = harvest("e0", "A", FARM), *sold, ship("e4", "A", FARM, KITCHEN, quantity="2")
    assert not told(*again).open
    assert told(*again, ship("e5", "A", FARM, KITCHEN, quantity="1")).only(K.MORE_OUT_THAN_IN).site == FARM
    world = told(harvest("e0", "A", FARM), *sold, receive("e5", "A", SHOP, FARM), ship("e4", "A", SHOP, KITCHEN))
    assert world.only(K.MORE_OUT_THAN_IN).site == SHOP


def test_what_is_sold_and_shipped_or_bought_and_received_is_moved_once() -> None:
    lot, some = goods("A", quantity="100"), goods("A", quantity="20")
    sold = [event(f"s{n}", step, FARM, lot, lot, SHOP, n) for n, step in enumerate((Step.SELLING, Step.SHIPPING))]
    bought = [event(f"b{n}", step, SHOP, lot, lot, FARM, n) for n, step in enumerate((Step.PURCHASE, Step.RECEIVING))]
    cited = [state(each, paper()) for each in (*sold, *bought)]
    assert not told(harvest("e0", "A", FARM, quantity="100"), *cited).open
    world = told(harvest("e0", "A", FARM, quantity="100"), *cited, ship("e1", "A", SHOP, KITCHEN, quantity="106"))
    assert world.only(K.MORE_OUT_THAN_IN).allowed == "105 KGM"
    more = event("s2", Step.SHIPPING, FARM, some, some, SHOP, 3)
    assert told(harvest("e0", "A", FARM, quantity="100"), *cited, more).only(K.MORE_OUT_THAN_IN).told == "120 KGM"


def test_goods_nobody_says_came_are_a_broken_chain_and_no_balance() -> None:
    assert not told(ship("e1", "A", SHOP, KITCHEN)).open


def test_sites_that_the_registry_merged_keep_one_balance() -> None:
    world = Truth(sites=(Row("old", SHOP), Row(SHOP, place=Place(SHOP, "一号店"))))
    world.hear(harvest("e1", "A", "old"), ship("e2", "A", SHOP, KITCHEN, quantity="11"))
    assert world.only(K.MORE_OUT_THAN_IN).site == SHOP


def test_busy_node_is_judged_by_the_sweep_not_with_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth_judge, "BUSY", 3)
    world = told(receive("e1", "A", SHOP, FARM), *(ship(f"o{n}", "A", SHOP, KITCHEN, quantity="1") for n in range(4)))
    world.hear(ship("e2", "A", SHOP, KITCHEN, quantity="9"))
    assert not world.open
    world.sweep()
    assert world.only(K.MORE_OUT_THAN_IN).told == "13 KGM"


def test_node_with_too_many_events_to_be_read_is_not_judged_and_spares_its_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = told(receive("e1", "A", SHOP, FARM), ship("e2", "A", SHOP, KITCHEN, quantity="11"))
    assert wrong.only(K.MORE_OUT_THAN_IN)
    monkeypatch.setattr(asks, "MOST", 4)
    wrong.hear(*(ship(f"o{n}", "A", SHOP, KITCHEN, quantity="1") for n in range(4)))
    assert wrong.only(K.MORE_OUT_THAN_IN).told == "11 KGM"
    assert Subject(Topic.NODE, f"A@{SHOP}") in wrong.busy
    wrong.hear(receive("e3", "B", SHOP, FARM), ship("e4", "B", SHOP, KITCHEN, quantity="12"), ship("e5", "A", SHOP))
    assert [each.batches for each in wrong.open[K.MORE_OUT_THAN_IN]] == [("B",), ("A",)]


def test_paper_with_too_many_uses_to_be_read_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    uses = [state(ship(f"e{n}", f"A{n}", FARM, SHOP, quantity="30"), paper()) for n in range(5)]
    assert told(*uses).only(K.CERTIFICATE_OVERUSED)
    monkeypatch.setattr(asks, "MOST", 4)
    assert not told(*uses).open


@given(st.integers(1, 3), st.permutations(range(6)))
def test_what_is_read_in_parts_is_judged_alike(most: int, order: list[int]) -> None:
    """As long as nothing is too much by itself: each lot has at most three events, and is at two sites."""
    events = [
        *(receive(f"i{n}", f"A{n}", SHOP, FARM) for n in range(3)),
        *(ship(f"o{n}", f"A{n}", SHOP, KITCHEN, quantity="11") for n in range(3)),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asks, "MOST", most + 1)
        found = told(*(events[place] for place in order))
    assert found.open == told(*(events[place] for place in order)).open


@given(st.lists(st.decimals("0.1", "100", places=1), min_size=1), st.lists(st.decimals("0.1", "100", places=1)))
def test_balance_is_that_of_plain_sums(came: list[Decimal], went: list[Decimal]) -> None:
    events = [
        *(make(f"i{n}", SHOP, into="A", quantity=str(quantity)) for n, quantity in enumerate(came)),
        *(make(f"o{n}", SHOP, of="A", into=f"B{n}", quantity=str(quantity)) for n, quantity in enumerate(went)),
    ]
    overdrawn = sum(went, Decimal(0)) > sum(came, Decimal(0)) * (1 + TOLERANCE)
    assert (K.MORE_OUT_THAN_IN in told(*events).open) is overdrawn


SITES = ("s0", "s1", "s2")
quantities = st.integers(1, 40)
moves = st.tuples(st.sampled_from(SITES), st.sampled_from(SITES), quantities, st.sampled_from(["both", "sent", "got"]))


@given(
    st.dictionaries(st.sampled_from(SITES), quantities), st.lists(moves, max_size=8), st.randoms(use_true_random=False)
)
def test_balance_agrees_with_bookkeeping_by_hand_in_any_order(
    grown: dict[str, int], moved: list[tuple[str, str, int, str]], rng: Random
) -> None:
    """One batch among three sites, heard in any order, in bundles of any size, some of it twice."""
    events = [harvest(f"h{site}", "A", site, quantity=str(quantity)) for site, quantity in grown.items()]
    sent: dict[tuple[str, str], int] = {}
    got: dict[tuple[str, str], int] = {}
    for number, (a, b, quantity, who) in enumerate(moved):
        if a != b and who != "got":
            events.append(ship(f"s{number}", "A", a, b, quantity=str(quantity)))
            sent[a, b] = sent.get((a, b), 0) + quantity
        if a != b and who != "sent":
            events.append(receive(f"r{number}", "A", b, a, quantity=str(quantity)))
            got[a, b] = got.get((a, b), 0) + quantity
    went = {edge: max(sent.get(edge, 0), got.get(edge, 0)) for edge in {*sent, *got}}
    wrong = set()
    for site in SITES:
        came = sum(quantity for (_, to), quantity in went.items() if to == site) + grown.get(site, 0)
        out = sum(quantity for (start, _), quantity in went.items() if start == site)
        if came and out * 100 > came * 105:
            wrong.add(site)
    world = heard_in_any_order(events, rng)
    assert {each.site for each in world.open.get(K.MORE_OUT_THAN_IN, [])} == wrong


def heard_in_any_order(events: list[Event] | list[object], rng: Random) -> Truth:
    queue = [*events, *rng.sample(events, k=len(events) // 3)]
    rng.shuffle(queue)
    world = Truth()
    while queue:
        size = rng.randint(1, 3)
        world.hear(*queue[:size])
        queue = queue[size:]
    return world


# Times and yields


def test_goods_that_left_before_they_came_are_found_by_the_sites_own_books() -> None:
    came = receive("e1", "A", SHOP, FARM)._replace(time=MORNING + timedelta(hours=5))
    world = told(came, ship("e2", "A", SHOP, KITCHEN)._replace(time=MORNING + timedelta(hours=1)))
    found = world.only(K.IMPOSSIBLE_TIME)
    assert (found.site, found.allowed, found.told) == (SHOP, "2026-01-05T13:00:00+08:00", "2026-01-05T09:00:00+08:00")
    world.hear(receive("e0", "A", SHOP, FARM))
    assert not world.open


def test_anothers_word_on_when_goods_came_is_no_book_of_the_sites_own() -> None:
    sent = ship("e1", "A", FARM, SHOP)._replace(time=MORNING + timedelta(hours=5))
    assert not told(sent, ship("e2", "A", SHOP, KITCHEN)).open


def test_what_was_declared_an_error_counts_for_nothing() -> None:
    wrong = state(ship("e1", "A", SHOP, KITCHEN), declared=True)
    assert once([wrong]) == []
    assert doubles([wrong, state(ship("e1:catering", "A", SHOP, KITCHEN))]) is None


def test_clocks_and_papers_that_carry_a_day_only_are_no_doubt() -> None:
    soon = ship("e2", "A", SHOP, KITCHEN)._replace(time=MORNING - timedelta(minutes=9))
    assert not told(receive("e1", "A", SHOP, FARM), soon).open
    midnight = MORNING - timedelta(hours=8)
    assert not told(receive("e1", "A", SHOP, FARM), ship("e2", "A", SHOP, KITCHEN)._replace(time=midnight)).open
    day_before = ship("e2", "A", SHOP, KITCHEN)._replace(time=midnight - timedelta(days=1))
    assert told(receive("e1", "A", SHOP, FARM), day_before).only(K.IMPOSSIBLE_TIME)


@pytest.mark.parametrize(("made", "found"), [("2", True), ("3", False), ("35", False), ("36", True)])
def test_yield_beyond_its_range_is_found(made: str, found: bool) -> None:
    world = told(event("e1", Step.KITCHEN_USE, KITCHEN, goods("rice"), goods("meal", quantity=made)))
    assert bool(world.open) is found
    if found:
        doubt = world.only(K.YIELD_OUT_OF_RANGE)
        assert (doubt.allowed, doubt.told, doubt.tolerance) == ("3 KGM - 35 KGM", f"{made} KGM", "0.3 - 3.5")


def test_every_transforming_step_with_inputs_has_a_yield_for_every_category() -> None:
    for step in (Step.MAKING, Step.PACKING, Step.UNPACKING, Step.SLAUGHTER, Step.KITCHEN_USE):
        for category in Category:
            row = yield_of(step, category)
            assert row
            assert 0 < row.least < 1 <= row.most
    assert yield_of(Step.STORING, Category.OTHER) is None


# Places


CITY, OTHER_COUNTY, OTHER_CITY = "370102", "370103", "370202"


@pytest.mark.parametrize(
    ("there", "minutes", "found"),
    [
        (CITY, 0, False),
        (OTHER_COUNTY, 9, True),
        (OTHER_COUNTY, 10, False),
        (OTHER_CITY, 29, True),
        (OTHER_CITY, 30, False),
    ],
)
def test_vehicle_at_two_places_too_soon_is_found(there: str, minutes: int, found: bool) -> None:
    soon = ship("e2", "B", at(SHOP, there))._replace(time=MORNING + timedelta(minutes=minutes))
    world = told(*(state(each, vehicle="鲁A12345") for each in (ship("e1", "A", at(FARM, CITY)), soon)))
    assert bool(world.open) is found
    if found:
        doubt = world.only(K.IMPOSSIBLE_PLACE)
        assert (doubt.site, doubt.events) == (SHOP, ("e1", "e2"))
        assert doubt.allowed == f"{CITY} 2026-01-05T08:00:00+08:00"
    assert not told(state(ship("e1", "A", at(FARM, CITY)), vehicle="鲁A12345"), state(soon, vehicle="鲁B1")).open


def test_busy_vehicle_is_judged_by_the_sweep_not_with_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth_judge, "BUSY", 3)
    world = told(*(state(ship(f"e{n}", "A", at(FARM, CITY)), vehicle="鲁A12345") for n in range(4)))
    world.hear(state(ship("e4", "A", at(SHOP, OTHER_CITY)), vehicle="鲁A12345"))
    assert not world.open
    world.sweep()
    assert "e4" in world.only(K.IMPOSSIBLE_PLACE).events


def test_animal_slaughtered_twice_is_at_an_impossible_place() -> None:
    pig = {"tags": ("137010212345678",)}
    first = event("e1", Step.SLAUGHTER, at(FARM, CITY), goods("P"), goods("M", quantity="7"))
    second = event("e2", Step.SLAUGHTER, at(SHOP, CITY), goods("P"), goods("N", quantity="7"), hour=40)
    world = told(state(first, **pig), state(second, **pig))
    assert [each.events for each in world.open[K.IMPOSSIBLE_PLACE]] == [("e1", "e2")]
    world.declare("e1")
    assert K.IMPOSSIBLE_PLACE not in world.open


# Papers


def paper(**more: object) -> Paper:
    return Paper(**{"kind": "conformity", "number": "HG20260105", "quantity": Decimal(100), "unit": "KGM"} | more)  # type: ignore[arg-type]


def sale(id: str, quantity: str, here: str = FARM, there: str = SHOP, *papers: Paper, batch: str = "A") -> object:
    return state(ship(id, batch, here, there, quantity=quantity), *(papers or (paper(),)))


def test_certificate_split_over_deliveries_is_legal_up_to_what_it_certifies() -> None:
    world = told(sale("e1", "60"), sale("e2", "45", FARM, KITCHEN, batch="B"))
    assert not world.open
    world.hear(sale("e3", "0.1"))
    found = world.only(K.CERTIFICATE_OVERUSED)
    assert (found.document, found.allowed, found.told) == ("HG20260105", "105 KGM", "105.1 KGM")
    assert (found.site, found.batches, found.events) == (FARM, ("A", "B"), ("e1", "e2", "e3"))
    world.declare("e2")
    assert not world.open


def test_what_is_sent_back_is_no_use_of_a_certificate_and_hides_none() -> None:
    lot = goods("A", quantity="20")
    back = state(event("e2", Step.RETURNING, SHOP, lot, lot, FARM, 2), paper())
    got = state(event("e3", Step.RECEIVING, FARM, lot, lot, SHOP, 3), paper())
    again = state(event("e4", Step.SHIPPING, FARM, lot, lot, KITCHEN, 4), paper())
    for returned in ((back,), (got,), (back, got)):
        assert not told(sale("e1", "100"), *returned, again).open
        assert told(sale("e1", "126"), *returned).only(K.CERTIFICATE_OVERUSED).told == "106 KGM"


def test_paper_of_many_uses_is_judged_by_the_sweep_not_with_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth_judge, "BUSY", 3)
    world = told(*(sale(f"e{n}", "20", batch=f"B{n}") for n in range(4)))
    world.hear(sale("e9", "30", batch="B9"))
    assert not world.open
    world.sweep()
    assert world.only(K.CERTIFICATE_OVERUSED).told == "110 KGM"


def test_receipt_and_resale_under_the_same_certificate_use_it_once() -> None:
    got = state(receive("e2", "A", SHOP, FARM, quantity="100"), paper())
    world = told(sale("e1", "100"), got, sale("e3", "100", SHOP, KITCHEN))
    assert not world.open


def test_resale_under_a_batch_code_of_ones_own_uses_a_certificate_once_though_the_receipt_cites_nothing() -> None:
    world = told(sale("e1", "100"), sale("e3", "100", SHOP, KITCHEN, batch="B"))
    assert world.only(K.CERTIFICATE_OVERUSED)
    world.hear(receive("e2", "A", SHOP, FARM, own="B", quantity="100"))
    assert not world.open


def test_another_issuers_paper_of_the_same_number_is_another_paper() -> None:
    one, other = paper(issuer="甲"), paper(issuer="乙")
    world = told(sale("e1", "60", FARM, SHOP, one), sale("e2", "30", FARM, SHOP, one))
    world.hear(sale("e3", "60", KITCHEN, SHOP, other, batch="B"))
    assert not world.open


uses = st.tuples(st.sampled_from("ABC"), st.integers(1, 60), st.booleans(), st.booleans())


@given(st.lists(uses, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_certificate_use_agrees_with_a_count_by_hand_in_any_order(
    used: list[tuple[str, int, bool, bool]], rng: Random
) -> None:
    """A farm's deliveries to a shop under one certificate, told by one side or both, some sold on under it."""
    events: list[object] = []
    sides: dict[str, list[int]] = {batch: [0, 0] for batch in "ABC"}
    for number, (batch, quantity, sent, sold_on) in enumerate(used):
        if sent:
            events.append(sale(f"s{number}", str(quantity), batch=batch))
            sides[batch][0] += quantity
        else:
            got = receive(f"r{number}", batch, SHOP, FARM, quantity=str(quantity))
            events.append(state(got, paper()))
            sides[batch][1] += quantity
        if sold_on:
            events.append(sale(f"o{number}", str(quantity), SHOP, KITCHEN, batch=batch))
    total = sum(max(both) for both in sides.values())
    world = heard_in_any_order(events, rng)
    found = world.open.get(K.CERTIFICATE_OVERUSED, [])
    assert [each.told for each in found] == ([f"{total} KGM"] if total > 105 else [])


QUARANTINE = {"kind": "quarantine", "number": "3701234567", "quantity": None, "unit": None}


@pytest.mark.parametrize(
    ("form", "days"), [("animal_a", 5), ("product_a", 7), ("animal_b", 0), ("product_b", 0), (None, None)]
)
def test_quarantine_certificate_is_valid_as_long_as_its_form_allows(form: str | None, days: int | None) -> None:
    issued = paper(**QUARANTINE, form=form, issued_on=date(2026, 1, 5))
    assert last_day(issued) == (date(2026, 1, 5 + days) if days is not None else None)
    late = 24 * ((days or 0) + 1)
    moved = state(ship("e1", "A", FARM, SHOP)._replace(time=MORNING + timedelta(hours=late)), issued)
    assert (K.CERTIFICATE_EXPIRED in told(moved).open) is (days is not None)
    on_time = moved._replace(event=moved.event._replace(time=MORNING + timedelta(hours=late - 24)))
    assert K.CERTIFICATE_EXPIRED not in told(on_time).open


def test_goods_moved_under_an_expired_paper_are_found_and_goods_in_store_are_not() -> None:
    ended = paper(valid_until=date(2026, 1, 4), quantity=None)
    found = told(state(ship("e1", "A", FARM, SHOP), ended)).only(K.CERTIFICATE_EXPIRED)
    assert (found.site, found.document, found.allowed, found.told) == (FARM, "HG20260105", "≤ 2026-01-04", "2026-01-05")
    assert not told(state(event("e1", Step.STORING, SHOP, goods("A")), ended)).open


def test_supplier_without_a_licence_on_the_day_by_the_registry_or_else_by_the_record() -> None:
    bought = receive("e1", "A", SHOP, FARM)
    by_record = told(state(bought, licensed_until=date(2026, 1, 4)))
    assert by_record.only(K.SUPPLIER_UNLICENSED).counterparty == FARM
    assert not told(state(bought, licensed_until=date(2026, 1, 5))).open
    world = Truth(licences={FARM: date(2026, 1, 4)})
    world.hear(bought)
    assert world.only(K.SUPPLIER_UNLICENSED).site == SHOP
    world.licences[FARM] = date(2027, 1, 4)
    world.examine(["e1"])
    assert not world.open
    renewed = Truth(licences={FARM: date(2027, 1, 4)})
    renewed.hear(state(bought, licensed_until=date(2026, 1, 4)))
    assert not renewed.open
    assert told(state(bought, barred=True)).only(K.SUPPLIER_UNLICENSED)
    assert not told(state(receive("e1", "A", SHOP, Place(FARM, external=True)), barred=True)).open


@pytest.mark.parametrize("gone", [OperatorState.REVOKED, OperatorState.DEREGISTERED])
def test_supplier_whose_licence_is_revoked_when_the_record_comes_is_unlicensed(gone: OperatorState) -> None:
    bought = CABBAGE.model_copy(update={"step": Step.RECEIVING})
    decisions = [decide([bought], {}, {"licence:JY1": facts("licence:JY1", state)}) for state in (gone, ON_CHAIN)]
    for decision, found in zip(decisions, (True, False), strict=True):
        [row] = written(decision)
        world = told(truth_store.statement(row))
        assert ([*world.open] == [K.SUPPLIER_UNLICENSED]) is found


# Two apps


def test_near_matches_are_proposed_once_and_count_once_until_one_is_declared_an_error() -> None:
    grown = harvest("e0", "A", FARM)
    world = told(grown, ship("e1", "A", FARM, SHOP, quantity="10"), ship("e1:catering", "A", FARM, SHOP, quantity="9"))
    found = world.only(K.POSSIBLE_DUPLICATE)
    assert (found.events, found.allowed, found.told) == (
        ("e1", "e1:catering"),
        "2026-01-05; A 10 KGM",
        "2026-01-05; A 9 KGM",
    )
    world.declare("e1")
    assert not world.open
    world = told(grown, ship("e1", "A", FARM, SHOP), ship("e1:catering", "A", FARM, SHOP, quantity="99"))
    assert world.only(K.POSSIBLE_DUPLICATE)
    world.declare("e1")
    assert world.only(K.MORE_OUT_THAN_IN).told == "99 KGM"
