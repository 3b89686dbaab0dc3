"""Messages of self-built systems (自建系统) and the quarantine system: canonical records, identifiers for ids."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from contracts import steps
from contracts.fields import Text
from contracts.trace import Step
from contracts.wire import GoodsIn, Lines, OperatorIn, Parts, PartyIn, Ticket, Wire
from contracts.words import meant


def _step(value: Any) -> Step:
    if step := meant(Step, steps.WORDS, value):
        return step
    raise PydanticCustomError("unknown_step", "unknown step")


StepText = Annotated[Step, BeforeValidator(_step), WithJsonSchema({"type": "string"})]


class LotIn(GoodsIn):
    """Goods of one batch; `batch_no` counts as given by `issuer`, without one by the record's own site."""

    ear_tag: Text | None = Field(None, description="Of one animal (畜禽标识); its batch number where there is no other")
    ear_tags: Parts[Text] = Field((), description="Of the animals in the lot: 15 digits each")
    issuer: PartyIn | None = Field(None, description="Who gave the batch number, such as the supplier")


class RecordIn(Ticket):
    """One step of one batch: farming, harvest, making, packing, shipping, …; a clean-down names no goods."""

    step: StepText = Field(description="A step, by its English or Chinese name")
    site: OperatorIn
    counterparty: PartyIn | None = None
    production_line: Text | None = Field(None, description="Line or equipment at the site; what a clean-down cleaned")
    inputs: Parts[LotIn] = ()
    outputs: Parts[LotIn] = ()
    kdes: dict[Text, Text] = Field({}, max_length=50, description="Further key data elements, by name")


class CaptureV1(Wire):
    """`docking.capture.v1`: records of any step."""

    lines: Lines[RecordIn]


class ErrorIn(Wire):
    """What is wrong with a record of one's own that was accepted."""

    event_id: Text = Field(description="Of the wrong record, as its receipt told it")
    reason: Text
    corrections: Parts[Text] = Field((), description="Event ids of the records in its place; may be declared later")


class DeclareErrorsV1(Wire):
    """`docking.declare_errors.v1`: 更正声明. The record stays, and no longer counts."""

    lines: Lines[ErrorIn]


class OperatorSyncV1(Wire):
    """`docking.operator_sync.v1`: 主体同步."""

    lines: Lines[OperatorIn]
