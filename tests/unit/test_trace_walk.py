"""Walks through small chains; `test_trace_walk_counted` has random ones."""

import pytest

from contracts.trace import Category, Link, Step
from services.trace.lineage import Place, edges_of
from services.trace.sites import Row
from services.trace.walks.chain import UNKNOWN_DESTINATION, UNKNOWN_SOURCE, Direction
from tests.unit.trace_world import event, gaps, goods, harvest, make, pairs, receive, ship, world

S, R, C = "licence:S", "licence:R", "licence:C"


@pytest.mark.parametrize(
    ("step", "inputs", "outputs", "expected"),
    [
        (Step.SHIPPING, ["A"], ["A"], {("A@S", "A@R")}),
        (Step.SHIPPING, [], ["A"], {("A@S", "A@R")}),
        (Step.SHIPPING, ["A"], ["B"], {("A@S", "B@S"), ("B@S", "B@R")}),
        (Step.SELLING, ["A", "B"], ["A", "B"], {("A@S", "A@R"), ("B@S", "B@R")}),
        (Step.RETURNING, ["A"], ["A"], {("A@S", "A@R")}),
        (Step.RECEIVING, ["A"], ["A"], {("A@R", "A@S")}),
        (Step.RECEIVING, [], ["A"], {("A@R", "A@S")}),
        (Step.PURCHASE, ["A"], ["B"], {("A@R", "A@S"), ("A@S", "B@S")}),
        (Step.RECEIVING, ["A", "C"], ["C", "B"], {("A@R", "A@S"), ("C@R", "C@S"), ("A@S", "B@S")}),
        (Step.MAKING, ["A", "B"], ["C"], {("A@S", "C@S"), ("B@S", "C@S")}),
        (Step.PACKING, ["A"], ["A", "B"], {("A@S", "B@S")}),
        (Step.KITCHEN_USE, ["A"], [], set()),
        (Step.HARVEST, [], ["A"], set()),
        (Step.STORING, ["A"], ["A"], set()),
        (Step.TRANSPORT, ["A"], ["A"], set()),
        (Step.RETAINED_SAMPLE, ["A"], [], set()),
        (Step.DESTROYING, ["A"], [], set()),
    ],
)
def test_edges_follow_the_step(
    step: Step, inputs: list[str], outputs: list[str], expected: set[tuple[str, str]]
) -> None:
    assert set(edges_of(step, "S", "R", inputs, outputs)) == expected


def test_shipment_and_receipt_are_one_edge_told_twice() -> None:
    chain = world(harvest("e0", "A", S), ship("e1", "A", S, R), receive("e2", "A", R, S)).back("A", site=R)
    assert pairs(chain) == {(f"A@{S}", f"A@{R}")}
    assert set(chain.events) == {"e0", "e1", "e2"}
    assert not chain.gaps


def test_receipt_that_names_its_supplier_answers_a_shipment_that_names_nobody() -> None:
    told = world(harvest("e0", "A", S), ship("e1", "A", S), receive("e2", "A", R, S))
    for chain in (told.back("A", site=R), told.forward("A", site=S)):
        assert pairs(chain) == {(f"A@{S}", f"A@{R}")}
        assert {"e1", "e2"} <= set(chain.events)
        assert not chain.gaps


def test_shipment_that_names_its_receiver_answers_a_receipt_that_names_nobody() -> None:
    told = world(harvest("e0", "A", S), ship("e1", "A", S, R), receive("e2", "A", R))
    for chain in (told.back("A", site=R), told.forward("A", site=S)):
        assert pairs(chain) == {(f"A@{S}", f"A@{R}")}
        assert {"e1", "e2"} <= set(chain.events)
        assert not chain.gaps


def test_halves_that_name_nobody_meet_by_batch_alone() -> None:
    told = world(harvest("e0", "A", S), ship("e1", "A", S), receive("e2", "A", R))
    for chain in (told.back("A", site=R), told.forward("A", site=S)):
        assert pairs(chain) == {(f"A@{S}", "A@"), ("A@", f"A@{R}")}
        assert not chain.gaps


def test_shipment_beyond_those_answered_leaves_a_gap() -> None:
    told = world(
        ship("e1", "A", S, quantity="10"), ship("e2", "A", S, quantity="4"), receive("e3", "A", R, S, quantity="4")
    )
    chain = told.forward("A", site=S)
    assert [(gap.kind, gap.node, gap.event_id) for gap in chain.gaps] == [("unknown_destination", f"A@{S}", "e1")]
    assert pairs(chain) == {(f"A@{S}", f"A@{R}")}


def test_receipt_nobody_shipped_from_nobody_named_is_an_unknown_source() -> None:
    chain = world(receive("e1", "A", R)).back("A")
    assert gaps(chain) == {("unknown_source", f"A@{R}")}
    assert chain.gaps[0].event_id == "e1"
    assert list(chain.nodes) == [f"A@{R}"]


def test_own_later_shipment_is_no_source_of_a_receipt_that_names_nobody() -> None:
    chain = world(receive("e1", "A", R), ship("e2", "A", R)).back("A", site=R)
    assert gaps(chain) == {("unknown_source", f"A@{R}")}


def test_supplier_without_records_is_an_unknown_source_unless_it_grows_the_produce() -> None:
    trader, grower = Place(S, link=Link.CIRCULATION), Place(S, link=Link.PRODUCTION)
    bought = world(receive("e1", "A", R, trader, category=Category.VEGETABLE)).back("A", site=R)
    grown = world(receive("e1", "A", R, grower, category=Category.VEGETABLE)).back("A", site=R)
    made = world(receive("e1", "A", R, grower, category=Category.DAIRY)).back("A", site=R)
    assert gaps(bought) == gaps(made) == {("unknown_source", f"A@{S}")}
    assert not grown.gaps


def test_documented_external_origin_ends_the_chain_rightly() -> None:
    abroad = Place("external:1", name="智利果园", external=True)
    chain = world(receive("e1", "A", R, abroad), ship("e2", "A", C, abroad)).back("A", site=R)
    assert not chain.gaps
    assert chain.place("A@external:1").external
    assert f"A@{C}" not in chain.nodes


def test_sale_to_consumers_is_no_gap() -> None:
    sold = event("e2", Step.SELLING, R, goods("A"), goods("A"))
    assert not world(receive("e1", "A", R, S), sold).forward("A", site=R).gaps


def test_receipt_under_a_new_code_is_followed_both_ways() -> None:
    told = world(make("e0", S, into="A"), receive("e1", "A", R, S, own="B"), make("e2", R, of="B", into="M"))
    expected = {(f"A@{S}", f"A@{R}"), (f"A@{R}", f"B@{R}"), (f"B@{R}", f"M@{R}")}
    assert pairs(told.back("M")) == pairs(told.forward("A", site=S)) == expected
    assert not told.back("M").gaps


def test_returned_goods_make_a_cycle_that_ends() -> None:
    told = world(
        harvest("e0", "A", S), ship("e1", "A", S, R), event("e2", Step.RETURNING, R, goods("A"), goods("A"), S)
    )
    assert pairs(told.forward("A")) == pairs(told.back("A")) == {(f"A@{S}", f"A@{R}"), (f"A@{R}", f"A@{S}")}


def test_sites_with_several_ids_are_one_node() -> None:
    sites = [Row("old:1", "market:9"), Row("market:9", S), Row(S, None, Place(S, name="张三", division="370102"))]
    told = world(ship("e1", "A", C, "old:1"), ship("e2", "A", "market:9", R), sites=sites)
    for chain in (told.back("A", site=R), told.forward("A", site=C)):
        assert pairs(chain) == {(f"A@{C}", f"A@{S}"), (f"A@{S}", f"A@{R}")}
        assert chain.place(f"A@{S}").name == "张三"
    assert pairs(told.forward("A", site="old:1")) == {(f"A@{S}", f"A@{R}")}


def test_depth_and_size_limits_are_told_where_they_cut() -> None:
    line = world(*(ship(f"e{n}", "A", f"s{n}", f"s{n + 1}") for n in range(6)))
    assert gaps(line.forward("A", site="s0", max_depth=2)) == {("depth_limit", "A@s2")}
    assert gaps(line.forward("A", site="s0", max_nodes=3)) == {("size_limit", "A@s2")}
    assert not line.forward("A", site="s0").gaps
    star = world(*(ship(f"e{n}", "A", S, f"s{n}") for n in range(6))).forward("A", site=S, max_nodes=3)
    assert [gap.kind for gap in star.gaps] == ["size_limit"]
    assert len(star.nodes) == 3


def test_node_with_more_events_than_there_is_room_for_is_told_and_ends_the_walk() -> None:
    busy = world(
        ship("e1", "A", S, "s1"),
        ship("e2", "A", "s1", "s2"),
        *(event(f"sold{n:02}", Step.SELLING, "s1", goods("A"), goods("A")) for n in range(20)),
        ship("e3", "A", "s2", "s3"),
    )
    assert gaps(busy.forward("A", site=S)) == set()
    cut = busy.forward("A", site=S, max_events=10)
    assert gaps(cut) - {("size_limit", "A@")} == {("size_limit", "A@s1"), ("size_limit", "A@s2")}
    assert "A@s3" not in cut.nodes
    assert not cut.expanded & {"A@s1", "A@s2"}


def test_batch_of_more_events_than_there_is_room_for_is_begun_in_part() -> None:
    found = world(*(harvest(f"e{n}", "A", f"a{n}") for n in range(9))).forward("A", max_events=4)
    assert found.starts == [f"A@a{n}" for n in range(4)]
    assert gaps(found) == {("size_limit", key) for key in found.starts}


def test_walk_begins_at_all_sites_of_an_operator_and_nowhere_else() -> None:
    one, other = (Place(f"m{number}", operator="o:market") for number in range(2))
    told = world(
        ship("e1", "A", S, one),
        ship("e2", "A", S, other),
        ship("e3", "A", one, "s1"),
        ship("e4", "A", S, "s2"),
    )
    assert told.forward("A", operator="o:market").starts == ["A@m0", "A@m1"]
    assert set(told.forward("A", operator="o:market").nodes) == {"A@m0", "A@m1", "A@s1"}
    assert told.forward("A", operator="o:market", site="m1").starts == ["A@m1"]
    assert told.forward("A", operator="o:nobody").starts == []


def test_unknown_batch_gives_nothing() -> None:
    assert not world(ship("e1", "A", S, R)).back("B").nodes


def test_who_names_nobody_does_not_learn_who_else_named_nobody() -> None:
    """Else a receipt from nobody of any batch would tell who sold it; who names the other is still told."""
    own, farm, shop = "licence:OWN", "licence:F2", "licence:S2"
    events = [ship("e1", "A", farm), receive("e2", "A", own), ship("e3", "A", own), receive("e4", "A", shop)]
    for direction, kind in ((Direction.BACKWARD, UNKNOWN_SOURCE), (Direction.FORWARD, UNKNOWN_DESTINATION)):
        chain = world(*events).walk("A", direction, passes=lambda place: place.site == own)
        assert ([*chain.nodes], gaps(chain)) == ([f"A@{own}"], {(kind, f"A@{own}")})
    named = world(ship("e1", "A", farm, own), receive("e2", "A", own))
    chain = named.walk("A", Direction.BACKWARD, passes=lambda place: place.site == own)
    assert {*chain.nodes} == {f"A@{own}", f"A@{farm}"}
