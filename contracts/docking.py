"""Messages of self-built systems (自建系统) and the quarantine system: canonical records, identifiers for ids."""

from pydantic import Field

from contracts.fields import Text
from contracts.one_network import OperatorIn
from contracts.wire import GoodsIn, Lines, Parts, PartyIn, Ticket, Wire


class LotIn(GoodsIn):
    """Goods of one batch; `batch_no` counts as given by `issuer`, without one by the record's own site."""

    issuer: PartyIn | None = Field(None, description="Who gave the batch number, such as the supplier")


class RecordIn(Ticket):
    """One step of one batch: farming, harvest, making, packing, shipping, …"""

    step: Text = Field(description="A step, by its English or Chinese name")
    site: PartyIn
    counterparty: PartyIn | None = None
    inputs: Parts[LotIn] = ()
    outputs: Parts[LotIn] = ()
    kdes: dict[str, Text] = Field({}, description="Further key data elements, by name")


class CaptureV1(Wire):
    """`docking.capture.v1`: records of any step."""

    lines: Lines[RecordIn]


class OperatorSyncV1(Wire):
    """`docking.operator_sync.v1`: 主体同步."""

    lines: Lines[OperatorIn]
