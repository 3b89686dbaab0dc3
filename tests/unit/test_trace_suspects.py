"""Common sources and ways between nodes: small chains, and random ones against brute force."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.trace.chain import Direction
from services.trace.lineage import Event, split
from services.trace.suspects import Case, common_nodes, common_sites, ways
from tests.unit.trace_chains import BATCHES, SITES, arrows_of, chains, reachable, starts_of
from tests.unit.trace_world import World, harvest, make, pairs, receive, ship, world

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


@given(chains(), st.lists(st.sampled_from(BATCHES), min_size=2, max_size=4, unique=True))
def test_scores_are_those_of_a_brute_force_count(events: list[Event], batches: list[str]) -> None:
    arrows = arrows_of(events, Direction.BACKWARD)
    behind = {batch: reachable(starts_of(events, batch), arrows) for batch in batches}
    counted = {key: sum(key in behind[batch] for batch in batches) for key in set().union(*behind.values())}
    found = common_nodes(cases(world(*events), *batches))
    assert {each.id: each.score for each in found} == {
        key: Fraction(number, len(batches)) for key, number in counted.items() if number > 1
    }
    assert found == sorted(found, key=lambda each: (-each.score, each.distance, each.id))


def test_way_keeps_what_lies_between_and_nothing_else() -> None:
    way = ways(LUNCHES.forward("greens"), [f"soup@{SCHOOL}"])
    assert way
    assert way.shortest == (f"greens@{KITCHEN}", f"soup@{KITCHEN}", f"soup@{SCHOOL}")
    assert set(way.chain.events) == {"e1", "e2", "e4"}
    assert not {key for key in way.chain.nodes if split(key)[0] == "stew"}


def test_no_way_is_none() -> None:
    assert ways(LUNCHES.forward("soup"), [f"stew@{HOME}"]) is None


def test_receipt_and_shipment_of_one_edge_both_stay_on_the_way() -> None:
    told = world(ship("e1", "A", FARM, KITCHEN), receive("e2", "A", KITCHEN, FARM), ship("e3", "A", FARM, HOME))
    way = ways(told.forward("A", site=FARM), [f"A@{KITCHEN}"])
    assert way
    assert (set(way.chain.events), pairs(way.chain)) == ({"e1", "e2"}, {(f"A@{FARM}", f"A@{KITCHEN}")})


@given(chains(), st.sampled_from(BATCHES), st.sampled_from(BATCHES), st.sampled_from(SITES))
def test_ways_are_those_of_brute_force(events: list[Event], batch: str, to: str, site: str) -> None:
    forward, backward = (arrows_of(events, direction) for direction in (Direction.FORWARD, Direction.BACKWARD))
    starts, end = starts_of(events, batch), f"{to}@{site}"
    between = reachable(starts, forward) & reachable({end}, backward)
    way = ways(world(*events).forward(batch), [end])
    assert (set(way.chain.nodes) if way else set()) == (between if end in between else set())
    if way:
        steps = set(zip(way.shortest, way.shortest[1:], strict=False))
        assert steps <= forward
        assert (way.shortest[0] in starts, way.shortest[-1]) == (True, end)
