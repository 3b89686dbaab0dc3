"""What the mappings share: parts of a legacy message turned into parts of a canonical record or observation."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from contracts import codes, identity, rules
from contracts.egress import FieldError
from contracts.envelope import Envelope
from contracts.fields import measure
from contracts.registry import Observation, UnitKind
from contracts.trace import Document, Link, Lot, Party, Record, Step
from contracts.wire import CertificateIn, GoodsIn, PartyIn, ReceivedIn, Ticket


class Origin(NamedTuple):
    """Where a line comes from: its message's envelope, the source by the routing key, its number from 1."""

    envelope: Envelope
    source: str
    line: int


CERTIFICATES: Final = (
    ("import", ("进口", "入境", "报关", "海关")),
    ("quarantine", ("检疫",)),
    ("inspection", ("检验", "检测", "快检")),
    ("conformity", ("合格证",)),
)
"""Kind of paper, and what its Chinese name contains; searched in this order (检疫合格证明 is no 合格证)."""

OUTSIDE: Final = frozenset({"省外", "外省", "境外", "国外", "进口"})
_DAYS: Final = {"": 1, "天": 1, "日": 1, "D": 1, "周": 7, "月": 30, "M": 30, "年": 365, "Y": 365}
_SHELF_LIFE: Final = re.compile(r"(\d{1,5})\s*(天|日|D|周|月|M|年|Y|)", re.ASCII)


def party(origin: Origin, given: PartyIn, link: Link | None = None) -> Party:
    """A site with its ids, by the strongest identifier given."""
    return Party(
        site=_site_id(origin, given),
        operator=_operator_id(origin, given),
        name=given.name,
        address=given.address,
        contact=_contact(given),
        uscc=given.uscc and codes.compact(given.uscc),
        licence=given.licence and codes.compact(given.licence),
        licence_valid_until=given.licence_valid_until,
        division=given.division,
        link=link,
    )


def other(origin: Origin, given: PartyIn | None, site: Party, papers: Iterable[Document]) -> Party | None:
    """The counterparty; one outside the province is external when a paper documents the goods."""
    if given is None:
        return None
    found = party(origin, given)
    return found.model_copy(update={"external": True}) if _is_outside(given, site) and any(papers) else found


def _is_outside(given: PartyIn, site: Party) -> bool:
    if given.region:
        return given.region in OUTSIDE
    return bool(given.division and site.division and given.division[:2] != site.division[:2])


def issuer(given: Party) -> str | None:
    """Who gave a batch number: the operator by its USCC, as papers name a supplier; without one the site."""
    return given.operator if given.uscc else given.site


def papers(ticket: Ticket, goods: GoodsIn) -> tuple[Document, ...]:
    """The papers of the whole ticket and those of one line; one without a number documents nothing."""
    return tuple(
        Document(kind=paper_kind(paper), number=paper.number, issuer=paper.issuer, valid_until=paper.valid_until)
        for paper in (*ticket.certificates, *goods.certificates)
        if paper.number
    )


def paper_kind(paper: CertificateIn) -> str:
    """The platform's word for a kind of paper, or the sender's where there is none."""
    name = paper.kind or "other"
    return next((kind for kind, words in CERTIFICATES if any(word in name for word in words)), name)


def lot(goods: GoodsIn, batch: str | None) -> Lot:
    """Goods under a trace code; an empty one is refused by the rules."""
    measured = measure(goods.quantity, goods.unit) if goods.quantity else None
    return Lot(
        batch=batch or "",
        product=goods.product,
        specification=goods.specification,
        category=goods.category,
        quantity=measured and measured.quantity,
        unit=measured and measured.unit,
        quantity_text=measured and measured.text,
        produced_on=goods.produced_on,
        shelf_life_days=shelf_life_days(goods.shelf_life),
    )


def shelf_life_days(words: str | None) -> int | None:
    """ "12个月" is 360 and "7天" is 7; None for what is no span of time."""
    match = _SHELF_LIFE.fullmatch((words or "").replace("个", "").upper())
    return int(match[1]) * _DAYS[match[2]] if match else None


def batch(goods: GoodsIn, *issuers: Party | None) -> str | None:
    """The trace code of goods: the one given, else by batch number and the first issuer that is known."""
    by = next((found for known in issuers if known and (found := issuer(known))), None)
    return identity.batch_code(trace_code=goods.trace_code, gtin=goods.gtin, lot=goods.batch_no, issuer=by)


def held_batch(goods: ReceivedIn, site: Party, supplier: Party | None) -> str | None:
    """The trace code that goods taken in go by: the one given, the site's own, else the supplier's."""
    if goods.in_batch and not goods.trace_code:
        return own_batch(goods.in_batch, site)
    return batch(goods, supplier, site)


def own_batch(number: str | None, site: Party) -> str | None:
    """The trace code of a batch number that the site itself gave to goods it took in."""
    return identity.batch_code(lot=number, issuer=issuer(site))


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
    documents = papers(ticket, goods)
    sender = other(origin, supplier, site, documents)
    theirs, ours = batch(goods, sender, site), own_batch(goods.in_batch, site)
    return record(
        origin,
        ticket,
        Step.RECEIVING,
        site,
        counterparty=sender,
        inputs=(lot(goods, theirs),) if theirs or not ours else (),
        outputs=(lot(goods, ours or theirs),),
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
    documents = papers(ticket, goods)
    lots = (lot(goods, code or batch(goods, site)),)
    return record(
        origin,
        ticket,
        step,
        site,
        counterparty=other(origin, to, site, documents),
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
    site_id = _site_id(origin, site) or ""
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
        operator=_operator_id(origin, answering) or _operator_id(origin, site) or "",
        name=answering.name or site.name or "",
        site_name=site.name,
        uscc=answering.uscc and codes.compact(answering.uscc),
        id_number=answering.id_number and codes.compact(answering.id_number),
        licence=site.licence and codes.compact(site.licence),
        address=site.address,
        contact=site.contact or answering.contact,
        phone=site.phone or answering.phone,
        division=site.division,
        link=link,
        unit_kind=unit_kind,
    )


def _contact(given: PartyIn) -> str | None:
    return " ".join(part for part in (given.contact, given.phone) if part) or None


def _site_id(origin: Origin, given: PartyIn) -> str | None:
    return identity.site_id(
        licence=given.licence,
        uscc=given.uscc,
        local_number=given.local_number,
        id_number=given.id_number,
        source=origin.source,
        source_id=given.id,
    )


def _operator_id(origin: Origin, given: PartyIn) -> str | None:
    return identity.operator_id(
        uscc=given.uscc,
        id_number=given.id_number,
        licence=given.licence,
        source=origin.source,
        source_id=given.id,
    )
