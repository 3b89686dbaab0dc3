"""Recalls: what a simulation says and to whom, what is frozen, how a recall grows, who is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from chassis.asking import answered
from chassis.caller import Caller
from contracts import egress as sources_told
from contracts.egress import RecallsV1
from contracts.recalls import SITES_TOLD, RecallChange, RecallsChangedV1, RecallsClosedV1, RecallsOpenedV1
from contracts.trace import Step
from services.trace.asks import GoodsAt
from services.trace.lineage import Event, Place
from services.trace.recalls import recalls
from services.trace.recalls import told as recall_told
from services.trace.recalls.changes import Change, Difference, Standing, difference, standings
from services.trace.recalls.portions import Fate, Why
from services.trace.recalls.recalls import Order
from services.trace.recalls.rows import freeze, thaw
from services.trace.recalls.simulation import Simulation, beginning, simulate
from services.trace.recalls.told_changes import changes_told
from services.trace.recalls.told_end import end_told
from services.trace.recalls.view import made_by, view
from services.trace.sites import Row
from services.trace.stock.amounts import Amount
from services.trace.store import EVENTS
from tests.unit.trace_world import event, goods, harvest, make, receive, ship, world

NOW = datetime(2026, 1, 9, 2, tzinfo=UTC)
FARM = Place("farm", "农场", "o:farm", "农场公司", "370102", contact="李建国 138")
STALL = Place("stall", "摊位", "o:stall", "张三", "370103")
SCHOOL = Place("school", "食堂", "o:school", "学校", "371302")
CLASS = Place("class", "班级", "o:class", "班级", "371302")
CHAIN = (
    harvest("e1", "A", FARM, quantity="20"),
    ship("e2", "A", FARM, STALL),
    receive("e3", "A", STALL, FARM),
    ship("e4", "A", STALL, SCHOOL, quantity="4"),
    make("e5", SCHOOL, of="A", into="M", quantity="4"),
    ship("e6", "M", SCHOOL, CLASS, quantity="4"),
)


def simulated(*events: Event, batches: tuple[str, ...] = ("A",)) -> Simulation:
    return world(*events).drive(simulate(beginning(batches, NOW), NOW))


def who(role: str, division: str | None = None, operator_id: str | None = None) -> Caller:
    return Caller("somebody", role, division, operator_id)


ORDER = Order("检出禁用农药", 1, "市局", NOW - timedelta(hours=30), None, "370000", "王一")


def test_a_simulation_names_goods_places_and_ways() -> None:
    found = simulated(*CHAIN)
    assert {(each.node, each.fate): each.amount and int(each.amount.quantity) for each in found.portions} == {
        ("A@farm", Fate.HELD): 10,
        ("A@stall", Fate.HELD): 6,
        ("A@school", Fate.PROCESSED): 4,
        ("M@class", Fate.IN_TRANSIT): 4,
    }
    assert [(each.tail, each.head) for each in found.handovers] == [
        ("A@farm", "A@stall"),
        ("A@stall", "A@school"),
        ("M@school", "M@class"),
    ]
    assert (found.share, found.sites, len(found.gaps)) == (Fraction(1), ["class", "farm", "school", "stall"], 0)
    assert found.nodes["A@farm"].place.contact == "李建国 138"


def test_several_batches_are_one_recall() -> None:
    found = simulated(*CHAIN, harvest("e7", "B", FARM, quantity=None), batches=("A", "B"))
    assert {"A@farm", "B@farm"} <= found.nodes.keys()
    assert (found.batches, found.share) == (("A", "B"), None)
    assert {each.batch: each.share for each in found.coverages if each.batch in "AB"} == {"A": 1, "B": None}


def test_recall_follows_goods_whatever_the_clocks_say() -> None:
    lots = goods("M", quantity="1")
    early = event("e8", Step.SHIPPING, SCHOOL, lots, lots, Place("canteen"), hour=-48)
    assert "M@canteen" in simulated(*CHAIN, early).nodes


def test_what_is_frozen_is_what_was_simulated() -> None:
    abroad = Place("external:x", external=True)
    lost = ship("e9", "A", STALL, quantity="1")
    found = simulated(
        *CHAIN, ship("e7", "A", FARM, abroad, quantity="1"), harvest("e8", "B", FARM, quantity=None), lost
    )
    assert thaw(freeze(found)) == found


def test_a_producer_sees_counts_beyond_one_hop_and_no_names() -> None:
    seen = view(simulated(*CHAIN), who("operator", operator_id="o:farm"))
    assert seen
    assert set(seen.simulation.nodes) == {"A@farm", "A@stall"}
    assert (seen.sites, seen.hidden_sites, seen.hidden_operators, seen.share) == (4, 2, 2, Fraction(1))
    assert seen.counts == {Fate.HELD: 2, Fate.PROCESSED: 1, Fate.IN_TRANSIT: 1}
    assert [(each.node, each.amount is None) for each in seen.simulation.portions] == [
        ("A@farm", False),
        ("A@stall", True),
    ]
    assert [(each.tail, each.head) for each in seen.simulation.handovers] == [("A@farm", "A@stall")]
    assert [(each.batch, each.produced, each.share) for each in seen.simulation.coverages] == [("A", None, Fraction(1))]


def test_doubts_about_a_neighbours_books_are_the_neighbours() -> None:
    sold_on = ship("e7", "A", STALL, quantity="3"), ship("e8", "A", STALL, SCHOOL, quantity="9")
    found = simulated(*CHAIN, *sold_on)
    doubted = {("A@stall", Why.MORE_OUT_THAN_IN), ("A@stall", Why.TO_NOBODY_KNOWN)}
    assert {each for told in found.coverages for each in told.unsure} >= doubted
    assert {gap.node for gap in found.gaps} == {"A@stall"}
    for caller in (who("operator", operator_id="o:farm"), who("regulator", "370102")):
        seen = view(found, caller)
        assert seen
        assert [told.unsure for told in seen.simulation.coverages if told.batch == "A"] == [()]
        assert not seen.complete
        assert bool(seen.simulation.gaps) == (caller.role == "regulator")
    own = view(found, who("operator", operator_id="o:stall"))
    assert own
    assert {each for told in own.simulation.coverages for each in told.unsure} >= doubted
    assert own.simulation.gaps == found.gaps


def test_regulator_sees_every_node_and_quantities_of_its_division() -> None:
    found = simulated(*CHAIN)
    seen = view(found, who("regulator", "3713"))
    assert seen
    assert seen.simulation.nodes == found.nodes
    assert {each.node: each.amount is None for each in seen.simulation.portions} == {
        "A@farm": True,
        "A@stall": True,
        "A@school": False,
        "M@class": False,
    }
    assert {each.batch: each.produced for each in seen.simulation.coverages} == {
        "A": None,
        "M": Amount(Decimal(4), "KGM"),
    }
    assert view(found, who("regulator", "3702")) is None
    assert view(found, who("system")).simulation == found  # type: ignore[union-attr]


def test_only_who_made_all_of_the_goods_recalls_them_as_its_own() -> None:
    found = simulated(*CHAIN)
    assert made_by(found, who("operator", operator_id="o:farm"))
    assert not made_by(found, who("operator", operator_id="o:stall"))
    both = simulated(*CHAIN, harvest("e7", "B", STALL), batches=("A", "B"))
    assert not made_by(both, who("operator", operator_id="o:farm"))


def test_a_recall_has_the_clocks_of_its_class() -> None:
    row = recalls.opened("R1", ORDER, simulated(*CHAIN), NOW)
    # Friday 2026-01-09; ten working days later is Friday the 23rd, and 24 hours were over.
    assert row["finish_by"] == datetime(2026, 1, 23, 16, tzinfo=UTC)
    assert row["start_by"] == NOW - timedelta(hours=6)
    assert (row["version"], row["count"], row["divisions"]) == (1, 4, ["370000", "370102", "370103", "371302"])


def test_late_records_add_a_version_and_what_was_named_stays_named() -> None:
    row = recalls.opened("R1", ORDER, simulated(*CHAIN), NOW)
    assert recalls.further(row, simulated(*CHAIN)) == []
    late = simulated(*CHAIN[:4], ship("e7", "A", FARM, Place("shop", operator="o:shop", division="370104")))
    assert recalls.further(row, late) == ["A@shop"]
    after = recalls.grown(row, late, NOW + timedelta(hours=1))
    assert (after["version"], after["versions"][-1]["added"], after["count"]) == (2, ["shop"], 5)
    assert {"o:class", "o:shop"} <= {*after["operators"]}


def test_sites_and_their_sources_are_told_once() -> None:
    found = simulated(*CHAIN, ship("e7", "A", FARM, Place("external:x", external=True), quantity="1"))
    row = recalls.opened("R1", ORDER, found, NOW)
    sources = {"stall": {"market"}, "school": {"catering", "one_network"}, "class": {"catering"}}
    told = recall_told.announcements(row, found, [*found.nodes], sources, None)
    opened, *egress = told
    (recall,) = RecallsOpenedV1.model_validate_json(opened.body).recalls
    assert (recall.sites, recall.finish_by) == (("class", "farm", "school", "stall"), row["finish_by"])
    bodies = {each.key: RecallsV1.model_validate_json(each.body) for each in egress}
    assert bodies.keys() == {"market", "catering", "one_network"}
    assert [(line.site, line.batch, line.quantity) for line in bodies["catering"].goods] == [
        ("school", "A", "0"),
        ("class", "M", "4"),
        ("school", "M", "0"),
    ]


def test_sources_of_a_site_are_found_however_many_ids_it_has_had() -> None:
    found = simulated(*CHAIN)
    events: list[dict[str, Any]] = [{"site": "oldest", "source": "market", "also_from": ["catering"]}]
    rows: list[dict[str, Any]] = [
        {"_id": "oldest", "alias_of": "older", "sources": ["docking.old"]},
        {"_id": "older", "alias_of": "stall"},
        {"_id": "stall", "sources": ["one_network"]},
    ]

    def answer(asked: recall_told.Find) -> list[dict[str, Any]]:
        name, where, _ = asked
        return events if name == EVENTS else [row for row in rows if row["_id"] in where["_id"]["$in"]]

    sources = answered(recall_told.asked_sources(found.nodes), answer)
    assert set(sources["stall"]) == {"market", "catering", "docking.old", "one_network"}
    assert sources["oldest"] == sources["older"] == sources["stall"]


def test_many_sites_are_told_in_parts() -> None:
    shops = [ship(f"s{n}", "A", FARM, Place(f"shop{n}"), quantity="1") for n in range(501)]
    found = simulated(harvest("e1", "A", FARM, quantity="600"), *shops)
    row = recalls.opened("R1", ORDER, found, NOW)
    told = recall_told.announcements(row, found, [*found.nodes], {f"shop{n}": {"market"} for n in range(501)}, None)
    assert [each.key for each in told] == ["trace.recalls_opened.v1"] * 2 + ["market"] * 2


def test_sold_and_used_up_goods_are_no_longer_there() -> None:
    sold = event("e7", Step.SELLING, STALL, goods("A", quantity="6"), goods("A", quantity="6"))
    fates = {each.node: each.fate for each in simulated(*CHAIN, sold).portions}
    assert fates["A@stall"] is Fate.CONSUMED


def kilograms(quantity: int) -> Amount:
    return Amount(Decimal(quantity), "KGM")


# Destroyed at the stall; a second lot that the school used.
LATE = (
    event("e7", Step.DESTROYING, STALL, goods("A", quantity="2"), ()),
    make("e8", SCHOOL, of="A", into="M", quantity="3"),
)


def test_a_difference_is_of_amounts_at_nodes_named_before_and_of_coverage() -> None:
    before, after = simulated(*CHAIN), simulated(*CHAIN, *LATE)
    found = difference([*before.nodes], before, after)
    assert {each.node: (each.before, each.after) for each in found.changes} == {
        "A@stall": (Standing(kilograms(10), kilograms(6)), Standing(kilograms(10), kilograms(4))),
        "A@school": (Standing(kilograms(4)), Standing(kilograms(7))),
        "M@school": (Standing(kilograms(4)), Standing(kilograms(7), kilograms(3))),
    }
    assert {each.after.batch: (each.before.produced, each.after.produced) for each in found.coverages} == {
        "A": (kilograms(20), kilograms(23)),
        "M": (kilograms(4), kilograms(7)),
    }


def test_what_stays_as_it_was_told_is_no_difference() -> None:
    before = simulated(*CHAIN)
    assert not difference([*before.nodes], thaw(freeze(before)), simulated(*reversed(CHAIN)))
    moved = simulated(*CHAIN, event("e7", Step.STORING, STALL, goods("A"), goods("A")))
    assert not difference([*before.nodes], before, moved)


def test_goods_declared_wrong_are_told_as_gone_and_books_that_cannot_be_summed_as_unknown() -> None:
    before, gone = simulated(*CHAIN), simulated(*CHAIN[:5])
    told = {each.node: each.after for each in difference([*before.nodes], before, gone).changes}
    assert told == {"M@school": Standing(kilograms(4), kilograms(4)), "M@class": Standing()}
    boxes = simulated(*CHAIN, receive("e9", "A", STALL, Place("grower"), quantity=None))
    assert standings(boxes)["A@stall"].balance is None


def changed(found: Simulation, late: Simulation, sources: dict[str, set[str]]) -> tuple[list[RecallChange], list[Any]]:
    """What is announced to all, and the bodies to sources."""
    row = recalls.opened("R1", ORDER, found, NOW)
    news = difference(row["nodes"], found, late)
    after = recalls.grown(row, late, NOW + timedelta(hours=1), news)
    assert (after["version"], after["versions"][-1]["added"]) == (2, [])
    told = changes_told(after, late, news, sources)
    to_all = [each for each in told if each.key == "trace.recalls_changed.v1"]
    bodies = [part for each in to_all for part in RecallsChangedV1.model_validate_json(each.body).changes]
    rest = [sources_told.RecallsChangedV1.model_validate_json(each.body) for each in told if each not in to_all]
    return bodies, rest


def test_a_difference_is_told_to_all_and_to_the_sources_of_the_sites_it_touches() -> None:
    sources = {"stall": {"market"}, "school": {"catering"}, "farm": {"docking.farm"}}
    (change,), to_sources = changed(simulated(*CHAIN), simulated(*CHAIN, *LATE), sources)
    assert (change.id, change.version, [(each.site, each.batch) for each in change.goods]) == (
        "R1",
        2,
        [("school", "A"), ("school", "M"), ("stall", "A")],
    )
    assert [each.batch for each in change.coverages] == ["A", "M"]
    assert {each.source: [line.site for line in each.goods] for each in to_sources} == {
        "market": ["stall"],
        "catering": ["school", "school"],
    }
    (line,) = next(each.goods for each in to_sources if each.source == "market")
    assert (line.balance_before, line.balance) == (
        sources_told.Quantity(quantity="6", unit="KGM"),
        sources_told.Quantity(quantity="4", unit="KGM"),
    )


def test_many_changes_are_told_in_parts_that_name_a_site_once() -> None:
    """Each of 300 shops has two batches, of which it destroyed a part."""
    shops = [Place(f"shop{n:03}") for n in range(300)]
    made = [harvest(f"h{batch}", batch, FARM, quantity="600") for batch in "AB"]
    ways = [ship(f"s{n}{b}", b, FARM, shop, quantity="2") for n, shop in enumerate(shops) for b in "AB"]
    less = [
        event(f"d{n}{b}", Step.DESTROYING, shop, goods(b, quantity="1"), ())
        for n, shop in enumerate(shops)
        for b in "AB"
    ]
    before, after = (simulated(*made, *ways, *more, batches=("A", "B")) for more in ([], less))
    parts, to_sources = changed(before, after, {shop.site: {"market"} for shop in shops})
    sites = [{each.site for each in part.goods} for part in parts if part.goods]
    assert [len(part.goods) for part in parts] == [500, 100]
    assert sites[0].isdisjoint(sites[1])
    assert [len(each.goods) for each in to_sources] == [500, 100]


def test_no_message_tells_more_changes_than_it_may_even_of_one_site() -> None:
    some = [Change(f"B{n}@depot", None, Standing(), Standing(kilograms(1))) for n in range(600)]
    found, news = simulated(*CHAIN), Difference((*some, Change("A@stall", None, Standing(), Standing(kilograms(1)))))
    told = changes_told(recalls.opened("R1", ORDER, found, NOW), found, news, {})
    parts = [part for each in told for part in RecallsChangedV1.model_validate_json(each.body).changes]
    assert sum(len(part.goods) for part in parts) == 601
    assert max(len(part.goods) for part in parts) <= SITES_TOLD


def test_sites_found_to_be_one_are_no_change_of_their_goods() -> None:
    """A stall under two ids, each with a part of the goods, then under one."""
    again = Place("stall:new", "摊位", "o:stall", "张三", "370103")
    told = [*CHAIN[:3], ship("e8", "A", FARM, again, quantity="3"), ship("e9", "A", STALL, again, quantity="2")]
    before = simulated(*told)
    one = world(*told, sites=[Row("stall", alias_of="stall:new")]).drive(simulate(beginning(("A",), NOW), NOW))
    assert one.nodes.keys() == {"A@farm", "A@stall:new"}
    assert not difference([*before.nodes], before, one, lambda site: {"stall": "stall:new"}.get(site, site))
    assert {each.node for each in difference([*before.nodes], before, one).changes} == {"A@stall", "A@stall:new"}


def test_sites_outside_the_province_are_not_told_what_changes() -> None:
    abroad = Place("external:x", external=True)
    sent, more = ship("x1", "A", FARM, abroad, quantity="1"), ship("x2", "A", FARM, abroad, quantity="2")
    (change,), _ = changed(simulated(*CHAIN, sent), simulated(*CHAIN, sent, more), {})
    assert [each.site for each in change.goods] == ["farm"]


def test_no_difference_is_told_to_nobody() -> None:
    found = simulated(*CHAIN)
    assert changes_told(recalls.opened("R1", ORDER, found, NOW), found, Difference(), {"farm": {"market"}}) == []


def test_the_end_of_a_recall_is_told_after_every_other_word_to_its_sites_and_their_sources() -> None:
    abroad = ship("x1", "A", FARM, Place("external:x", external=True), quantity="1")
    row = recalls.opened("R1", ORDER, simulated(*CHAIN, abroad), NOW)
    closed = recalls.closed(row, "已全部召回", NOW + timedelta(days=3))
    sources = {"stall": {"market"}, "school": {"catering", "market"}, "external:x": {"market"}}
    to_all, *egress = end_told(closed, sources, None)
    (end,) = RecallsClosedV1.model_validate_json(to_all.body).recalls
    assert (end.version, end.closed_reason, end.closed_at) == (row["version"] + 1, "已全部召回", closed["closed_at"])
    assert end.sites == ("class", "farm", "school", "stall")
    bodies = [sources_told.RecallsClosedV1.model_validate_json(each.body) for each in egress]
    assert [(each.key, body.sites) for each, body in zip(egress, bodies, strict=True)] == [
        ("catering", ("school",)),
        ("market", ("school", "stall")),
    ]


def test_the_end_of_a_recall_of_many_sites_is_told_in_parts() -> None:
    shops = [ship(f"s{n}", "A", FARM, Place(f"shop{n}"), quantity="1") for n in range(501)]
    row = recalls.opened("R1", ORDER, simulated(harvest("e1", "A", FARM, quantity="600"), *shops), NOW)
    told = end_told(recalls.closed(row, "x", NOW), {f"shop{n}": {"market"} for n in range(501)}, None)
    assert [each.key for each in told] == ["trace.recalls_closed.v1"] * 2 + ["market"] * 2


def test_a_sale_that_names_its_buyer_but_no_site_is_to_nobody_known_and_not_to_consumers() -> None:
    lots = goods("A", quantity="6")
    buyers = Place(), Place(name="李四")
    sold = {buyer.name: event("e7", Step.SELLING, STALL, lots, lots, buyer) for buyer in buyers}
    fates = {
        name: {(each.fate, each.why) for each in simulated(*CHAIN, sale).portions if each.node == "A@stall"}
        for name, sale in sold.items()
    }
    assert fates == {None: {(Fate.CONSUMED, None)}, "李四": {(Fate.UNLOCATED, Why.TO_NOBODY_KNOWN)}}


def test_a_node_at_which_a_walk_was_cut_has_not_all_its_sales_read() -> None:
    """Ten sales are room enough for the walk to see that there are more; what came there is told all the same."""
    sold = [event(f"sold{n:02}", Step.SELLING, STALL, goods("A", quantity="0.1"), goods("A")) for n in range(50)]
    told, read = world(*CHAIN, *sold), set[str]()

    def answer(request: Any) -> list[Any]:
        found = told.answer(request)
        read.update(row["_id"] for row in found if isinstance(request, GoodsAt))
        return found

    found = answered(simulate(replace(beginning(("A",), NOW), max_events=15), NOW), answer)
    assert {(each.node, each.fate, each.why) for each in found.portions if each.node == "A@stall"} == {
        ("A@stall", Fate.UNLOCATED, Why.NOT_FOLLOWED)
    }
    assert {each.node: each.amount for each in found.portions}["A@stall"] == kilograms(10)
    assert {"e1", "e2", "e3", "e4"} <= read
    assert not read & {each.id for each in sold}
