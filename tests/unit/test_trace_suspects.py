"""Common sources: small chains, and random weeks against a count."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.trace.analyses.suspects import Case, common_nodes, common_sites
from services.trace.lineage import Event
from tests.unit.trace_oracle import BATCHES, arrows, backward, later, nodes_of, reached, weeks
from tests.unit.trace_world import World, harvest, make, ship, world

FARM, KITCHEN, SCHOOL, HOME = "licence:F", "licence:K", "licence:S", "licence:H"

LUNCHES = world(
    harvest("e0", "greens", FARM),
    ship("e1", "greens", FARM, KITCHEN),
    make("e2", KITCHEN, "greens", "soup"),
    make("e3", KITCHEN, "greens rice", "stew"),
    ship("e4", "soup", KITCHEN, SCHOOL),
    ship("e5", "stew", KITCHEN, HOME),
)


def cases(told: World, *batches: str, **weights: int) -> list[Case]:
    return [Case(batch, told.back(batch), Fraction(weights.get(batch, 1))) for batch in batches]


def test_nearest_common_source_comes_first_and_explains_every_case() -> None:
    first, second, *_ = common_nodes(cases(LUNCHES, "soup", "stew"))
    assert (first.id, first.score, first.explains) == (f"greens@{KITCHEN}", Fraction(1), ("soup", "stew"))
    assert (second.id, second.distance - first.distance) == (f"greens@{FARM}", 2)
    assert f"rice@{KITCHEN}" not in {each.id for each in common_nodes(cases(LUNCHES, "soup", "stew"))}


def test_site_is_suspected_though_no_node_is_common() -> None:
    told = world(make("e1", KITCHEN, "greens", "soup"), make("e2", KITCHEN, "rice", "stew"))
    both = cases(told, "soup", "stew")
    assert common_nodes(both) == []
    assert [(each.id, each.score, each.distance) for each in common_sites(both)] == [(KITCHEN, Fraction(1), 0)]


def test_weights_make_a_source_of_the_heavier_cases_likelier() -> None:
    told = world(
        *(make(f"a{n}", KITCHEN, "greens", f"soup{n}") for n in (1, 2)),
        *(make(f"b{n}", KITCHEN, "rice", f"stew{n}") for n in (1, 2)),
    )
    found = common_nodes(cases(told, "soup1", "soup2", "stew1", "stew2", soup1=3))
    assert [(each.id, each.score) for each in found] == [
        (f"greens@{KITCHEN}", Fraction(4, 6)),
        (f"rice@{KITCHEN}", Fraction(2, 6)),
    ]


@given(weeks(), st.lists(st.sampled_from(BATCHES), min_size=2, max_size=4, unique=True), st.booleans())
def test_scores_are_those_of_a_count(events: list[Event], batches: list[str], in_time: bool) -> None:
    told = backward(arrows(events, in_time))
    behind = {batch: reached(nodes_of(events, batch), told) for batch in batches}
    weights = dict(zip(batches, (1, 2, 3, 5), strict=False))

    def counted(places: dict[str, set[str]]) -> dict[str, Fraction]:
        explained = {
            place: [batch for batch in batches if place in places[batch]] for place in set().union(*places.values())
        }
        total = sum(weights.values())
        return {
            place: Fraction(sum(weights[batch] for batch in of), total)
            for place, of in explained.items()
            if len(of) > 1
        }

    world_ = world(*events)
    each = [Case(batch, world_.back(batch, in_time=in_time), Fraction(weights[batch])) for batch in batches]
    nodes, sites = common_nodes(each), common_sites(each)
    assert {one.id: one.score for one in nodes} == counted(behind)
    assert {one.id: one.score for one in sites} == counted(
        {batch: {key.partition("@")[2] for key in keys} for batch, keys in behind.items()}
    )
    assert nodes == sorted(nodes, key=lambda one: (-one.score, one.distance, one.id))


def test_source_that_came_after_the_meal_is_no_suspect() -> None:
    told = world(
        make("e1", KITCHEN, "greens", "soup"),
        later(make("e2", KITCHEN, "greens", "stew"), 2),
        later(ship("e3", "greens", FARM, KITCHEN), 1),
    )
    assert f"greens@{FARM}" not in {one.id for one in common_nodes(cases(told, "soup", "stew"))}
    either = [Case(batch, told.back(batch, in_time=False)) for batch in ("soup", "stew")]
    assert f"greens@{FARM}" in {one.id for one in common_nodes(either)}
