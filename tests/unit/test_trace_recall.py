"""Portions of a recall: on honest books they add up to what was made, whatever happened to it."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.trace import Step
from services.trace.lineage import Event, Place
from services.trace.recalls.coverage import Coverage, coverages
from services.trace.recalls.portions import TO_BRING_BACK, Fate, Portion, Why, portions
from services.trace.recalls.simulation import Simulation
from services.trace.stock import stock
from services.trace.stock.amounts import NOTHING, Amount, plus
from services.trace.stock.books import Books
from tests.unit.trace_world import MORNING, event, goods, harvest, make, receive, ship, stored, world

FARM, SHOP, KITCHEN, ABROAD = "licence:F", "licence:S", "licence:K", Place("external:x", external=True)


def kilos(quantity: str | int) -> Amount:
    return Amount(Decimal(quantity), "KGM")


def found(*events: Event, batch: str = "A", **bounds: Any) -> tuple[list[Portion], dict[str, Coverage]]:
    chain, books = world(*events).forward(batch, **bounds), Books(map(stored, events))
    parts = portions(chain, books)
    return parts, {each.batch: each for each in coverages(chain, books, parts)}


def located(*events: Event) -> dict[tuple[str, Fate], Amount | None]:
    return {(portion.node, portion.fate): portion.amount for portion in found(*events)[0]}


def test_each_part_is_where_its_books_say() -> None:
    sold = event("e5", Step.SELLING, SHOP, goods("A", quantity="2"), goods("A", quantity="2"))
    told = (
        harvest("e0", "A", FARM, quantity="20"),
        ship("e1", "A", FARM, SHOP, quantity="10"),
        receive("e2", "A", SHOP, FARM, quantity="10"),
        ship("e3", "A", FARM, KITCHEN, quantity="4"),
        ship("e4", "A", FARM, ABROAD, quantity="1"),
        sold,
        event("e6", Step.DESTROYING, SHOP, goods("A", quantity="3")),
        make("e7", SHOP, of="A", into="M", quantity="4"),
    )
    assert located(*told) == {
        (f"A@{FARM}", Fate.HELD): kilos(5),
        (f"A@{SHOP}", Fate.CONSUMED): kilos(2),
        (f"A@{SHOP}", Fate.DESTROYED): kilos(3),
        (f"A@{SHOP}", Fate.PROCESSED): kilos(4),
        (f"A@{SHOP}", Fate.HELD): kilos(1),
        (f"M@{SHOP}", Fate.HELD): kilos(4),
        (f"A@{KITCHEN}", Fate.IN_TRANSIT): kilos(4),
        ("A@external:x", Fate.OUTSIDE): kilos(1),
    }


def test_what_is_sold_and_shipped_or_bought_and_received_is_moved_once() -> None:
    lot = goods("A", quantity="10")
    told = (
        harvest("e0", "A", FARM, quantity="20"),
        event("e1", Step.SELLING, FARM, lot, lot, SHOP, 1),
        ship("e2", "A", FARM, SHOP, quantity="10"),
        event("e3", Step.PURCHASE, SHOP, lot, lot, FARM, 2),
        receive("e4", "A", SHOP, FARM, quantity="10"),
    )
    assert located(*told) == {(f"A@{FARM}", Fate.HELD): kilos(10), (f"A@{SHOP}", Fate.HELD): kilos(10)}


def test_of_what_is_sold_and_shipped_or_bought_and_received_the_larger_account_counts() -> None:
    for sold, shipped in (("4", "10"), ("10", "4")):
        lot, more = goods("A", quantity=sold), {"quantity": shipped}
        told = harvest("e0", "A", FARM, quantity="20"), event("e1", Step.SELLING, FARM, lot, lot, SHOP, 1)
        taken = event("e3", Step.PURCHASE, SHOP, lot, lot, FARM, 2), receive("e4", "A", SHOP, FARM, **more)
        for events in ((*told, ship("e2", "A", FARM, SHOP, **more)), (told[0], *taken)):
            assert located(*events)[f"A@{FARM}", Fate.HELD] == kilos(10)


def test_processed_goods_name_the_batches_that_they_became() -> None:
    parts, covered = found(
        harvest("e0", "A", FARM),
        make("e1", FARM, of="A", into="M N", quantity="4"),
        ship("e2", "M", FARM, SHOP, quantity="4"),
    )
    assert {each.into for each in parts if each.fate is Fate.PROCESSED} == {("M", "N")}
    assert {batch: (each.produced, each.share) for batch, each in covered.items()} == {
        "A": (kilos(10), Fraction(1)),
        "M": (kilos(4), Fraction(1)),
        "N": (kilos(4), Fraction(1)),
    }


def test_what_was_sent_and_not_received_yet_is_on_its_way() -> None:
    told = harvest("e0", "A", FARM), ship("e1", "A", FARM, SHOP), receive("e2", "A", SHOP, FARM, quantity="6")
    assert located(*told) == {(f"A@{SHOP}", Fate.HELD): kilos(6), (f"A@{SHOP}", Fate.IN_TRANSIT): kilos(4)}


def test_goods_shipped_to_nobody_known_stand_with_their_last_holder() -> None:
    parts, covered = found(harvest("e0", "A", FARM), ship("e1", "A", FARM, quantity="6"))
    assert parts == [
        Portion(f"A@{FARM}", Fate.UNLOCATED, kilos(6), why=Why.TO_NOBODY_KNOWN),
        Portion(f"A@{FARM}", Fate.HELD, kilos(4)),
    ]
    assert covered["A"].share == Fraction(2, 5)


def test_halves_that_name_nobody_meet_by_batch() -> None:
    told = harvest("e0", "A", FARM), ship("e1", "A", FARM, quantity="6"), receive("e2", "A", SHOP, quantity="5")
    parts, covered = found(*told)
    assert {(each.node, each.fate): each.amount for each in parts} == {
        (f"A@{FARM}", Fate.UNLOCATED): kilos(1),
        (f"A@{FARM}", Fate.HELD): kilos(4),
        (f"A@{SHOP}", Fate.HELD): kilos(5),
    }
    assert (covered["A"].produced, covered["A"].share) == (kilos(10), Fraction(9, 10))


def test_goods_handed_to_oneself_have_not_moved() -> None:
    told = harvest("e0", "A", FARM), ship("e1", "A", FARM, FARM, quantity="6")
    assert located(*told) == {(f"A@{FARM}", Fate.HELD): kilos(10)}


def test_unknown_quantities_are_not_guessed() -> None:
    parts, covered = found(harvest("e0", "A", FARM, quantity=None), ship("e1", "A", FARM, SHOP))
    assert parts == [
        Portion(f"A@{FARM}", Fate.UNLOCATED, None, why=Why.NOT_RECORDED),
        Portion(f"A@{SHOP}", Fate.IN_TRANSIT, kilos(10)),
    ]
    assert (covered["A"].share, covered["A"].unsure) == (None, ((f"A@{FARM}", Why.NOT_RECORDED),))


def test_what_a_bounded_walk_left_out_is_not_located() -> None:
    told = harvest("e0", "A", FARM), make("e1", FARM, of="A", into="M"), ship("e2", "M", FARM, SHOP)
    parts, covered = found(*told, max_depth=1)
    assert parts[-1] == Portion(f"M@{FARM}", Fate.UNLOCATED, kilos(10), why=Why.NOT_FOLLOWED)
    assert (covered["A"].share, covered["M"].share) == (Fraction(1), Fraction(0))


def test_produce_begins_with_its_first_delivery_and_goods_from_elsewhere_are_theirs_too() -> None:
    told = ship("e1", "A", FARM, SHOP), receive("e2", "A", SHOP, ABROAD, quantity="3")
    assert {each.batch: each.produced for each in found(*told)[1].values()} == {"A": kilos(13)}


def test_more_out_than_in_is_told() -> None:
    told = harvest("e0", "A", FARM), ship("e1", "A", FARM, SHOP, quantity="12")
    covered = found(*told)[1]["A"]
    assert (covered.share, covered.unsure) == (Fraction(1), ((f"A@{FARM}", Why.MORE_OUT_THAN_IN),))


def test_what_nobody_can_locate_is_not_made_up_for_by_more_out_than_in() -> None:
    told = (
        harvest("e0", "A", FARM),
        ship("e1", "A", FARM, quantity="6"),
        ship("e2", "A", FARM, SHOP, quantity="12"),
    )
    covered = found(*told)[1]["A"]
    assert (covered.produced, covered.located, covered.share) == (kilos(18), kilos(12), Fraction(2, 3))


def test_too_much_of_one_batch_does_not_stand_for_another() -> None:
    one = Coverage("A", kilos(10), kilos(10))
    other = (
        harvest("e0", "B", FARM),
        ship("e1", "B", FARM, SHOP, quantity="20"),
    )
    more = found(*other, batch="B")[1]["B"]
    none = Coverage("C", kilos(10), NOTHING)
    told = Simulation(("A", "B", "C"), MORNING, {}, [], [], [one, more, none], [])
    assert told.share == Fraction(3, 4)


@dataclass
class Honest:
    """Goods moved by people who write everything down, some of them late."""

    stock: dict[str, int] = field(default_factory=lambda: {FARM: 100})
    events: list[Event] = field(default_factory=lambda: [harvest("e", "A", FARM, quantity="100")])
    ended: int = 0

    def move(self, kind: str, here: str, there: str, quantity: int, told_by: str) -> None:
        quantity = min(quantity, self.stock.get(here, 0))
        if not quantity or here == there:
            return
        self.stock[here] -= quantity
        number, lots = len(self.events), goods("A", quantity=str(quantity))
        if kind == "ship":
            self.stock[there] = self.stock.get(there, 0) + quantity
            self._hand_over(number, here, there, str(quantity), told_by)
        else:
            self.ended += quantity
            step = Step.DESTROYING if kind == "destroy" else Step.SELLING
            self.events.append(event(f"e{number}", step, here, lots, () if kind == "destroy" else lots))

    def _hand_over(self, number: int, here: str, there: str, quantity: str, told_by: str) -> None:
        if told_by != "receiver":
            named = "" if told_by == "nameless" else there
            self.events.append(ship(f"s{number}", "A", here, named, quantity=quantity))
        if told_by != "sender":
            first = int(quantity) // 2 if told_by == "parts" else 0
            for part, some in enumerate(filter(None, (first, int(quantity) - first))):
                named = "" if told_by == "anonymous" else here
                self.events.append(receive(f"r{number}{part}", "A", there, named, quantity=str(some)))


SITES = (FARM, SHOP, KITCHEN)
moves = st.tuples(
    st.sampled_from(("ship", "ship", "sell", "destroy")),
    st.sampled_from(SITES),
    st.sampled_from(SITES),
    st.integers(1, 60),
)


@given(st.lists(moves, max_size=10), st.sampled_from(("both", "sender", "receiver", "parts", "nameless")))
def test_portions_add_up_to_what_was_made(made: list[tuple[str, str, str, int]], told_by: str) -> None:
    books = Honest()
    for kind, here, there, quantity in made:
        books.move(kind, here, there, quantity, told_by)
    parts, covered = found(*books.events)
    assert covered["A"].share == 1
    assert covered["A"].unsure == ()
    gone = sum(each.amount.quantity for each in parts if each.amount and each.fate not in TO_BRING_BACK)
    assert gone == books.ended
    standing: dict[str, Amount | None] = {}
    for each in parts:
        if each.fate in TO_BRING_BACK:
            standing[each.node] = plus(standing.get(each.node, NOTHING), each.amount)
    assert standing == {f"A@{site}": kilos(left) for site, left in books.stock.items() if left}


@given(st.lists(moves, max_size=10), st.sampled_from(("both", "sender", "receiver", "parts", "anonymous")))
def test_stock_is_what_the_books_of_honest_people_say(made: list[tuple[str, str, str, int]], told_by: str) -> None:
    books = Honest()
    for kind, here, there, quantity in made:
        books.move(kind, here, there, quantity, told_by)
    found = stock.standing((f"A@{site}" for site in SITES), Books(map(stored, books.events)))
    assert {each.node: each.amount for each in found} == {
        f"A@{site}": kilos(left) for site, left in books.stock.items() if left
    }


def test_stock_says_why_it_is_not_known() -> None:
    told = (
        ship("e1", "A", FARM, SHOP, quantity="6"),
        receive("e2", "A", SHOP, FARM, quantity="5"),
        ship("e3", "B", FARM, SHOP, quantity=None),
        ship("e4", "B", SHOP, KITCHEN),
        harvest("e5", "C", FARM, quantity="1"),
        ship("e6", "C", FARM, KITCHEN, quantity="2"),
    )
    found = {each.node: each for each in stock.standing(Books(map(stored, told)).nodes, Books(map(stored, told)))}
    assert {node: each.why for node, each in found.items() if each.why} == {
        f"A@{FARM}": stock.Unknown.NOTHING_CAME,
        f"B@{FARM}": stock.Unknown.NOTHING_CAME,
        f"B@{SHOP}": stock.Unknown.NOT_RECORDED,
        f"C@{FARM}": stock.Unknown.MORE_OUT_THAN_IN,
    }
    assert (found[f"A@{SHOP}"].amount, found[f"A@{SHOP}"].in_transit) == (kilos(6), kilos(1))
