"""What the one-network app sends: type → model, mapping, and its word for the site that a record is of."""

from typing import Final

from contracts import one_network
from services.adapters.adapt import Format
from services.adapters.one_network import mapping

FORMATS: Final = {
    "one_network.operator_sync.v1": Format(one_network.OperatorSyncV1, mapping.operator),
    "one_network.delivery_note.v1": Format(one_network.DeliveryNoteV1, mapping.delivery, site="shipper"),
    "one_network.receipt.v1": Format(one_network.ReceiptV1, mapping.receipt, site="receiver"),
    "one_network.return_note.v1": Format(one_network.ReturnNoteV1, mapping.returned),
}
