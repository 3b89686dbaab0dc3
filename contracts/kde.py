"""Key data elements: what the law asks of a record, by article, step, link and category - never as one union.

The date of the step and the batch are in no row: a record without them is refused. Articles are those of the Food
Safety Law (食品安全法) unless said otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from contracts.trace import Category, Link, Lot, Record, Step

FARM_PRODUCE: Final = frozenset({Category.VEGETABLE, Category.FRUIT, Category.AQUATIC, Category.MEAT})
"""Edible farm produce (食用农产品): article 65 in place of 50 and 53.

⚠ Meat counts as fresh: no field tells sausages from pork.
"""

FOOD: Final = frozenset(Category) - FARM_PRODUCE
MAKERS: Final = frozenset({Link.PRODUCTION, Link.SPECIAL_FOOD})
TRADERS: Final = frozenset({Link.CIRCULATION, Link.CATERING, None})
"""A record that tells no link is judged as a trader's."""

BUYING: Final = frozenset({Step.PURCHASE, Step.RECEIVING})


@dataclass(frozen=True, slots=True, eq=False)
class Kde:
    """One element: where it stands in a record, its names, and how to see whether a record gives it for a lot."""

    field: str
    zh: str
    en: str
    given: Callable[[Record, Lot], object]


class Duty(NamedTuple):
    """A clause, when it applies, and the elements it asks for."""

    clause: str
    steps: frozenset[Step]
    links: frozenset[Link | None]
    categories: frozenset[Category]
    elements: tuple[Kde, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Missing:
    """An element that a record does not give, and the clause that asks for it."""

    element: Kde
    clause: str


_PRODUCT = Kde("product", "名称", "product name", lambda record, lot: lot.product)
_SPECIFICATION = Kde("specification", "规格", "specification", lambda record, lot: lot.specification)
_QUANTITY = Kde("quantity", "数量", "quantity", lambda record, lot: lot.quantity is not None or lot.quantity_text)
_SHELF_LIFE = Kde("shelf_life_days", "保质期", "shelf life", lambda record, lot: lot.shelf_life_days is not None)
_INSPECTION = Kde(
    "documents.inspection", "检验合格证号", "inspection certificate", lambda r, _: _paper(r, "inspection")
)
_QUARANTINE = Kde("documents.quarantine", "检疫证明", "quarantine certificate", lambda r, _: _paper(r, "quarantine"))
_SAMPLED_BY = Kde("kdes.sampled_by", "留样人员", "who took the sample", lambda r, _: r.kdes.get("sampled_by"))
_KEPT_UNTIL = Kde("kdes.kept_until", "留样至", "end of retention", lambda r, _: r.kdes.get("kept_until"))


def _other(field: str, zh: str, en: str) -> Kde:
    return Kde(f"counterparty.{field}", zh, en, lambda r, _: r.counterparty and getattr(r.counterparty, field))


def _counterparty(zh: str, en: str) -> tuple[Kde, ...]:
    return (
        _other("name", f"{zh}名称", f"{en}'s name"),
        _other("address", f"{zh}地址", f"{en}'s address"),
        _other("contact", f"{zh}联系方式", f"{en}'s contact"),
    )


def _paper(record: Record, kind: str) -> bool:
    return any(document.kind == kind for document in record.documents)


_GOODS = (_PRODUCT, _SPECIFICATION, _QUANTITY, _SHELF_LIFE)
_SUPPLIER = _counterparty("供货者", "supplier")
_BUYER = _counterparty("购货者", "buyer")

DUTIES: Final = (
    # Makers check raw materials bought in.
    Duty("食品安全法第五十条", BUYING, MAKERS, FOOD, (*_GOODS, *_SUPPLIER)),
    # Makers record what leaves the works.
    Duty("食品安全法第五十一条", frozenset({Step.SHIPPING}), MAKERS, FOOD, (*_GOODS, _INSPECTION, *_BUYER)),
    # Traders, caterers among them, check food bought in.
    Duty("食品安全法第五十三条", BUYING, TRADERS, FOOD, (*_GOODS, *_SUPPLIER)),
    # Wholesalers record sales too; a retail sale names no buyer.
    Duty(
        "食品安全法第五十三条第四款",
        frozenset({Step.SHIPPING}),
        frozenset({Link.CIRCULATION}),
        FOOD,
        (*_GOODS, *_BUYER),
    ),
    # Sellers of edible farm produce.
    Duty(
        "食品安全法第六十五条",
        BUYING,
        MAKERS | TRADERS,
        FARM_PRODUCE,
        (_PRODUCT, _QUANTITY, *_SUPPLIER),
    ),
    # Animal products travel with a quarantine certificate.
    Duty(
        "动物防疫法第五十一条",
        BUYING | {Step.SHIPPING},
        MAKERS | {Link.CIRCULATION, None},
        frozenset({Category.MEAT}),
        (_QUARANTINE,),
    ),
    # ⚠ 125 g for 48 h: the weight is judged in `contracts.checks`, its clause is unconfirmed.
    Duty(
        "餐饮服务食品安全操作规范（留样）",
        frozenset({Step.RETAINED_SAMPLE}),
        frozenset({*Link, None}),
        frozenset(Category),
        (_PRODUCT, _QUANTITY, _SAMPLED_BY, _KEPT_UNTIL),
    ),
)


@lru_cache(1024)
def required(step: Step, link: Link | None, category: Category) -> tuple[Missing, ...]:
    """The elements, each with its clause, that a record of this step, link and category owes."""
    return tuple(
        Missing(element, duty.clause)
        for duty in DUTIES
        if step in duty.steps and link in duty.links and category in duty.categories
        for element in duty.elements
    )


def missing(record: Record) -> list[Missing]:
    """What the record owes and does not give; one row per element, however many lots lack it."""
    found: dict[Missing, None] = {}
    for lot in record.outputs or record.inputs:
        for row in required(record.step, record.site.link, lot.category):
            if not row.element.given(record, lot):
                found[row] = None
    return list(found)
