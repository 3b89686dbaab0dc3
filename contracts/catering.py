"""Messages of the catering app (餐安): canteens, group-meal distributors and central kitchens."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from contracts.fields import Text
from contracts.registry import UnitKind
from contracts.wire import GoodsIn, Lines, Parts, PartyIn, ReceivedIn, Ticket, Wire
from contracts.words import meant

_UNIT_KIND_WORDS: Final = {
    "学校": UnitKind.SCHOOL_CANTEEN,
    "幼儿园": UnitKind.SCHOOL_CANTEEN,
    "托幼": UnitKind.SCHOOL_CANTEEN,
    "集体用餐": UnitKind.GROUP_MEAL,
    "配送": UnitKind.GROUP_MEAL,
    "中央厨房": UnitKind.CENTRAL_KITCHEN,
}


def _unit_kind(value: Any) -> UnitKind | None:
    return meant(UnitKind, _UNIT_KIND_WORDS, value)


UnitKindText = Annotated[UnitKind | None, BeforeValidator(_unit_kind), WithJsonSchema({"type": "string"})]


class UnitIn(PartyIn):
    """A kitchen. A school's several canteens share its USCC and differ by licence or `local_number`."""

    unit_kind: UnitKindText = Field(None, description="学校食堂, 集体用餐配送单位 or 中央厨房")
    operator: PartyIn | None = Field(None, description="Who runs it, where the unit's own fields don't say")


class UnitSyncV1(Wire):
    """`catering.unit_sync.v1`: 餐饮单位同步."""

    lines: Lines[UnitIn]


class PurchaseInspectionV1(Ticket):
    """`catering.purchase_inspection.v1`: 进货查验."""

    site: PartyIn
    supplier: PartyIn | None = None
    inspector: Text | None = None
    origin: Text | None = None
    lines: Lines[ReceivedIn]


class RawIn(ReceivedIn):
    """Raw goods in a dish: `trace_code`, else the kitchen's own `in_batch`, else the supplier's `batch_no`."""

    supplier: PartyIn | None = None


class DishIn(GoodsIn):
    """A batch of one dish or meal and what went into it; `batch_no` is the kitchen's."""

    meal: Text | None = Field(None, description="早餐, 午餐, 晚餐")
    inputs: Parts[RawIn] = Field((), description="Raw goods that went into it")


class KitchenUseV1(Ticket):
    """`catering.kitchen_use.v1`: 加工制作, raw batches become a meal batch; one dish is one record."""

    site: PartyIn
    production_line: Text | None = Field(None, description="Line or equipment of the kitchen, such as a cold-dish room")
    lines: Lines[DishIn]


class SampleIn(GoodsIn):
    """A sample kept of a meal batch: at least 125 g."""

    meal: Text | None = None
    kept_until: Text | None = Field(None, description="48 hours or more after it was taken")
    sampled_by: Text | None = None


class RetainedSampleV1(Ticket):
    """`catering.retained_sample.v1`: 食品留样."""

    site: PartyIn
    lines: Lines[SampleIn]


class MealIn(GoodsIn):
    """Meals of one batch for one place."""

    consignee: PartyIn | None = None
    meal: Text | None = None
    diners: Text | None = None


class MealDistributionV1(Ticket):
    """`catering.meal_distribution.v1`: 配送, meals on their way to schools and sites."""

    site: PartyIn
    lines: Lines[MealIn]
