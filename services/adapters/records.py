"""What the mappings share: one line of a message as a canonical record or observation."""

from collections.abc import Mapping

from contracts import codes, identity, rules
from contracts.egress import FieldError
from contracts.registry import Observation, UnitKind
from contracts.trace import Document, Link, Lot, Party, Record, Step
from contracts.wire import GoodsIn, PartyIn, ReceivedIn, Ticket
from services.adapters import parts
from services.adapters.parts import Origin


def record(
    origin: Origin,
    ticket: Ticket,
    step: Step,
    site: Party,
    *,
    counterparty: Party | None = None,
    inputs: tuple[Lot, ...] = (),
    outputs: tuple[Lot, ...] = (),
    documents: tuple[Document, ...] = (),
    production_line: str | None = None,
    kdes: Mapping[str, str | None] | None = None,
) -> Record:
    """One line of a ticket as a record; key data elements that were not given are left out.

    A raw material without a batch does not undo the batch made of it: it is left out and flagged.
    """
    message_id = origin.envelope.id
    nameless = [place for place, lot in enumerate(inputs) if not lot.batch] if any(lot.batch for lot in outputs) else []
    return Record(
        id=identity.record_id(
            document=ticket.document_no,
            line=origin.line,
            site=site.site,
            step=step,
            source=origin.source,
            message_id=message_id,
        ),
        source=origin.source,
        message_id=message_id,
        line=origin.line,
        document=ticket.document_no,
        step=step,
        time=ticket.time,
        sent_at=origin.envelope.time,
        site=site,
        counterparty=counterparty,
        inputs=tuple(lot for place, lot in enumerate(inputs) if place not in nameless) if nameless else inputs,
        outputs=outputs,
        documents=documents,
        vehicle=ticket.vehicle,
        production_line=production_line,
        kdes={name: words for name, words in (kdes or {}).items() if words},
        flags=tuple(_nameless(place, inputs[place]) for place in nameless),
    )


def _nameless(place: int, raw: Lot) -> FieldError:
    where = f"inputs[{place}].batch"
    return rules.error(where, raw.product, "kde_missing", zh="批次", en="batch", clause="NY/T 4712-2025")


def receipt(
    origin: Origin,
    ticket: Ticket,
    goods: ReceivedIn,
    site: Party,
    supplier: PartyIn | None,
    kdes: Mapping[str, str | None],
) -> Record:
    """Goods taken in under the supplier's batch, and from then on under the receiver's own where it gives one.

    A batch number of a supplier that nothing identifies counts as the receiver's own.
    """
    documents = parts.papers(ticket, goods)
    sender = parts.other(origin, supplier, site, documents)
    theirs, ours = parts.batch(goods, sender, site), parts.own_batch(goods.in_batch, site)
    return record(
        origin,
        ticket,
        Step.RECEIVING,
        site,
        counterparty=sender,
        inputs=(parts.lot(goods, theirs),) if theirs or not ours else (),
        outputs=(parts.lot(goods, ours or theirs),),
        documents=documents,
        kdes=kdes,
    )


def handover(
    origin: Origin,
    ticket: Ticket,
    goods: GoodsIn,
    site: Party,
    to: PartyIn | None,
    *,
    step: Step = Step.SHIPPING,
    code: str | None = None,
    kdes: Mapping[str, str | None] | None = None,
) -> Record:
    """Goods that leave the site under the batch they had there: its own unless `code` says another."""
    documents = parts.papers(ticket, goods)
    lots = (parts.lot(goods, code or parts.batch(goods, site)),)
    return record(
        origin,
        ticket,
        step,
        site,
        counterparty=parts.other(origin, to, site, documents),
        inputs=lots,
        outputs=lots,
        documents=documents,
        kdes=kdes,
    )


def observation(
    origin: Origin,
    site: PartyIn,
    operator: PartyIn | None = None,
    *,
    link: Link | None = None,
    unit_kind: UnitKind | None = None,
) -> Observation:
    """A site and its operator, who is read from the site's own fields where `operator` is not given."""
    answering = operator or site
    site_id = parts.site_id(origin, site) or ""
    return Observation(
        id=identity.record_id(
            document=None,
            line=origin.line,
            site=site_id,
            step="observe",
            source=origin.source,
            message_id=origin.envelope.id,
        ),
        source=origin.source,
        source_id=site.id or site_id,
        message_id=origin.envelope.id,
        line=origin.line,
        observed_at=origin.envelope.time,
        site=site_id,
        operator=parts.operator_id(origin, answering) or parts.operator_id(origin, site) or "",
        name=answering.name or site.name or "",
        site_name=site.name,
        uscc=answering.uscc and codes.compact(answering.uscc),
        id_number=answering.id_number and codes.compact(answering.id_number),
        licence=site.licence and codes.compact(site.licence),
        licence_valid_until=site.licence_valid_until,
        address=site.address,
        contact=site.contact or answering.contact,
        phone=site.phone or answering.phone,
        division=site.division,
        link=link,
        unit_kind=unit_kind,
    )
