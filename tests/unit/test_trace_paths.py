"""Ways between two places: small chains, and random weeks against a count of all there are."""

from collections.abc import Collection
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.trace.analyses.paths import Path, path
from services.trace.lineage import Event, split
from services.trace.walks.chain import Direction
from services.trace.walks.start import Start
from services.trace.walks.walk import Walk
from tests.unit.trace_oracle import BATCHES, LONG_AGO, SITES, Arrow, arrows, later, nodes_of, reached, states, weeks
from tests.unit.trace_world import World, harvest, make, receive, ship, world

FARM, KITCHEN, SCHOOL, HOME = "licence:F", "licence:K", "licence:S", "licence:H"

LUNCHES = world(
    harvest("e0", "greens", FARM),
    ship("e1", "greens", FARM, KITCHEN),
    make("e2", KITCHEN, "greens", "soup"),
    make("e3", KITCHEN, "greens rice", "stew"),
    ship("e4", "soup", KITCHEN, SCHOOL),
    ship("e5", "stew", KITCHEN, HOME),
)


def way(told: World, batch: str, ends: Collection[str], **more: object) -> Path | None:
    walk = Walk(Start(batch, Direction.FORWARD, **more))  # type: ignore[arg-type]
    told.drive(walk.run())
    return told.drive(path(walk, ends))


def test_way_keeps_what_lies_between_and_nothing_else() -> None:
    found = way(LUNCHES, "greens", [f"soup@{SCHOOL}"])
    assert found
    assert found.shortest == (f"greens@{KITCHEN}", f"soup@{KITCHEN}", f"soup@{SCHOOL}")
    assert found.chain.events == {"e1", "e2", "e4"}
    assert not {key for key in found.chain.nodes if split(key)[0] == "stew"}
    assert found.chain.goods(f"soup@{SCHOOL}").quantity == 10


def test_no_way_is_none() -> None:
    assert way(LUNCHES, "soup", [f"stew@{HOME}"]) is None


def test_batch_that_is_there_already_is_the_way() -> None:
    found = way(LUNCHES, "soup", [f"soup@{KITCHEN}"])
    assert found
    assert (found.shortest, found.chain.edges) == ((f"soup@{KITCHEN}",), [])


def test_of_several_ends_the_nearest_is_the_end_of_the_shortest_way() -> None:
    told = world(ship("e1", "A", FARM, KITCHEN), ship("e2", "A", KITCHEN, SCHOOL), ship("e3", "A", SCHOOL, HOME))
    found = way(told, "A", [f"A@{HOME}", f"A@{SCHOOL}"], site=FARM)
    assert found
    assert found.shortest == (f"A@{FARM}", f"A@{KITCHEN}", f"A@{SCHOOL}")
    assert found.chain.events == {"e1", "e2", "e3"}


def test_receipt_and_shipment_of_one_edge_both_stay_on_the_way() -> None:
    told = world(ship("e1", "A", FARM, KITCHEN), receive("e2", "A", KITCHEN, FARM), ship("e3", "A", FARM, HOME))
    found = way(told, "A", [f"A@{KITCHEN}"], site=FARM)
    assert found
    assert found.chain.events == {"e1", "e2"}


def test_shorter_way_that_leaves_too_early_is_none() -> None:
    """Soup of the second day's greens cannot have gone to school on the first; it went by way of home."""
    told = world(
        later(ship("e1", "A", FARM, KITCHEN), 1),
        ship("e2", "A", KITCHEN, SCHOOL),
        later(ship("e3", "A", KITCHEN, HOME), 2),
        later(ship("e4", "A", HOME, SCHOOL), 3),
    )
    found = way(told, "A", [f"A@{SCHOOL}"], site=FARM)
    assert found
    assert found.shortest == (f"A@{FARM}", f"A@{KITCHEN}", f"A@{HOME}", f"A@{SCHOOL}")
    assert found.chain.events == {"e1", "e3", "e4"}
    either = way(told, "A", [f"A@{SCHOOL}"], site=FARM, in_time=False)
    assert either
    assert either.shortest == (f"A@{FARM}", f"A@{KITCHEN}", f"A@{SCHOOL}")


def test_longer_way_that_comes_in_time_beats_a_shorter_one_that_comes_too_late() -> None:
    """Straight to the kitchen it took four days, by way of home one; and the kitchen sold it on the third."""
    told = world(
        later(ship("e1", "A", FARM, KITCHEN), 4),
        ship("e2", "A", FARM, HOME),
        later(ship("e3", "A", HOME, KITCHEN), 1),
        later(ship("e4", "A", KITCHEN, SCHOOL), 3),
    )
    found = way(told, "A", [f"A@{SCHOOL}"], site=FARM)
    assert found
    assert found.shortest == (f"A@{FARM}", f"A@{HOME}", f"A@{KITCHEN}", f"A@{SCHOOL}")
    assert found.chain.events == {"e2", "e3", "e4"}


@given(weeks(), st.sampled_from(BATCHES), st.sampled_from(BATCHES), st.sampled_from(SITES), st.booleans())
def test_ways_are_all_that_a_count_finds(events: list[Event], batch: str, to: str, site: str, in_time: bool) -> None:
    told, end = arrows(events, in_time), f"{to}@{site}"
    came = states(starts := nodes_of(events, batch), told)
    on_way = {
        (tail, head, day)
        for tail, head, day in told
        if any(node == tail and since <= day for node, since in came) and end in reached_since(head, day, told)
    }
    nodes = {key for tail, head, _ in on_way for key in (tail, head)} | ({end} & starts)
    found = way(world(*events), batch, [end], in_time=in_time)
    if found is None:
        assert end not in reached(starts, told)
        return
    assert {(tail, head) for tail, head, _ in found.chain.edges} == {(tail, head) for tail, head, _ in on_way}
    assert found.chain.nodes.keys() == nodes
    assert (found.shortest[0] in starts, found.shortest[-1]) == (True, end)
    assert len(found.shortest) - 1 == fewest(starts, end, told)
    assert goes(found.shortest, told)


def reached_since(node: str, day: int, told: set[Arrow]) -> set[str]:
    return {key for key, _ in states([node], told, day)}


def fewest(starts: Collection[str], end: str, told: set[Arrow]) -> int:
    """Arrows of a shortest way: all states after one arrow, after two, and so on."""
    now, hops = {(start, LONG_AGO) for start in starts}, 0
    while end not in {node for node, _ in now}:
        now = {(head, day) for tail, head, day in told for node, came in now if node == tail and came <= day}
        hops += 1
    return hops


def goes(way: Collection[str], told: set[Arrow]) -> bool:
    """Whether each arrow leaves no earlier than the one before it came."""
    came = LONG_AGO
    for tail, head in pairwise(way):
        days = [day for a, b, day in told if (a, b) == (tail, head) and day >= came]
        if not days:
            return False
        came = min(days)
    return True
