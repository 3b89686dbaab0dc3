"""Messages of the catering app (餐安): canteens, group-meal distributors and central kitchens."""

from pydantic import Field

from contracts.fields import Text
from contracts.wire import GoodsIn, Lines, Parts, PartyIn, ReceivedIn, Ticket, Wire


class UnitIn(PartyIn):
    """A kitchen. A school's several canteens share its USCC and differ by licence or `local_number`."""

    unit_kind: Text | None = Field(None, description="学校食堂, 集体用餐配送单位 or 中央厨房")
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


class RawIn(GoodsIn):
    """Raw goods in a dish: `trace_code`, else the kitchen's own `in_batch`, else the supplier's `batch_no`."""

    in_batch: Text | None = None
    supplier: PartyIn | None = None


class DishIn(GoodsIn):
    """A batch of one dish or meal and what went into it; `batch_no` is the kitchen's."""

    meal: Text | None = Field(None, description="早餐, 午餐, 晚餐")
    raws: Parts[RawIn] = ()


class KitchenUseV1(Ticket):
    """`catering.kitchen_use.v1`: 加工制作, raw batches become a meal batch; one dish is one record."""

    site: PartyIn
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
