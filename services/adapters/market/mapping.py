"""Market messages as canonical records, observations and tests: one per line."""

from typing import Final

from contracts import identity
from contracts.inspection import TestKind, TestResult
from contracts.market import (
    EntryTicketV1,
    OperatorSyncV1,
    ResidueTestV1,
    SaleTicketV1,
    SampledIn,
    StallIn,
    StallSyncV1,
)
from contracts.registry import Observation
from contracts.trace import Link, Record, Step
from contracts.wire import GoodsIn, PartyIn, ReceivedIn
from services.adapters import parts, records
from services.adapters.parts import Origin

CLENBUTEROL: Final = ("瘦肉精", "克伦特罗", "莱克多巴胺", "沙丁胺醇")
"""Words for beta-agonists in an item tested for."""


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


def test(origin: Origin, sheet: ResidueTestV1, line: SampledIn) -> TestResult:
    """农残快检: one sample of the test point's sheet; clenbuterol is told by its item."""
    stall = line.stall or sheet.stall or PartyIn()
    site = parts.party(origin, stall, Link.CIRCULATION)
    clenbuterol = any(word in line.item for word in CLENBUTEROL)
    return TestResult(
        id=identity.record_id(
            document=sheet.document_no,
            line=origin.line,
            site=site.site,
            step="test",
            source=origin.source,
            message_id=origin.envelope.id,
        ),
        source=origin.source,
        message_id=origin.envelope.id,
        line=origin.line,
        kind=TestKind.CLENBUTEROL_QUICK if clenbuterol else TestKind.RESIDUE_QUICK,
        item=line.item,
        method=line.method,
        site=site.site or "",
        operator=site.operator,
        site_name=site.name,
        division=site.division,
        batch=parts.batch(line, site) if site.site else None,
        product=line.product,
        category=line.category,
        qualified=line.qualified,
        value=line.value,
        tested_at=sheet.time,
        tester=sheet.tester,
    )


def _name(market: PartyIn | None) -> str | None:
    return market.name if market else None
