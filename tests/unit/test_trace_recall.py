"""Portions of a recall: on honest books they add up to what was made, whatever happened to it."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from contracts.trace import Step
from services.trace.amounts import Amount
from services.trace.lineage import Event, Place
from services.trace.recall import TO_BRING_BACK, Coverage, Fate, Portion, coverage, portions
from tests.unit.trace_world import event, goods, harvest, make, receive, ship, world

FARM, SHOP, KITCHEN, ABROAD = "licence:F", "licence:S", "licence:K", Place("external:x", external=True)


def kilos(quantity: str | int) -> Amount:
    return Amount(Decimal(quantity), "KGM")


def located(*events: Event, batch: str = "A") -> dict[tuple[str, Fate], Amount | None]:
    found = portions(world(*events).forward(batch), events)
    return {(portion.node, portion.fate): portion.amount for portion in found}


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


def test_goods_shipped_to_nobody_known_stand_with_their_last_holder() -> None:
    told = harvest("e0", "A", FARM), ship("e1", "A", FARM, quantity="6")
    found = portions(world(*told).forward("A"), told)
    assert found == [Portion(f"A@{FARM}", Fate.UNLOCATED, kilos(6)), Portion(f"A@{FARM}", Fate.HELD, kilos(4))]
    assert coverage(found, kilos(10), "A").share == Fraction(2, 5)


def test_unknown_quantities_are_not_guessed() -> None:
    told = harvest("e0", "A", FARM, quantity=None), ship("e1", "A", FARM, SHOP)
    found = portions(world(*told).forward("A"), told)
    assert {(each.node, each.fate) for each in found} == {
        (f"A@{FARM}", Fate.UNLOCATED),
        (f"A@{SHOP}", Fate.IN_TRANSIT),
    }
    assert Coverage("A", None, kilos(10)).share is None


@dataclass
class Books:
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
                self.events.append(receive(f"r{number}{part}", "A", there, here, quantity=str(some)))


SITES = (FARM, SHOP, KITCHEN)
moves = st.tuples(
    st.sampled_from(("ship", "ship", "sell", "destroy")),
    st.sampled_from(SITES),
    st.sampled_from(SITES),
    st.integers(1, 60),
)


@given(st.lists(moves, max_size=10), st.sampled_from(("both", "sender", "receiver", "parts", "nameless")))
def test_portions_add_up_to_what_was_made(made: list[tuple[str, str, str, int]], told_by: str) -> None:
    books = Books()
    for kind, here, there, quantity in made:
        books.move(kind, here, there, quantity, told_by)
    found = portions(world(*books.events).forward("A"), books.events)
    assert coverage(found, kilos(100), "A").share == 1
    gone = sum(each.amount.quantity for each in found if each.amount and each.fate not in TO_BRING_BACK)
    assert gone == books.ended
    standing = {each.node: each.amount for each in found if each.fate in TO_BRING_BACK}
    assert standing == {f"A@{site}": kilos(left) for site, left in books.stock.items() if left}
