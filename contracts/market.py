"""Messages of the market app (菜场): stalls of a wholesale or retail market, what enters and what is sold."""

from pydantic import Field

from contracts.fields import Text
from contracts.wire import GoodsIn, Lines, PartyIn, ReceivedIn, Ticket, Wire


class OperatorSyncV1(Wire):
    """`market.operator_sync.v1`: 经营者同步."""

    market: PartyIn | None = None
    lines: Lines[PartyIn] = Field(description="Operators as the market knows them")


class StallIn(PartyIn):
    """A stall; its `id` is the stall number."""

    operator: PartyIn | None = Field(None, description="Who holds the stall, where the stall's own fields don't say")


class StallSyncV1(Wire):
    """`market.stall_sync.v1`: 摊位同步."""

    market: PartyIn | None = None
    lines: Lines[StallIn]


class EntryTicketV1(Ticket):
    """`market.entry_ticket.v1`: 进场登记, goods entering the market for one stall."""

    market: PartyIn | None = None
    stall: PartyIn
    supplier: PartyIn | None = None
    origin: Text | None = Field(None, description="Where the goods were grown or made, for all lines")
    lines: Lines[ReceivedIn]


class SaleTicketV1(Ticket):
    """`market.sale_ticket.v1`: 一票通, one stall's sale; with a named buyer a shipment, else a sale to the public."""

    market: PartyIn | None = None
    stall: PartyIn
    buyer: PartyIn | None = None
    lines: Lines[GoodsIn]
