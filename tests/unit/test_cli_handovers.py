"""What the events between two nodes of a chain say together."""

from typing import Any

import pytest

from clients.cli import handovers, tree
from clients.cli.picture import draw
from clients.cli.words import amount
from tests.unit.test_svg import chain, edge, node, texts

Json = dict[str, Any]


def told(step: str, quantity: str, unit: str = "KGM") -> Json:
    return {"step": step, "quantity": quantity, "unit": unit}


@pytest.mark.parametrize(
    ("edges", "goods"),
    [
        ([told("shipping", "30"), told("receiving", "30.0")], "30 kg"),
        ([told("shipping", "30"), told("receiving", "12"), told("receiving", "18")], "30 kg"),
        ([told("shipping", "30"), told("shipping", "20"), told("receiving", "30")], "50 kg→30 kg"),
        ([told("selling", "50"), told("shipping", "30"), told("shipping", "20")], "50 kg"),
        ([told("receiving", ""), told("shipping", "8")], "8 kg"),
        ([told("receiving", "3"), told("receiving", "")], ""),
        ([told("kitchen_use", "3"), told("kitchen_use", "4")], "7 kg"),
        ([told("receiving", "3"), told("receiving", "2", "H87")], "3 kg、2 个"),
        ([told("shipping", "0.00000000015"), told("shipping", "0.00000000015")], "0.0000000003 kg"),
        ([], ""),
    ],
)
def test_goods_of_all_events_are_summed_and_each_handover_counts_once(edges: list[Json], goods: str) -> None:
    assert handovers.goods(edges) == goods


def test_steps_say_how_often_goods_went() -> None:
    assert handovers.steps([told("shipping", "1"), told("receiving", "1")]) == "发货→收货"
    assert handovers.steps([told("shipping", "1"), told("receiving", "1"), told("shipping", "1")]) == "发货→收货 ×2"


def test_table_and_picture_say_the_same() -> None:
    farm, shop = node("B1", "农场"), node("B1", "超市")
    two = chain([farm, shop], [edge(farm, shop), edge(farm, shop, time="2026-03-02T22:00:00Z")])
    assert "发货 ×2 25 kg" in texts(draw(two))
    assert list(tree.rows(two))[1][3:5] == ("发货 ×2", "25 kg")


@pytest.mark.parametrize(
    ("quantity", "words"), [("106.500", "106.5 kg"), ("100", "100 kg"), ("40.0", "40 kg"), ("", "")]
)
def test_amount_has_no_zeros_that_say_nothing(quantity: str, words: str) -> None:
    assert amount(quantity, "KGM") == words
