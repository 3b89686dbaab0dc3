"""Dishes that hold a batch: a small kitchen, and random weeks against a count."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from contracts.trace import Step
from services.trace.analyses.dishes import dishes
from services.trace.analyses.queries import cooked
from services.trace.lineage import Event
from services.trace.walks.chain import Chain
from services.trace.walks.walk import PER_REQUEST
from tests.unit.trace_oracle import BATCHES, arrows, later, nodes_of, states, weeks
from tests.unit.trace_world import event, goods, ship, world

FARM, KITCHEN = "licence:F", "licence:K"


def cook(id: str, of: str, into: str = "") -> Event:
    return event(id, Step.KITCHEN_USE, KITCHEN, goods(*of.split()), goods(*into.split()))


def found(forward: Chain, events: list[Event]) -> list[tuple[str, str, tuple[str, ...]]]:
    used = [each.id for each in events if each.step is Step.KITCHEN_USE and each.id in forward.events]
    return [(each.node, each.event_id, each.ingredients) for each in dishes(forward, used)]


def test_kitchen_uses_are_asked_for_among_any_number_of_events() -> None:
    ids = [f"E{number:032x}" for number in range(2 * PER_REQUEST + 1)]
    asked = [*cooked(ids, date(2026, 1, 5))]
    assert [id for where in asked for id in where["_id"]["$in"]] == ids
    assert max(len(where["_id"]["$in"]) for where in asked) == PER_REQUEST
    assert {where["step"] for where in asked} == {Step.KITCHEN_USE}


def test_dish_is_told_with_what_of_the_batch_went_into_it() -> None:
    events = [ship("e1", "A", FARM, KITCHEN), cook("e2", "A", "stock"), cook("e3", "A stock salt", "soup stew")]
    assert found(world(*events).forward("A"), events) == [
        (f"stock@{KITCHEN}", "e2", (f"A@{KITCHEN}",)),
        (f"soup@{KITCHEN}", "e3", (f"A@{KITCHEN}", f"stock@{KITCHEN}")),
        (f"stew@{KITCHEN}", "e3", (f"A@{KITCHEN}", f"stock@{KITCHEN}")),
    ]


def test_kitchen_that_wrote_down_no_dish_is_told_by_what_it_used() -> None:
    events = [ship("e1", "A", FARM, KITCHEN), cook("e2", "A salt")]
    assert found(world(*events).forward("A"), events) == [(f"A@{KITCHEN}", "e2", (f"A@{KITCHEN}",))]


def test_dish_of_the_day_before_the_goods_came_holds_none_of_them() -> None:
    events = [later(ship("e1", "A", FARM, KITCHEN), 1), cook("e2", "A", "soup")]
    assert found(world(*events).forward("A", site=FARM), events) == []


@given(weeks(), st.sampled_from(BATCHES))
def test_dishes_are_those_of_a_count(events: list[Event], batch: str) -> None:
    """Every meal is a kitchen's: one holds the batch when goods of it were there by its day."""
    events = [each._replace(step=Step.KITCHEN_USE) if each.step is Step.MAKING else each for each in events]
    moved = [each._replace(step=Step.MAKING) if each.step is Step.KITCHEN_USE else each for each in events]
    there = states(nodes_of(moved, batch), arrows(moved))
    held = set()
    for each in moved:
        [*days] = {day for _, _, day in arrows([each])}
        for a in each.inputs if each.step is Step.MAKING and days else ():
            if any(node == f"{a.batch}@{each.here.site}" and since <= days[0] for node, since in there):
                held |= {(f"{b.batch}@{each.here.site}", each.id) for b in each.outputs if b.batch != a.batch}
    told = found(world(*events).forward(batch), events)
    with_edge = {(node, id) for node, id, into in told if into != (node,)}
    assert with_edge == held
