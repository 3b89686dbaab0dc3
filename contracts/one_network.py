"""Messages of the one-network app (一网通): producers and traders, what they deliver, receive and return."""

from pydantic import Field

from contracts.fields import Text
from contracts.wire import GoodsIn, Lines, OperatorIn, PartyIn, ReceivedIn, Ticket, Wire


class OperatorSyncV1(Wire):
    """`one_network.operator_sync.v1`: 主体同步."""

    lines: Lines[OperatorIn]


class DeliveryNoteV1(Ticket):
    """`one_network.delivery_note.v1`: 送货单."""

    shipper: OperatorIn
    consignee: PartyIn | None = None
    lines: Lines[GoodsIn]


class ReceiptV1(Ticket):
    """`one_network.receipt.v1`: 收货单."""

    receiver: OperatorIn
    supplier: PartyIn | None = None
    delivery_no: Text | None = Field(None, description="Number of the supplier's delivery note")
    origin: Text | None = None
    lines: Lines[ReceivedIn]


class ReturnNoteV1(Ticket):
    """`one_network.return_note.v1`: 退货单; `batch_no` is the supplier's unless `in_batch` names the own code."""

    site: OperatorIn
    supplier: PartyIn | None = None
    reason: Text | None = None
    lines: Lines[ReceivedIn]
