"""Messages of the one-network app (一网通): producers and traders, what they deliver, receive and return."""

from pydantic import Field

from contracts.fields import Text
from contracts.wire import GoodsIn, Lines, PartyIn, ReceivedIn, Ticket, Wire


class OperatorIn(PartyIn):
    """An operator, or one site of it."""

    link: Text | None = Field(None, description="生产, 流通, 餐饮 or 特食")


class OperatorSyncV1(Wire):
    """`one_network.operator_sync.v1`: 主体同步."""

    lines: Lines[OperatorIn]


class DeliveryNoteV1(Ticket):
    """`one_network.delivery_note.v1`: 送货单."""

    shipper: PartyIn
    consignee: PartyIn | None = None
    lines: Lines[GoodsIn]


class ReceiptV1(Ticket):
    """`one_network.receipt.v1`: 收货单."""

    receiver: PartyIn
    supplier: PartyIn | None = None
    delivery_no: Text | None = Field(None, description="Number of the supplier's delivery note")
    origin: Text | None = None
    lines: Lines[ReceivedIn]


class ReturnNoteV1(Ticket):
    """`one_network.return_note.v1`: 退货单; `batch_no` is the supplier's unless `in_batch` names the own code."""

    site: PartyIn
    supplier: PartyIn | None = None
    reason: Text | None = None
    lines: Lines[ReceivedIn]
