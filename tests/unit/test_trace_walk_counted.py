"""Walks through random chains find what a count finds that shares no code with them (`trace_oracle`)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trace.lineage import Event, Place
from services.trace.sites import Row
from services.trace.walks.chain import Chain, Direction
from tests.unit.trace_chains import ALIASES, MEANT, chains, today
from tests.unit.trace_oracle import (
    BATCHES,
    LONG_AGO,
    SITES,
    Arrow,
    State,
    arrows,
    backward,
    nodes_of,
    reached,
    states,
)
from tests.unit.trace_world import pairs, world

DIRECTIONS, NAMES = st.sampled_from(Direction), (*SITES, *MEANT)


def walked(events: list[Event], direction: Direction, in_time: bool = True) -> set[Arrow]:
    """The arrows of events, as walked."""
    told = arrows(events, in_time)
    return told if direction is Direction.FORWARD else backward(told)


def followed(told: set[Arrow], came: set[State]) -> set[tuple[str, str]]:
    """The arrows that goods may have gone along, without their days."""
    return {(near, far) for near, far, day in told for node, since in came if near == node and since <= day}


@given(chains(), st.sampled_from(BATCHES), DIRECTIONS, st.booleans())
def test_walk_finds_the_nodes_and_edges_that_a_count_finds(
    events: list[Event], batch: str, direction: Direction, in_time: bool
) -> None:
    chain = world(*events).walk(batch, direction, in_time=in_time)
    told = walked(events, direction, in_time)
    came = states(nodes_of(events, batch), told)
    assert set(chain.nodes) == {node for node, _ in came}
    assert {chain.ends(edge) for edge in chain.edges} == followed(told, came)


@given(chains(NAMES, NAMES), st.sampled_from(BATCHES), DIRECTIONS, st.booleans())
def test_sites_are_one_under_all_the_ids_that_events_know_them_by(
    events: list[Event], batch: str, direction: Direction, in_time: bool
) -> None:
    chain = world(*events, sites=ALIASES).walk(batch, direction, in_time=in_time)
    same = world(*map(today, events)).walk(batch, direction, in_time=in_time)
    assert (chain.nodes, chain.gaps) == (same.nodes, same.gaps)
    assert sorted(chain.edges) == sorted(same.edges)


@given(chains(), st.sampled_from(BATCHES), st.sampled_from(SITES), DIRECTIONS, st.integers(1, 4))
def test_hops_are_as_a_count_has_them(
    events: list[Event], batch: str, site: str, direction: Direction, depth: int
) -> None:
    start = f"{batch}@{site}"
    told = walked(events, direction)
    came, within = {(start, LONG_AGO)}, {start: 0}
    for hops in range(1, depth + 1):
        came |= {(far, day) for near, far, day in told for node, since in came if near == node and since <= day}
        within = {node: hops for node, _ in came} | within
    chain = world(*events).walk(batch, direction, site=site, max_depth=depth)
    assert chain.nodes == (within if start in nodes_of(events, batch) else {})


@given(chains(), st.sampled_from(BATCHES), DIRECTIONS, st.integers(1, 5))
def test_pages_together_are_the_whole_whatever_is_recorded_meanwhile(
    events: list[Event], batch: str, direction: Direction, size: int
) -> None:
    as_of = max((event.time for event in events), default=None)
    late = [event._replace(id=f"late-{event.id}", time=event.time + timedelta(days=9)) for event in events]
    chain = world(*events).walk(batch, direction)
    again = world(*late, *events).walk(batch, direction, as_of=as_of)
    found: list[str] = []
    edges: list[object] = []
    while page := again.page(again.position(found[-1]) if found else "", size):
        edges += again.reaching(page)
        found += page
    assert found == list(chain.nodes)
    assert sorted(edges, key=str) == sorted(chain.edges)


@given(chains((*SITES, "")), st.sampled_from(BATCHES), DIRECTIONS)
def test_walk_that_asks_in_many_parts_finds_the_same(events: list[Event], batch: str, direction: Direction) -> None:
    chain = world(*events).walk(batch, direction)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.trace.walks.walk.PER_REQUEST", 1)
        parts = world(*events).walk(batch, direction)
    assert (parts.nodes, parts.events, parts.gaps) == (chain.nodes, chain.events, chain.gaps)
    assert sorted(parts.edges) == sorted(chain.edges)


@given(chains(), st.sampled_from(BATCHES), DIRECTIONS, st.integers(1, 6))
def test_smaller_walk_is_the_beginning_of_the_larger_one_and_says_where_it_was_cut(
    events: list[Event], batch: str, direction: Direction, most: int
) -> None:
    whole, cut = world(*events).walk(batch, direction), world(*events).walk(batch, direction, max_nodes=most)
    assert len(cut.nodes) == min(most, len(whole.nodes))
    assert set(cut.nodes) <= set(whole.nodes)
    assert any(gap.kind == "size_limit" for gap in cut.gaps) == (len(whole.nodes) > most)
    assert all({tail, head} <= cut.nodes.keys() for tail, head, _ in cut.edges)


@given(chains(), st.sampled_from(BATCHES), DIRECTIONS, st.integers(1, 12))
def test_walk_with_room_for_few_events_finds_a_part_of_the_whole_and_says_so(
    events: list[Event], batch: str, direction: Direction, most: int
) -> None:
    whole, cut = world(*events).walk(batch, direction), world(*events).walk(batch, direction, max_events=most)
    assert set(cut.nodes) <= set(whole.nodes)
    assert set(cut.edges) <= set(whole.edges)
    assert len(cut.events) <= 2 * most
    if not any(gap.kind == "size_limit" for gap in cut.gaps):
        assert (cut.nodes, cut.events, cut.gaps) == (whole.nodes, whole.events, whole.gaps)
    assert cut.expanded <= whole.expanded


@given(chains((*SITES, "")), st.sampled_from(BATCHES), DIRECTIONS)
def test_halves_never_lose_what_named_edges_reach(events: list[Event], batch: str, direction: Direction) -> None:
    chain: Chain = world(*events).walk(batch, direction, in_time=False)
    told = walked(events, direction, in_time=False)
    named = {(near, far, day) for near, far, day in told if "@" not in (near[-1], far[-1])}
    starts = {node for node in nodes_of(events, batch) if node[-1] != "@"}
    assert reached(starts, named) <= set(chain.nodes) <= reached(starts, told)


@given(chains((*SITES, "")), st.sampled_from(BATCHES), DIRECTIONS, st.randoms())
def test_order_of_events_changes_nothing(events: list[Event], batch: str, direction: Direction, random: object) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = world(*events).walk(batch, direction), world(*shuffled).walk(batch, direction)
    assert (one.nodes, list(one.nodes), pairs(one), one.events, one.gaps, one.via) == (
        other.nodes,
        list(other.nodes),
        pairs(other),
        other.events,
        other.gaps,
        other.via,
    )


def site(node: str) -> str:
    return node.partition("@")[2]


@given(chains(), st.sampled_from(BATCHES), DIRECTIONS, st.sets(st.sampled_from(SITES)))
def test_only_places_that_pass_are_begun_at_and_left(
    events: list[Event], batch: str, direction: Direction, own: set[str]
) -> None:
    chain = world(*events).walk(batch, direction, passes=lambda place: place.site in own)
    told = {arrow for arrow in walked(events, direction) if site(arrow[0]) in own}
    assert set(chain.nodes) == reached({node for node in nodes_of(events, batch) if site(node) in own}, told)


@given(chains(), st.sampled_from(BATCHES), DIRECTIONS, st.booleans())
def test_what_lies_outside_the_province_is_reached_and_not_left_unless_the_registry_knows_it(
    events: list[Event], batch: str, direction: Direction, known: bool
) -> None:
    abroad = Place("s3", external=True)
    crossing = [each._replace(there=abroad) if each.there.site == "s3" else each for each in events]
    said = any(each.there == abroad for each in crossing)
    registered = (Row("s3", None, Place("s3")),) if known else ()
    nodes = set(world(*crossing, sites=registered).walk(batch, direction).nodes)
    told, starts = walked(events, direction), nodes_of(events, batch)
    if known or not said:
        assert nodes == reached(starts, told)
    else:
        # An event that says so may come to light only after the walk went through.
        inside = {arrow for arrow in told if site(arrow[0]) != "s3"}
        assert reached(starts, inside) <= nodes <= reached(starts, told)
