"""Goods do not leave a place before they came there; where a walk begins, and what of time bounds it."""

from datetime import timedelta

from services.trace.asks import EventsNamed, SitesOf
from services.trace.lineage import Event, Goods, Place
from services.trace.walks.chain import Chain, Direction
from services.trace.walks.start import Start
from services.trace.walks.walk import Walk
from tests.unit.trace_world import MORNING, World, gaps, goods, harvest, make, receive, ship, world

DAY = 24
"""Hours."""


def late(event: Event, days: float) -> Event:
    return event._replace(time=MORNING + timedelta(days=days))


def line(*days: float) -> World:
    """A batch handed on from s0 to s1 and so on, on these days."""
    return world(*(late(ship(f"e{n}", "A", f"s{n}", f"s{n + 1}"), day) for n, day in enumerate(days)))


def test_goods_go_no_further_than_they_came_in_time() -> None:
    told = line(1, 3, 2, 4)
    assert list(told.forward("A", site="s0").nodes) == ["A@s0", "A@s1", "A@s2"]
    assert list(told.back("A", site="s4").nodes) == ["A@s4", "A@s3", "A@s2"]
    assert (
        len(told.forward("A", site="s0", in_time=False).nodes)
        == len(told.back("A", site="s4", in_time=False).nodes)
        == 5
    )


def test_days_are_those_of_shanghai() -> None:
    same_day, next_day = line(0.6, 0), line(0.7, 0)
    assert len(same_day.forward("A", site="s0").nodes) == 3
    assert len(next_day.forward("A", site="s0").nodes) == 2


def test_better_arrival_found_later_reopens_a_place_without_asking_again() -> None:
    told = world(
        late(ship("long", "A", "s0", "hub"), 5),
        late(ship("a", "A", "s0", "by"), 1),
        late(ship("b", "A", "by", "hub"), 2),
        late(ship("early", "A", "hub", "end"), 3),
    )
    walk, asked = Walk(Start("A", Direction.FORWARD, "s0")), []
    steps = walk.run()
    reply = None
    try:
        while True:
            request = steps.send(reply)
            asked.append(request)
            reply = told.answer(request)
    except StopIteration as done:
        chain: Chain = done.value
    assert chain.nodes == {"A@s0": 0, "A@by": 1, "A@hub": 1, "A@end": 3}
    assert chain.via["A@hub"] == "b"
    keys = [key for request in asked for key in getattr(request, "keys", ())]
    assert keys.count("A@hub") == 1
    assert not [request for request in asked if isinstance(request, EventsNamed | SitesOf)]


def test_halves_meet_only_in_time() -> None:
    told = world(
        late(harvest("e0", "A", "farm"), 0), late(ship("e1", "A", "farm"), 3), late(receive("e2", "A", "shop"), 1)
    )
    assert gaps(told.forward("A", site="farm")) == {("unknown_destination", "A@farm")}
    assert not told.forward("A", site="farm", in_time=False).gaps


def test_harvest_after_the_sale_is_not_its_source() -> None:
    told = world(late(harvest("e0", "A", "farm"), 2), late(ship("e1", "A", "farm", "shop"), 1))
    assert gaps(told.back("A", site="shop")) == {("unknown_source", "A@farm")}
    assert not told.back("A", site="shop", in_time=False).gaps


def test_events_outside_the_asked_time_are_left_out_and_the_gap_says_so() -> None:
    told = line(1, 2, 3)
    since, until = MORNING + timedelta(days=2), MORNING + timedelta(days=3)
    assert list(told.forward("A", site="s1", until=until).nodes) == ["A@s1", "A@s2"]
    back = told.back("A", site="s3", since=since)
    assert list(back.nodes) == ["A@s3", "A@s2", "A@s1"]
    assert gaps(back) == {("time_limit", "A@s1")}


def test_walk_knows_only_what_was_recorded_by_its_time() -> None:
    assert list(line(1, 2, 3).forward("A", site="s0", as_of=MORNING + timedelta(days=2)).nodes) == [
        "A@s0",
        "A@s1",
        "A@s2",
    ]


def test_walk_begins_at_the_goods_of_the_events_that_name_a_document() -> None:
    told = World(
        (ship("e1", "A", "s0", "s1"), ship("e2", "B", "s0", "s1"), make("e3", "s1", "A", "M")), (), {"e1": ("CQ1",)}
    )
    chain = told.walk("", Direction.FORWARD, reference="CQ1")
    assert (chain.starts, list(chain.nodes)) == (["A@s0", "A@s1"], ["A@s0", "A@s1", "M@s1"])
    assert chain.via["A@s0"] == "e1"
    assert not told.walk("", Direction.FORWARD, reference="CQ2").nodes


def test_walk_from_an_ear_tag_begins_at_the_lots_that_carry_it() -> None:
    drove = ship("e1", "PIGS", "s0", "s1")._replace(inputs=goods("PIGS", "SOWS"), outputs=goods("PIGS", "SOWS"))
    told = World((drove,), (), {"e1": ("137010100000001",)}, {"SOWS": ("137010100000001",)})
    chain = told.walk("", Direction.FORWARD, reference="137010100000001")
    assert list(chain.nodes) == ["SOWS@s0", "SOWS@s1"]
    assert world(drove).walk("PIGS", Direction.FORWARD, others=("SOWS",)).starts == sorted(
        ["PIGS@s0", "PIGS@s1", "SOWS@s0", "SOWS@s1"]
    )


def test_what_is_told_is_only_what_was_asked_for() -> None:
    told = world(ship("e1", "A", Place("s0", name="农场"), "s1"), ship("e2", "A", "s1", Place("s2", name="学校")))
    walk = Walk(Start("A", Direction.FORWARD, "s0"))
    chain = told.drive(walk.run())
    assert (chain.told, chain.place("A@s2").name, chain.goods("A@s2")) == ({}, None, Goods("A"))
    told.drive(walk.tell(chain.ids_around(["A@s2"])))
    assert (set(chain.told), chain.place("A@s2").name, chain.goods("A@s2").unit) == ({"e2"}, "学校", "KGM")
    assert chain.place("A@s0").name is None
