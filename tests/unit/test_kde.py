"""Which clause asks which element of which record."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import kde
from contracts.duties import DUTIES
from contracts.papers import TITLES
from contracts.trace import Category, Document, Link, Lot, Party, Record, Step

NOW = datetime(2026, 8, 5, tzinfo=UTC)
PERMITS_SINCE = datetime(2026, 6, 30, 16, tzinfo=UTC)
FULL_LOT = Lot(
    batch="B1",
    product="奶粉",
    specification="900g",
    category=Category.DAIRY,
    quantity=Decimal(9),
    unit="KGM",
    shelf_life_days=540,
    produced_on="2026-08-04",
)
CHILEAN = Party(site="uscc:1", name="乙", address="地址", contact="1", abroad=True)
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
        "documents": tuple(Document(kind=kind, number="1") for kind in TITLES),
        "vehicle": "鲁A1",
        "production_line": "3",
        "inputs": (Lot(batch="PIGS", quantity=Decimal(1), unit="HEA", ear_tags=("137018100000001",)),),
        "kdes": dict.fromkeys(kde.NAMED, "丙"),
    }
    return Record(step=step, site=Party(site="uscc:2", link=link), **(given | more))


def lot(category: Category, **more: Any) -> Lot:
    """A lot that tells nothing but its batch and category."""
    return Lot(batch="B1", category=category, **more)


def bare(step: Step, link: Link | None, lot: Lot, **more: Any) -> Record:
    """A record that tells its step, its goods, and what a test adds."""
    given: dict[str, Any] = {
        "counterparty": None,
        "documents": (),
        "vehicle": None,
        "production_line": None,
        "inputs": (),
        "kdes": {},
    }
    return record(step, link, lot, **(given | more))


def lacking(told: Record) -> dict[str, set[str]]:
    """Fields it lacks, by clause."""
    found: dict[str, set[str]] = {}
    for row in kde.missing(told):
        found.setdefault(row.clause, set()).add(row.element.field)
    return found


GOODS = {"product", "specification", "quantity", "shelf_life_days"}
OTHER = {"counterparty.name", "counterparty.address", "counterparty.contact"}
PAPER = {"documents.quarantine"}
AT_SLAUGHTER = {
    "生猪屠宰管理条例第十二条": PAPER,
    "生猪屠宰管理条例第十三条": {"inputs.quantity"},
    "畜禽标识和养殖档案管理办法第十四条": {"inputs.ear_tags"},
}

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
    (
        Step.SLAUGHTER,
        Link.PRODUCTION,
        Category.MEAT,
        AT_SLAUGHTER,
    ),
    (Step.TRANSPORT, None, Category.MEAT, {"动物防疫法第五十二条": PAPER | {"vehicle", "quantity"}}),
    (Step.CHECKPOINT, None, Category.OTHER, {"动物防疫法第五十三条": PAPER | {"vehicle"}}),
    (
        Step.PURCHASE,
        None,
        Category.VEGETABLE,
        {
            "食品安全法第六十五条": {"product", "quantity"} | OTHER,
            "农产品质量安全法第三十九条": {"documents.conformity"},
        },
    ),
    (Step.PACKING, Link.CIRCULATION, Category.FRUIT, {"农产品质量安全法第三十九条": {"documents.conformity"}}),
    (
        Step.DESTROYING,
        Link.CIRCULATION,
        Category.DAIRY,
        {"食品安全法第六十三条": {"product", "quantity", "kdes.destroyed_how", "kdes.witness"}},
    ),
    (Step.SELLING, Link.CIRCULATION, Category.DAIRY, {}),
    (Step.KITCHEN_USE, Link.CATERING, Category.OTHER, {}),
    (Step.HARVEST, Link.PRODUCTION, Category.FRUIT, {}),
]


@pytest.mark.parametrize(("step", "link", "category", "owed"), CASES)
def test_an_empty_record_misses_what_its_clauses_ask(
    step: Step, link: Link | None, category: Category, owed: dict[str, set[str]]
) -> None:
    assert lacking(bare(step, link, lot(category))) == owed


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


BEEF = lot(Category.MEAT, product="牛肉", quantity_text="1箱")
BULK = {"product": "大豆油", "specification": "散装"}
OIL = {**BULK, "category": Category.EDIBLE_OIL}
ENTERPRISE = {"site": Party(site="uscc:2", uscc="91370181MA3C5X1K0A", link=Link.PRODUCTION)}
IN_BULK = "食品安全法第四十一条"
SYRUP = {"product": "果葡糖浆", "specification": "散装"}
TRIP = {"vehicle", "documents.bulk_permit", "kdes.seal_no", "kdes.cleaning_record"}

CONDITIONS = [
    (bare(Step.TRANSPORT, None, lot(Category.EDIBLE_OIL, **BULK)), {IN_BULK: TRIP}),
    (bare(Step.TRANSPORT, None, lot(Category.OTHER, **SYRUP)), {IN_BULK: TRIP}),
    (bare(Step.TRANSPORT, None, lot(Category.OTHER, product="味精", specification="散装")), {}),
    (bare(Step.TRANSPORT, None, lot(Category.DAIRY, product="生乳", specification="散装")), {}),
    (bare(Step.TRANSPORT, None, lot(Category.EDIBLE_OIL, **BULK), time=PERMITS_SINCE), {IN_BULK: TRIP}),
    (
        bare(Step.TRANSPORT, None, lot(Category.EDIBLE_OIL, **BULK), time=PERMITS_SINCE - timedelta(milliseconds=1)),
        {},
    ),
    (
        record(Step.RECEIVING, Link.CIRCULATION, FULL_LOT.model_copy(update=OIL), documents=(), kdes={}),
        {IN_BULK: {"documents.bulk_permit", "kdes.seal_no"}},
    ),
    (
        record(Step.SHIPPING, Link.CIRCULATION, FULL_LOT.model_copy(update=OIL), documents=(), kdes={}),
        {IN_BULK: {"documents.bulk_permit"}},
    ),
    (bare(Step.TRANSPORT, None, lot(Category.EDIBLE_OIL, product="大豆油", specification="5L")), {}),
    (bare(Step.TRANSPORT, None, lot(Category.GRAIN), counterparty=Party()), {"食品安全法实施条例第二十五条": OTHER}),
    (bare(Step.STORING, None, lot(Category.GRAIN), counterparty=Party()), {"食品安全法实施条例第二十五条": OTHER}),
    (
        bare(Step.STORING, None, lot(Category.GRAIN, specification="散装")),
        {"食品安全法第五十四条": {"product", "shelf_life_days"}},
    ),
    (
        bare(Step.SHIPPING, Link.PRODUCTION, lot(Category.VEGETABLE)),
        {},
    ),
    (
        bare(Step.SHIPPING, Link.PRODUCTION, lot(Category.VEGETABLE)).model_copy(update=ENTERPRISE),
        {"农产品质量安全法第三十九条": {"documents.conformity"}},
    ),
    (
        bare(Step.RECEIVING, Link.CATERING, BEEF, counterparty=CHILEAN),
        {"食品安全法第九十二条": {"documents.import"}},
    ),
    (
        bare(Step.SLAUGHTER, None, lot(Category.MEAT, product="猪白条")),
        {
            **AT_SLAUGHTER,
            "生猪屠宰管理条例第十五条": {"documents.meat"},
        },
    ),
    (
        bare(Step.SHIPPING, Link.PRODUCTION, lot(Category.MEAT, product="猪白条")),
        {
            "动物防疫法第五十一条": PAPER,
            "生猪屠宰管理条例第十七条": PAPER | {"specification", "quantity", "documents.meat", "produced_on"} | OTHER,
        },
    ),
    (
        bare(Step.SHIPPING, Link.PRODUCTION, lot(Category.MEAT, product="生猪", quantity=Decimal(9), unit="HEA")),
        {"动物防疫法第五十一条": PAPER},
    ),
]


@pytest.mark.parametrize(("told", "owed"), CONDITIONS)
def test_some_duties_hold_only_for_what_the_record_tells(told: Record, owed: dict[str, set[str]]) -> None:
    assert lacking(told) == owed


@pytest.mark.parametrize("kind", ["conformity", "inspection"])
def test_who_buys_produce_up_keeps_a_certificate_or_a_report(kind: str) -> None:
    papers = (Document(kind=kind, number="1"),)
    bought = bare(Step.PURCHASE, None, lot(Category.VEGETABLE), documents=papers)
    assert "农产品质量安全法第三十九条" not in lacking(bought)


def test_a_clean_down_owes_the_line_and_no_goods() -> None:
    cleaned = bare(Step.CLEANING, None, FULL_LOT, outputs=())
    assert lacking(cleaned) == {"GB 14881-2013（清洁消毒记录）": {"production_line"}}
    assert kde.missing(cleaned.model_copy(update={"production_line": "3"})) == []


def test_completeness_is_the_share_of_what_is_owed() -> None:
    assert kde.completeness(record(Step.RECEIVING, Link.CIRCULATION)) == 1
    assert kde.completeness(bare(Step.RECEIVING, Link.CIRCULATION, lot(Category.DAIRY))) == 0
    told = bare(Step.RECEIVING, Link.CIRCULATION, lot(Category.FRUIT, product="苹果"), counterparty=FULL_OTHER)
    assert kde.completeness(told) == Fraction(4, 5)
    assert kde.completeness(bare(Step.HARVEST, None, lot(Category.FRUIT))) == 1


@given(st.sampled_from(Step), st.sampled_from([None, *Link]), st.lists(st.sampled_from(Category), max_size=3))
def test_completeness_is_one_exactly_when_nothing_is_missing(
    step: Step, link: Link | None, categories: list[Category]
) -> None:
    told = bare(step, link, FULL_LOT, outputs=tuple(map(lot, categories)))
    assert 0 <= kde.completeness(told) <= 1
    assert (kde.completeness(told) == 1) is not bool(kde.missing(told))


@pytest.mark.parametrize("category", list(Category))
def test_food_and_farm_produce_share_no_clause_on_buying(category: Category) -> None:
    owed = kde.required(Step.RECEIVING, Link.CIRCULATION, category)
    assert len({row.clause for row in owed if not row.when} - {"动物防疫法第五十一条"}) == 1


def test_every_element_can_be_given() -> None:
    """Each row asks what a record can say: the full record gives it, the bare one does not."""
    empty, full = bare(Step.RECEIVING, None, lot(Category.OTHER)), record(Step.RECEIVING, None)
    given: list[Callable[[Record, Lot], object]] = [e.given for duty in DUTIES for e in duty.elements]
    assert all(ask(full, full.outputs[0]) and not ask(empty, empty.outputs[0]) for ask in given)
