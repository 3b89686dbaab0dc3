"""Messages of the market app (菜场): stalls of a wholesale or retail market, what enters and what is sold."""

from pydantic import Field

from contracts.fields import Conclusion, Text
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


class SampledIn(GoodsIn):
    """Goods that were tested at a stall, and what the tester concludes."""

    stall: PartyIn | None = Field(None, description="Where the sample was taken, where the head names no stall")
    item: Text = Field(description="What was tested for, such as 有机磷和氨基甲酸酯类农药残留")
    method: Text | None = None
    qualified: Conclusion = Field(description="合格, 阴性, 未检出 or 不合格, 阳性, 超标")
    value: Text | None = Field(None, description="The reading as the tester wrote it")


class ResidueTestV1(Ticket):
    """`market.residue_test.v1`: 农残快检, the day's quick tests at the market's test point."""

    market: PartyIn | None = None
    stall: PartyIn | None = Field(None, description="The stall of all lines that name none")
    tester: Text | None = None
    lines: Lines[SampledIn]
