"""What the law asks of a record, by article, step, link and category - never as one union.

The date of the step and the batch are in no row: a record without them is refused. ⚠ marks what could not be
confirmed.
"""

from typing import Final, NamedTuple

from contracts import elements as of
from contracts.elements import Condition, Kde
from contracts.trace import Category, Link, Step

FARM_PRODUCE: Final = frozenset({Category.VEGETABLE, Category.FRUIT, Category.AQUATIC, Category.MEAT})
"""Edible farm produce (食用农产品): article 65 in place of 50 and 53.

⚠ Meat counts as fresh: no field tells sausages from pork.
"""

FOOD: Final = frozenset(Category) - FARM_PRODUCE
MAKERS: Final = frozenset({Link.PRODUCTION, Link.SPECIAL_FOOD})
TRADERS: Final = frozenset({Link.CIRCULATION, Link.CATERING, None})
"""A record that tells no link is judged as a trader's."""

BUYING: Final = frozenset({Step.PURCHASE, Step.RECEIVING})


class Duty(NamedTuple):
    """A clause, when it applies, and the elements it asks for; `when` narrows it down."""

    clause: str
    steps: frozenset[Step]
    links: frozenset[Link | None]
    categories: frozenset[Category]
    elements: tuple[Kde, ...]
    when: Condition | None = None


_ANY: Final = frozenset(Category)
_ANYONE: Final = frozenset({*Link, None})
_MEATS: Final = frozenset({Category.MEAT})
_KEY_LIQUIDS: Final = frozenset({Category.EDIBLE_OIL, Category.DAIRY, Category.LIQUOR})
"""⚠ The catalogue of key liquid foods (重点液态食品) is the State Council's; these are taken for it."""


_BULK: Final = Condition("散装的", lambda _, lot: "散装" in (lot.specification or ""))
_PIGS: Final = Condition("猪", lambda _, lot: "猪" in (lot.product or ""))
_FOR_ANOTHER: Final = Condition("受托的", lambda record, _: record.counterparty)
_FROM_ABROAD: Final = Condition("来自境外的", lambda record, _: record.counterparty and record.counterparty.abroad)
# Farmers without a registered operator are encouraged, not obliged.
_ENTERPRISE: Final = Condition("有统一社会信用代码的", lambda record, _: record.site.uscc)

DUTIES: Final = (
    # Makers check raw materials bought in.
    Duty("食品安全法第五十条", BUYING, MAKERS, FOOD, (*of.GOODS, *of.SUPPLIER)),
    # Makers record what leaves the works.
    Duty("食品安全法第五十一条", frozenset({Step.SHIPPING}), MAKERS, FOOD, (*of.GOODS, of.INSPECTION, *of.BUYER)),
    # Traders, caterers among them, check food bought in.
    Duty("食品安全法第五十三条", BUYING, TRADERS, FOOD, (*of.GOODS, *of.SUPPLIER)),
    # Wholesalers record sales too; a retail sale names no buyer.
    Duty(
        "食品安全法第五十三条第四款",
        frozenset({Step.SHIPPING}),
        frozenset({Link.CIRCULATION}),
        FOOD,
        (*of.GOODS, *of.BUYER),
    ),
    # Sellers of edible farm produce.
    Duty(
        "食品安全法第六十五条",
        BUYING,
        MAKERS | TRADERS,
        FARM_PRODUCE,
        (of.PRODUCT, of.QUANTITY, *of.SUPPLIER),
    ),
    # Animal products travel with a quarantine certificate.
    Duty(
        "动物防疫法第五十一条",
        BUYING | {Step.SHIPPING},
        MAKERS | {Link.CIRCULATION, None},
        _MEATS,
        (of.QUARANTINE,),
    ),
    # A slaughterhouse checks what animals come in, and certifies its meat; other animals than pigs by local rules ⚠.
    Duty(
        "生猪屠宰管理条例第十二条",
        frozenset({Step.SLAUGHTER}),
        _ANYONE,
        _ANY,
        (of.QUARANTINE, of.EAR_TAGS, of.HEADS),
    ),
    Duty("生猪屠宰管理条例第十五条", frozenset({Step.SLAUGHTER}), _ANYONE, _MEATS, (of.MEAT,), _PIGS),
    # Animals and their meat on the road, and where they are let through.
    Duty(
        "动物防疫法第五十二条", frozenset({Step.TRANSPORT}), _ANYONE, _MEATS, (of.VEHICLE, of.QUARANTINE, of.QUANTITY)
    ),
    Duty("动物防疫法第五十三条", frozenset({Step.CHECKPOINT}), _ANYONE, _ANY, (of.VEHICLE, of.QUARANTINE)),
    # Who stores or carries for another records for whom.
    Duty(
        "食品安全法实施条例第二十五条",
        frozenset({Step.STORING, Step.TRANSPORT}),
        _ANYONE,
        FOOD,
        of.CUSTOMER,
        _FOR_ANOTHER,
    ),
    Duty("食品安全法第五十四条", frozenset({Step.STORING}), TRADERS, FOOD, (of.PRODUCT, of.SHELF_LIFE), _BULK),
    # ⚠ The article's number, and that seal and cleaning record are asked of each trip's record.
    Duty(
        "食品安全法（2025年9月12日修正）",
        frozenset({Step.TRANSPORT}),
        _ANYONE,
        _KEY_LIQUIDS,
        (of.VEHICLE, of.BULK_PERMIT, of.SEAL, of.CLEANED),
        _BULK,
    ),
    Duty(
        "食品安全法（2025年9月12日修正）",
        BUYING | {Step.SHIPPING},
        _ANYONE,
        _KEY_LIQUIDS,
        (of.BULK_PERMIT,),
        _BULK,
    ),
    # Imported food comes with its papers.
    Duty("食品安全法第九十二条", BUYING, _ANYONE, _ANY, (of.IMPORT,), _FROM_ABROAD),
    # Growers certify what they sell; who buys it up keeps that, and certifies anew what it mixes or repacks.
    Duty(
        "农产品质量安全法第三十九条",
        frozenset({Step.SHIPPING, Step.SELLING}),
        MAKERS,
        FARM_PRODUCE - _MEATS,
        (of.CONFORMITY,),
        _ENTERPRISE,
    ),
    Duty(
        "农产品质量安全法第三十九条",
        frozenset({Step.PURCHASE}),
        _ANYONE,
        FARM_PRODUCE - _MEATS,
        (of.QUALITY,),
    ),
    Duty("农产品质量安全法第三十九条", frozenset({Step.PACKING}), TRADERS, FARM_PRODUCE - _MEATS, (of.CONFORMITY,)),
    # ⚠ 125 g for 48 h: the weight is judged in `contracts.checks`, its clause is unconfirmed.
    Duty(
        "餐饮服务食品安全操作规范（留样）",
        frozenset({Step.RETAINED_SAMPLE}),
        _ANYONE,
        _ANY,
        (of.PRODUCT, of.QUANTITY, of.SAMPLED_BY, of.KEPT_UNTIL),
    ),
    # ⚠ The witness.
    Duty(
        "食品安全法第六十三条",
        frozenset({Step.DESTROYING}),
        _ANYONE,
        _ANY,
        (of.PRODUCT, of.QUANTITY, of.HOW, of.WITNESS),
    ),
    # ⚠ Of the hygiene code of makers, taken for all.
    Duty("GB 14881-2013（清洁消毒记录）", frozenset({Step.CLEANING}), _ANYONE, _ANY, (of.LINE,)),
)
