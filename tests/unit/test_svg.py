"""The picture of a chain, and the layout beneath it."""

import random
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from clients.cli.layout import Edge, Layout, layout
from clients.cli.lettering import fit, measure
from clients.cli.picture import draw
from clients.cli.sketch import HEIGHT, LOW, WIDTH, sketch

SVG = "{http://www.w3.org/2000/svg}"
Json = dict[str, Any]


def node(batch: str, site: str, division: str = "370102", **more: Any) -> Json:
    named = {"site_name": f"{site}号店", "operator": f"uscc:{site}", "operator_name": f"{site}公司", "product": "菠菜"}
    return {"batch": batch, "site": site, "division": division, "external": False, **named, **more}


def edge(tail: Json, head: Json, step: str = "shipping", time: str = "2026-03-01T22:00:00Z") -> Json:
    ends = {
        "from": {"batch": tail["batch"], "site": tail["site"]},
        "to": {"batch": head["batch"], "site": head["site"]},
    }
    return {**ends, "event_id": "E1", "step": step, "quantity": "12.5", "unit": "KGM", "time": time}


def chain(nodes: list[Json], edges: list[Json], gaps: Sequence[Json] = (), direction: str = "backward") -> Json:
    return {
        "batch": nodes[-1]["batch"], "direction": direction, "events": ["E1"], "nodes": nodes, "edges": edges,
        "gaps": list(gaps), "complete": not gaps,
    }  # fmt: skip


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def crossings(placed: Layout, edges: Sequence[Edge]) -> int:
    height = placed.heights
    return sum(
        (height[a] - height[c]) * (height[b] - height[d]) < 0
        for (a, b), (c, d) in combinations(edges, 2)
        if placed.levels[a] == placed.levels[c] and placed.levels[b] == placed.levels[d]
    )


def test_edges_point_right_over_the_longest_path() -> None:
    assert layout(4, [(0, 1), (1, 2), (0, 2), (2, 3)]).levels[:4] == [0, 1, 2, 3]


def test_source_stands_just_left_of_what_it_leads_to() -> None:
    assert layout(4, [(0, 1), (1, 2), (3, 2)]).levels[3] == 1


def test_cycle_is_drawn_and_only_one_of_its_edges_points_left() -> None:
    edges = [(0, 1), (1, 2), (2, 0)]
    levels = layout(3, edges).levels
    assert sum(levels[tail] > levels[head] for tail, head in edges) == 1


def test_edge_that_passes_a_level_bends_there_and_keeps_clear_of_nodes() -> None:
    placed = layout(3, [(0, 1), (1, 2), (0, 2)])
    [bend] = placed.routes[0, 2]
    assert placed.levels[bend] == placed.levels[1]
    assert abs(placed.heights[bend] - placed.heights[1]) > 0.5


def test_crossings_that_can_be_avoided_are_avoided() -> None:
    edges = [(0, 5), (1, 4), (2, 3), (3, 6), (4, 7), (5, 8)]
    assert crossings(layout(9, edges), edges) == 0


@pytest.mark.parametrize("seed", range(5))
def test_nodes_never_overlap(seed: int) -> None:
    chance = random.Random(seed)
    edges = list({(tail, head) for head in range(1, 80) for tail in chance.sample(range(head), min(head, 2))})
    placed = layout(80, edges)
    for one, other in combinations(range(80), 2):
        if placed.levels[one] == placed.levels[other]:
            assert abs(placed.heights[one] - placed.heights[other]) >= 0.999


def test_picture_tells_who_what_where_and_when() -> None:
    farm, shop = node("B1", "农场", "370783"), node("B1", "超市")
    told = texts(draw(chain([farm, shop], [edge(farm, shop)])))
    assert {"农场号店", "超市号店", "菠菜 · 寿光市", "菠菜 · 历下区", "B1", "发货 12.5 kg"} <= set(told)
    # 22:00 in Greenwich is the next morning in Shanghai.
    assert {"2026-03-02 06:00 出", "2026-03-02 06:00 到", "济南市", "潍坊市"} <= set(told)
    assert told[0] == "来源追溯 · B1"


def test_shipment_and_receipt_are_one_line() -> None:
    farm, shop = node("B1", "a"), node("B1", "b")
    drawn = sketch(chain([farm, shop], [edge(farm, shop), edge(farm, shop, "receiving", "2026-03-02T00:00:00Z")]))
    assert len(drawn.lines) == 1
    assert "发货→收货 12.5 kg" in texts(draw(chain([farm, shop], [edge(farm, shop), edge(farm, shop, "receiving")])))


def test_gap_is_a_dashed_red_card_on_the_side_where_the_chain_breaks() -> None:
    farm, shop = node("B1", "a"), node("B1", "b")
    gaps = [
        {"node": {"batch": "B1", "site": "a"}, "kind": "unknown_source", "event_id": "E1"},
        {"node": {"batch": "B1", "site": "b"}, "kind": "unknown_destination", "event_id": "E1"},
    ]
    broken = chain([farm, shop], [edge(farm, shop)], gaps)
    at = {card.gap or card.node["site"]: card.at[0] for card in sketch(broken).cards}
    assert at["unknown_source"] < at["a"] < at["b"] < at["unknown_destination"]
    svg = draw(broken)
    assert svg.count('<rect class="gap"') == 2
    assert {"来源不明 ？", "去向不明 ？"} <= set(texts(svg))
    assert "断点 2 处" in texts(svg)[1]


def test_goods_sent_back_do_not_turn_the_chain_round() -> None:
    farm, shop = node("B1", "a"), node("B1", "b")
    drawn = sketch(chain([farm, shop], [edge(shop, farm, "returning"), edge(farm, shop)]))
    assert drawn.cards[0].at[0] < drawn.cards[1].at[0]
    assert [line.back for line in drawn.lines] == [True, False]


def test_event_that_stays_at_its_node_is_no_line() -> None:
    shop = node("B1", "a")
    assert sketch(chain([shop], [edge(shop, shop, "storing")])).lines == []


def test_names_cannot_break_the_picture() -> None:
    nasty = node("B<1>&\"'", "s", site_name='<script>alert("1")</script>\x00', product="]]>&amp;")
    svg = draw(chain([nasty], []))
    assert not list(ElementTree.fromstring(svg).iter(f"{SVG}script"))
    assert "]]>&amp; · 历下区" in texts(svg)


def test_cards_of_the_batch_asked_for_stand_out_and_external_ones_are_dashed() -> None:
    farm, shop = node("B1", "a", "130500", external=True), node("B2", "b")
    cards = draw(chain([farm, shop], [edge(farm, shop, "making")])).split("<g ")[1:]
    assert ['stroke-width="2.5"' in card for card in cards] == [False, True]
    assert ["stroke-dasharray" in card for card in cards] == [True, False]


def test_chain_of_300_nodes_fits_without_overlap() -> None:
    chance = random.Random(7)
    nodes = [node(f"B{n}", str(n), chance.choice(["370102", "370602", "371002"])) for n in range(300)]
    edges = [edge(nodes[chance.randrange(max(0, n - 40), n)], nodes[n]) for n in range(1, 300)]
    drawn = sketch(chain(nodes, edges, direction="forward"))
    spots = sorted(card.at for card in drawn.cards)
    assert all(x != right_x or lower - y >= drawn.tall for (x, y), (right_x, lower) in pairwise(spots))
    assert all(x + WIDTH <= drawn.width and y + drawn.tall <= drawn.height for x, y in spots)


def test_cards_are_low_only_where_a_column_is_crowded() -> None:
    farm = node("B1", "farm")
    shops = [node("B1", str(n)) for n in range(60)]
    few, many = (chain([farm, *some], [edge(farm, shop) for shop in some]) for some in (shops[:3], shops))
    assert (sketch(few).tall, sketch(many).tall) == (HEIGHT, LOW)
    assert "菠菜 · 历下区 · 03-02" in texts(draw(many))


def test_text_that_is_too_long_loses_its_middle() -> None:
    cut = fit("01/06901234567892/10/L20260301", 11, 120)
    assert cut.startswith("01/069")
    assert cut.endswith("0301")
    assert measure(cut, 11) <= 120
    assert fit("菠菜", 12, 100) == "菠菜"


def outlined(svg: str) -> list[str]:
    """Names on the cards that stand out."""
    cards = [card for card in ElementTree.fromstring(svg).iter(f"{SVG}g") if card.find(f"{SVG}rect") is not None]
    bold = [card for card in cards if card.find(f"{SVG}rect").get("stroke-width") == "2.5"]  # type: ignore[union-attr]
    return [next(card.iter(f"{SVG}text")).text or "" for card in bold]


def test_what_was_asked_about_stands_out_whatever_it_was_asked_by() -> None:
    farm, shop, kitchen = node("B1", "农场"), node("B1", "超市"), node("B1", "食堂")
    told = chain([farm, shop, kitchen], [edge(farm, shop), edge(shop, kitchen)])
    assert len(outlined(draw(told))) == 3
    assert outlined(draw(told | {"batch": "YPT-1"})) == ["食堂号店"]
    assert outlined(draw(told | {"batch": "YPT-1", "direction": "forward"})) == ["农场号店"]
    way = {"batch": "B1 → B1", "shortest": [{"batch": "B1", "site": "农场"}, {"batch": "B1", "site": "食堂"}]}
    assert outlined(draw(told | way)) == ["农场号店", "食堂号店"]


def test_legend_explains_what_the_picture_has_and_no_more() -> None:
    farm, shop = node("B1", "农场"), node("B1", "超市")
    whole = texts(draw(chain([farm, shop], [edge(farm, shop)])))
    assert {"省外或未知", "断链"}.isdisjoint(whole)
    gap = {"node": {"batch": "B1", "site": "农场"}, "kind": "unknown_source", "event_id": "E1"}
    abroad = node("B1", "农场", "130000", external=True)
    broken = texts(draw(chain([abroad, shop], [edge(abroad, shop)], [gap])))
    assert {"省外或未知", "断链"} <= set(broken)
