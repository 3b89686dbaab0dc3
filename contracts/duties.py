"""What the law asks of a record, by article, step, link and category - never as one union.

The date of the step and the batch are in no row: a record without them is refused. ⚠ marks what could not be
confirmed. Articles are numbered as in the texts in force: 食品安全法 as amended 2025-09-12, its 实施条例 of 2019,
动物防疫法 of 2021, 农产品质量安全法 of 2022, 生猪屠宰管理条例 of 2021, 畜禽标识和养殖档案管理办法 of 2006.
"""

from datetime import datetime
from typing import Final, NamedTuple

from contracts import elements as of
from contracts.elements import Condition, Kde
from contracts.fields import SHANGHAI
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
_KEY_LIQUIDS: Final = frozenset({Category.EDIBLE_OIL, Category.LIQUOR, Category.OTHER})
"""Categories of the catalogue of key liquid foods (重点液态食品目录, 2026): plant oils, liquors, and, among others by
their names, seasonings and syrups. ⚠ Fats and liquors beside those that it names are taken for them.
"""

_OTHER_KEY_LIQUIDS: Final = ("醋", "料酒", "糖浆")
_PERMITS_SINCE: Final = datetime(2026, 7, 1, tzinfo=SHANGHAI)


def _is_key_liquid_in_bulk(record: Record, lot: Lot) -> bool:
    named = lot.category is not Category.OTHER or any(word in (lot.product or "") for word in _OTHER_KEY_LIQUIDS)
    return named and "散装" in (lot.specification or "") and record.time >= _PERMITS_SINCE


_BULK: Final = Condition("散装的", lambda _, lot: "散装" in (lot.specification or ""))
_BULK_LIQUIDS: Final = Condition("散装的重点液态食品，2026年7月1日起", _is_key_liquid_in_bulk)
_PIGS: Final = Condition("猪", lambda _, lot: "猪" in (lot.product or ""))
_PORK: Final = Condition("猪肉", lambda _, lot: "猪" in (lot.product or "") and lot.unit != "HEA" and not lot.ear_tags)
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
    # Pigs come to slaughter with a certificate, and are registered; who brought them is told by the receipt.
    # ⚠ Other animals than pigs by local rules.
    Duty("生猪屠宰管理条例第十二条", frozenset({Step.SLAUGHTER}), _ANYONE, _ANY, (of.QUARANTINE,)),
    Duty("生猪屠宰管理条例第十三条", frozenset({Step.SLAUGHTER}), _ANYONE, _ANY, (of.HEADS,)),
    Duty("畜禽标识和养殖档案管理办法第十四条", frozenset({Step.SLAUGHTER}), _ANYONE, _ANY, (of.EAR_TAGS,)),
    Duty("生猪屠宰管理条例第十五条", frozenset({Step.SLAUGHTER}), _ANYONE, _MEATS, (of.MEAT,), _PIGS),
    # ⚠ What leaves a slaughterhouse: no field tells one from other makers of pork.
    Duty(
        "生猪屠宰管理条例第十七条",
        frozenset({Step.SHIPPING}),
        frozenset({Link.PRODUCTION}),
        _MEATS,
        (of.PRODUCT, of.SPECIFICATION, of.QUANTITY, of.QUARANTINE, of.MEAT, of.SLAUGHTERED, *of.BUYER),
        _PORK,
    ),
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
    # Who sends looks at the permit, who receives at the permit and the seal, the carrier cleans the container.
    # ⚠ That each trip's own record tells the seal. Own goods in own containers need no permit; no field tells them.
    Duty(
        "食品安全法第四十一条",
        frozenset({Step.TRANSPORT}),
        _ANYONE,
        _KEY_LIQUIDS,
        (of.VEHICLE, of.BULK_PERMIT, of.SEAL, of.CLEANED),
        _BULK_LIQUIDS,
    ),
    Duty("食品安全法第四十一条", frozenset({Step.SHIPPING}), _ANYONE, _KEY_LIQUIDS, (of.BULK_PERMIT,), _BULK_LIQUIDS),
    Duty("食品安全法第四十一条", BUYING, _ANYONE, _KEY_LIQUIDS, (of.BULK_PERMIT, of.SEAL), _BULK_LIQUIDS),
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
    # ⚠ 125 g for 48 h: both are judged in `contracts.checks`, their clause is unconfirmed.
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
