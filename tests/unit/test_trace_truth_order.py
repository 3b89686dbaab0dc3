"""Whatever order events come in, in whatever bundles and however often: the same findings stand in the end."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.findings import FindingKind
from contracts.trace import Category, Step
from services.trace.lineage import Goods, Place
from services.trace.truth.statements import Paper, Statement
from tests.unit.trace_world import MORNING, event
from tests.unit.truth_world import Truth

SITES = [Place("farm", division="370102"), Place("works", division="370103"), Place("shop", division="370202")]
STEPS = [Step.SHIPPING, Step.RECEIVING, Step.SLAUGHTER, Step.MAKING, Step.HARVEST, Step.SELLING, Step.CHECKPOINT]
END = MORNING + timedelta(days=30)

places = st.sampled_from(SITES)
units = st.sampled_from(["KGM", "HEA"])
papers = st.builds(
    Paper,
    st.sampled_from(["quarantine", "conformity"]),
    st.sampled_from(["3701000111", "3701000222"]),
    st.sampled_from([None, "animal_a", "product_b"]),
    issued_on=st.sampled_from([None, date(2026, 1, 4), date(2026, 1, 5)]),
    quantity=st.sampled_from([None, Decimal(10)]),
    unit=units,
)


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    """What a farm, a slaughterhouse and a shop tell of two batches, some of it wrong, some of it twice."""
    return [draw(statement(number)) for number in range(draw(st.integers(1, 7)))]


@st.composite
def statement(draw: st.DrawFn, number: int) -> Statement:
    step, here = draw(st.sampled_from(STEPS)), draw(places)
    there = draw(places.filter(lambda place: place != here)) if step in (Step.SHIPPING, Step.RECEIVING) else Place()
    taken, made = draw(lots()), draw(lots())
    hours = draw(st.sampled_from([0, 1, 2, 30, 200]))
    told = event(
        f"e{draw(st.integers(0, 3))}:app{number}" if draw(st.booleans()) else f"e{number}",
        step,
        here,
        () if step is Step.HARVEST else taken,
        made if step in (Step.SLAUGHTER, Step.MAKING, Step.HARVEST) else taken,
        there,
        hours,
    )
    more: dict[str, Any] = {
        "vehicle": draw(st.sampled_from([None, "鲁A1"])),
        "tags": draw(st.sampled_from([(), ("137010200000001",)])),
        "licensed_until": draw(st.sampled_from([None, date(2026, 1, 5)])),
    }
    return Statement(told, tuple(draw(st.lists(papers, max_size=2))), **more)


@st.composite
def lots(draw: st.DrawFn) -> tuple[Goods, ...]:
    category = draw(st.sampled_from([Category.MEAT, Category.VEGETABLE]))
    quantity = Decimal(draw(st.sampled_from([4, 6, 10, 11])))
    return (Goods(draw(st.sampled_from("AB")), quantity, draw(units), category=category),)


def standing(world: Truth) -> dict[FindingKind, list[tuple[Any, ...]]]:
    """What stands once the clock has run out, versions and opening times aside."""
    world.now = END
    while any(at <= END for at in world.waiting.values()):
        world.sweep()
    return {
        kind: [(each.id, each.site, each.events, each.allowed, each.told, each.batches) for each in found]
        for kind, found in world.open.items()
    }


@given(statements(), st.randoms(use_true_random=False), st.booleans())
def test_the_same_findings_stand_in_the_end(told: list[Statement], rng: Random, wrong: bool) -> None:
    at_once = Truth(now=MORNING)
    at_once.hear(*told)
    queue = [*told, *rng.sample(told, k=len(told) // 2)]
    rng.shuffle(queue)
    bit_by_bit = Truth(now=MORNING)
    while queue:
        size = rng.randint(1, 3)
        # A second report is recorded as one because the first is on record, though heard of later perhaps.
        origins = {each.origin for each in queue[:size]}
        bit_by_bit.statements |= {each.event.id: each for each in told if each.event.id in origins}
        bit_by_bit.hear(*queue[:size])
        if rng.random() < 1 / 3:
            bit_by_bit.now += timedelta(days=1)
            bit_by_bit.sweep()
        queue = queue[size:]
    if wrong:
        id = rng.choice(sorted(at_once.statements))
        at_once.declare(id)
        bit_by_bit.declare(id)
    assert standing(bit_by_bit) == standing(at_once)
