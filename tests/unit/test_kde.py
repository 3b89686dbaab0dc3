"""Which clause asks which element of which record."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts import kde
from contracts.trace import Category, Document, Link, Lot, Party, Record, Step

NOW = datetime(2026, 1, 5, tzinfo=UTC)
FULL_LOT = Lot(
    batch="B1",
    product="奶粉",
    specification="900g",
    category=Category.DAIRY,
    quantity=Decimal(9),
    unit="KGM",
    shelf_life_days=540,
)
FULL_OTHER = Party(site="uscc:1", name="乙", address="地址", contact="1")


def record(step: Step, link: Link | None, lot: Lot = FULL_LOT, **more: Any) -> Record:
    """A record that gives everything the law asks for; a test takes something away."""
    given: dict[str, Any] = {
        "id": "E1",
        "source": "market",
        "message_id": "m1",
        "time": NOW,
        "sent_at": NOW,
        "counterparty": FULL_OTHER,
        "outputs": (lot,),
        "documents": tuple(Document(kind=kind, number="1") for kind in ("inspection", "quarantine")),
        "kdes": {"sampled_by": "丙", "kept_until": "2026-01-07"},
    }
    return Record(step=step, site=Party(site="uscc:2", link=link), **(given | more))


def lot(category: Category, **more: Any) -> Lot:
    """A lot that tells nothing but its batch and category."""
    return Lot(batch="B1", category=category, **more)


GOODS = {"product", "specification", "quantity", "shelf_life_days"}
OTHER = {"counterparty.name", "counterparty.address", "counterparty.contact"}
PAPER = {"documents.quarantine"}

CASES = [
    (Step.RECEIVING, Link.PRODUCTION, Category.GRAIN, {"食品安全法第五十条": GOODS | OTHER}),
    (
        Step.SHIPPING,
        Link.SPECIAL_FOOD,
        Category.HEALTH_FOOD,
        {"食品安全法第五十一条": GOODS | OTHER | {"documents.inspection"}},
    ),
    (Step.RECEIVING, Link.CIRCULATION, Category.DAIRY, {"食品安全法第五十三条": GOODS | OTHER}),
    (Step.PURCHASE, Link.CATERING, Category.EDIBLE_OIL, {"食品安全法第五十三条": GOODS | OTHER}),
    (Step.RECEIVING, None, Category.OTHER, {"食品安全法第五十三条": GOODS | OTHER}),
    (Step.SHIPPING, Link.CIRCULATION, Category.LIQUOR, {"食品安全法第五十三条第四款": GOODS | OTHER}),
    (Step.RECEIVING, Link.CIRCULATION, Category.VEGETABLE, {"食品安全法第六十五条": {"product", "quantity"} | OTHER}),
    (
        Step.RECEIVING,
        Link.CIRCULATION,
        Category.MEAT,
        {"食品安全法第六十五条": {"product", "quantity"} | OTHER, "动物防疫法第五十一条": PAPER},
    ),
    (Step.SHIPPING, Link.PRODUCTION, Category.MEAT, {"动物防疫法第五十一条": PAPER}),
    (
        Step.RETAINED_SAMPLE,
        Link.CATERING,
        Category.OTHER,
        {"餐饮服务食品安全操作规范（留样）": {"product", "quantity", "kdes.sampled_by", "kdes.kept_until"}},
    ),
    (Step.SELLING, Link.CIRCULATION, Category.DAIRY, {}),
    (Step.KITCHEN_USE, Link.CATERING, Category.OTHER, {}),
    (Step.HARVEST, Link.PRODUCTION, Category.FRUIT, {}),
]


@pytest.mark.parametrize(("step", "link", "category", "owed"), CASES)
def test_an_empty_record_misses_what_its_clauses_ask(
    step: Step, link: Link | None, category: Category, owed: dict[str, set[str]]
) -> None:
    empty = record(step, link, lot(category), counterparty=None, documents=(), kdes={})
    found: dict[str, set[str]] = {}
    for row in kde.missing(empty):
        found.setdefault(row.clause, set()).add(row.element.field)
    assert found == owed


@pytest.mark.parametrize(("step", "link", "category", "owed"), CASES)
def test_a_full_record_misses_nothing(step: Step, link: Link | None, category: Category, owed: object) -> None:
    assert kde.missing(record(step, link, FULL_LOT.model_copy(update={"category": category}))) == []


def test_words_for_a_quantity_count_as_given() -> None:
    bought = record(Step.RECEIVING, Link.CIRCULATION, lot(Category.FRUIT, product="苹果", quantity_text="3筐"))
    assert kde.missing(bought) == []


def test_an_element_is_named_once_however_many_lots_lack_it() -> None:
    lots = (lot(Category.FRUIT, product="苹果"), lot(Category.FRUIT, product="梨"))
    assert [row.element.field for row in kde.missing(record(Step.RECEIVING, None, outputs=lots))] == ["quantity"]


def test_inputs_are_judged_where_there_are_no_outputs() -> None:
    used = record(Step.RECEIVING, None, outputs=(), inputs=(lot(Category.FRUIT, product="苹果"),))
    assert [row.element.field for row in kde.missing(used)] == ["quantity"]


@pytest.mark.parametrize("category", list(Category))
def test_food_and_farm_produce_share_no_clause_on_buying(category: Category) -> None:
    clauses = {row.clause for row in kde.required(Step.RECEIVING, Link.CIRCULATION, category)} - {
        "动物防疫法第五十一条"
    }
    assert len(clauses) == 1


def test_every_element_can_be_given() -> None:
    """Each row asks what a record can say: the full record gives it, the bare one does not."""
    bare = record(Step.RECEIVING, None, lot(Category.OTHER), counterparty=None, documents=(), kdes={})
    full = record(Step.RECEIVING, None)
    given: list[Callable[[Record, Lot], object]] = [e.given for duty in kde.DUTIES for e in duty.elements]
    assert all(ask(full, full.outputs[0]) and not ask(bare, bare.outputs[0]) for ask in given)
