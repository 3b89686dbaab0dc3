"""Market messages as canonical records and observations: one per line."""

from contracts.market import EntryTicketV1, OperatorSyncV1, SaleTicketV1, StallIn, StallSyncV1
from contracts.registry import Observation
from contracts.trace import Link, Record, Step
from contracts.wire import GoodsIn, PartyIn, ReceivedIn
from services.adapters import parts, records
from services.adapters.parts import Origin


def operator(origin: Origin, sync: OperatorSyncV1, line: PartyIn) -> Observation:
    """An operator of the market and the site it works from."""
    return records.observation(origin, line, link=Link.CIRCULATION)


def stall(origin: Origin, sync: StallSyncV1, line: StallIn) -> Observation:
    """A stall and who holds it."""
    return records.observation(origin, line, line.operator, link=Link.CIRCULATION)


def entry(origin: Origin, ticket: EntryTicketV1, line: ReceivedIn) -> Record:
    """进场登记: the stall receives goods."""
    site = parts.party(origin, ticket.stall, Link.CIRCULATION)
    kdes = {"origin": line.origin or ticket.origin, "market": _name(ticket.market)}
    return records.receipt(origin, ticket, line, site, ticket.supplier, kdes)


def sale(origin: Origin, ticket: SaleTicketV1, line: GoodsIn) -> Record:
    """一票通: a shipment to a named buyer, or a sale to the public."""
    site = parts.party(origin, ticket.stall, Link.CIRCULATION)
    step = Step.SHIPPING if ticket.buyer else Step.SELLING
    kdes = {"market": _name(ticket.market)}
    return records.handover(origin, ticket, line, site, ticket.buyer, step=step, kdes=kdes)


def _name(market: PartyIn | None) -> str | None:
    return market.name if market else None
