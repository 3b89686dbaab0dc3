"""The picture of a simulated recall: bars by division."""

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from clients.cli.recall_picture import OUTSIDE, Row, draw, rows

SVG = "{http://www.w3.org/2000/svg}"
Json = dict[str, Any]


def node(site: str, division: str = "370102", external: bool = False, batch: str = "A") -> Json:
    return {"batch": batch, "site_id": site, "division": division, "external": external}


def portion(node: Json, fate: str, quantity: str | None = None, unit: str = "KGM") -> Json:
    told = {"amount": {"quantity": quantity, "unit": unit}} if quantity else {}
    return {"node": {"batch": node["batch"], "site_id": node["site_id"]}, "fate": fate, **told}


FARM, STALL, SCHOOL, ABROAD = node("f", "370783"), node("s"), node("k"), node("x", external=True)
FOUND: Json = {
    "batches": ["A"],
    "nodes": [FARM, STALL, SCHOOL, ABROAD],
    "portions": [
        portion(FARM, "held", "2.5"),
        portion(STALL, "in_transit", "4"),
        portion(STALL, "consumed", "1"),
        portion(SCHOOL, "destroyed", "5"),
        portion(SCHOOL, "held", "10", "PTN"),
        portion(SCHOOL, "unlocated"),
        portion(ABROAD, "outside", "3"),
    ],
    "share": 0.983,
    "sites": 3,
    "complete": False,
    "gaps": [{}],
    "hidden_sites": 0,
}


def parts(*quantities: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, quantities))


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def widths(svg: str) -> list[float]:
    bars = (bar for bar in ElementTree.fromstring(svg).iter(f"{SVG}rect") if bar.get("height") == "22")
    return [float(bar.attrib["width"]) for bar in bars]


def test_goods_are_summed_by_division_and_unit_most_first() -> None:
    assert rows(FOUND) == [
        Row("山东省 济南市 历下区", "KGM", parts("0", "4", "6", "0"), 1),
        Row(OUTSIDE, "KGM", parts("0", "0", "3", "0"), 0),
        Row("山东省 潍坊市 寿光市", "KGM", parts("2.5", "0", "0", "0"), 0),
        Row("山东省 济南市 历下区", "PTN", parts("10", "0", "0", "0"), 0),
    ]


def test_coverage_stands_in_the_title_and_chinese_first() -> None:
    told = texts(draw({"simulation": FOUND}))
    assert told[0] == "召回模拟 A · 已定位 located 98.3%"
    assert "断点 1 处 incomplete" in told[1]
    assert {"在手 held", "在途 in transit", "未定位 unlocated"} <= {*told}
    assert "10 kg，1 处数量不明 unknown" in told
    bare = {name: each for name, each in FOUND.items() if name != "share"}
    assert texts(draw({"simulation": bare}))[0] == "召回模拟 A · 已定位 located 不明 unknown"


def test_bars_of_one_unit_have_one_scale_and_what_is_little_is_seen() -> None:
    drawn = widths(draw({"simulation": FOUND}))
    assert drawn == [208, 312, 156, 130, 520]
    little = {**FOUND, "portions": [portion(FARM, "held", "100000"), portion(STALL, "unlocated", "0.001")]}
    assert widths(draw({"simulation": little})) == [520, 1.5]


def test_what_is_not_known_has_a_row_where_nothing_else_is() -> None:
    unknown = {**FOUND, "portions": [portion(FARM, "unlocated")]}
    assert rows(unknown) == [Row("山东省 潍坊市 寿光市", "", parts("0", "0", "0", "0"), 1)]
    svg = draw({"simulation": unknown})
    assert widths(svg) == []
    assert "1 处数量不明 unknown" in texts(svg)
    assert "无货物 no goods" in texts(draw({"simulation": {**FOUND, "portions": []}}))


def test_names_cannot_break_the_picture() -> None:
    nasty = {**FOUND, "batches": ['<script>alert("1")</script>\x00'], "nodes": [node("f", "<b>&")], "portions": []}
    nasty["portions"] = [portion(nasty["nodes"][0], "held", "1")]
    svg = draw({"simulation": nasty})
    assert not list(ElementTree.fromstring(svg).iter(f"{SVG}script"))
    assert "<b>&" in texts(svg)
