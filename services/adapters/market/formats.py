"""What the market app sends: type → model, mapping, and its word for the site that a record is of."""

from typing import Final

from contracts import market
from services.adapters.adapt import Format
from services.adapters.market import mapping

FORMATS: Final = {
    "market.operator_sync.v1": Format(market.OperatorSyncV1, mapping.operator),
    "market.stall_sync.v1": Format(market.StallSyncV1, mapping.stall),
    "market.entry_ticket.v1": Format(market.EntryTicketV1, mapping.entry, site="stall"),
    "market.sale_ticket.v1": Format(market.SaleTicketV1, mapping.sale, site="stall"),
    "market.residue_test.v1": Format(market.ResidueTestV1, mapping.test, site="stall"),
}
