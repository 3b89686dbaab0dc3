"""The steps of a chain and what others call them: EPCIS 2.0 and CBV 2.0, people, and the senders of records.

One table, for whoever reads, shows or exchanges a step. A business step is one of CBV 2.0, section 7.1; none of
them is a slaughter (`killing` is done to a tag) or a clean-down.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from contracts.trace import Step


class EventType(StrEnum):
    """EPCIS 2.0, section 7.4. A transformation of which no input is told is an object event with action ADD."""

    OBJECT = "ObjectEvent"
    TRANSFORMATION = "TransformationEvent"


class Name(NamedTuple):
    """What a step is called; `words` are what senders write for it beside `zh`.

    `event` is None for what EPCIS has no event for: it knows none without objects.
    """

    step: Step
    biz_step: str
    event: EventType | None
    zh: str
    en: str
    words: tuple[str, ...] = ()


_OBJECT, _TRANSFORMATION = EventType.OBJECT, EventType.TRANSFORMATION

_TABLE: Final = (
    Name(Step.FARMING, "commissioning", _TRANSFORMATION, "种养", "farming", ("种植", "养殖")),
    Name(Step.HARVEST, "creating_class_instance", _TRANSFORMATION, "采收", "harvest", ("捕捞",)),
    # Goods change hands (CBV: "possession and/or ownership"); a receipt at one's own door is `receiving`.
    Name(Step.PURCHASE, "accepting", _OBJECT, "收购", "purchase"),
    Name(Step.STORING, "storing", _OBJECT, "储存", "storing", ("贮存", "入库")),
    Name(Step.TRANSPORT, "transporting", _OBJECT, "运输", "transport"),
    Name(Step.SLAUGHTER, "transforming", _TRANSFORMATION, "屠宰", "slaughter", ("宰杀",)),
    Name(Step.CLEANING, "other", None, "清场", "clean-down", ("清洁",)),
    Name(Step.MAKING, "transforming", _TRANSFORMATION, "生产", "making", ("加工",)),
    # Packages of a batch get codes of their own: no aggregation, whose contents keep theirs.
    Name(Step.UNPACKING, "unpacking", _TRANSFORMATION, "拆包", "unpacking", ("分拆",)),
    Name(Step.PACKING, "packing", _TRANSFORMATION, "包装", "packing", ("分装",)),
    Name(Step.SHIPPING, "shipping", _OBJECT, "发货", "shipping", ("出库",)),
    Name(Step.RECEIVING, "receiving", _OBJECT, "收货", "receiving", ("验收", "进货")),
    Name(Step.CHECKPOINT, "inspecting", _OBJECT, "道口查验", "checkpoint", ("道口", "查验")),
    Name(Step.SELLING, "retail_selling", _OBJECT, "销售", "selling", ("零售",)),
    Name(Step.KITCHEN_USE, "transforming", _TRANSFORMATION, "烹饪制作", "kitchen use", ("烹饪", "制作")),
    Name(Step.RETAINED_SAMPLE, "sampling", _OBJECT, "留样", "retained sample"),
    # What goes back is shipped; that it is a return is its disposition (`returned`).
    Name(Step.RETURNING, "shipping", _OBJECT, "退货", "returning"),
    Name(Step.DESTROYING, "destroying", _OBJECT, "销毁", "destroying", ("无害化",)),
)

STEPS: Final = {name.step: name for name in _TABLE}

TITLES: Final = {name.step.value: name.zh for name in _TABLE}
"""What people read for a step, wherever they read it."""

WORDS: Final = {word: name.step for name in _TABLE for word in (name.zh, *name.words)}
"""Searched in this order: 屠宰加工 is a slaughter, 拆包装 no packing, 进货查验 a receipt."""
