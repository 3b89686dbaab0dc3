"""Messages of self-built systems (自建系统) and the quarantine system: canonical records, identifiers for ids."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from contracts.fields import Text
from contracts.trace import Step
from contracts.wire import GoodsIn, Lines, OperatorIn, Parts, PartyIn, Ticket, Wire
from contracts.words import meant

_STEP_WORDS: Final = {
    "种植": Step.FARMING,
    "养殖": Step.FARMING,
    "采收": Step.HARVEST,
    "捕捞": Step.HARVEST,
    "收购": Step.PURCHASE,
    "储存": Step.STORING,
    "贮存": Step.STORING,
    "入库": Step.STORING,
    "运输": Step.TRANSPORT,
    "生产": Step.MAKING,
    "加工": Step.MAKING,
    "屠宰": Step.MAKING,
    "包装": Step.PACKING,
    "分装": Step.PACKING,
    "发货": Step.SHIPPING,
    "出库": Step.SHIPPING,
    "收货": Step.RECEIVING,
    "验收": Step.RECEIVING,
    "进货": Step.RECEIVING,
    "销售": Step.SELLING,
    "零售": Step.SELLING,
    "烹饪": Step.KITCHEN_USE,
    "制作": Step.KITCHEN_USE,
    "留样": Step.RETAINED_SAMPLE,
    "退货": Step.RETURNING,
    "销毁": Step.DESTROYING,
    "无害化": Step.DESTROYING,
}


def _step(value: Any) -> Step:
    if step := meant(Step, _STEP_WORDS, value):
        return step
    raise PydanticCustomError("unknown_step", "unknown step")


StepText = Annotated[Step, BeforeValidator(_step), WithJsonSchema({"type": "string"})]


class LotIn(GoodsIn):
    """Goods of one batch; `batch_no` counts as given by `issuer`, without one by the record's own site."""

    ear_tag: Text | None = Field(None, description="Of one animal (畜禽标识); its batch number where there is no other")
    issuer: PartyIn | None = Field(None, description="Who gave the batch number, such as the supplier")


class RecordIn(Ticket):
    """One step of one batch: farming, harvest, making, packing, shipping, …"""

    step: StepText = Field(description="A step, by its English or Chinese name")
    site: OperatorIn
    counterparty: PartyIn | None = None
    inputs: Parts[LotIn] = ()
    outputs: Parts[LotIn] = ()
    kdes: dict[Text, Text] = Field({}, max_length=50, description="Further key data elements, by name")


class CaptureV1(Wire):
    """`docking.capture.v1`: records of any step."""

    lines: Lines[RecordIn]


class OperatorSyncV1(Wire):
    """`docking.operator_sync.v1`: 主体同步."""

    lines: Lines[OperatorIn]
