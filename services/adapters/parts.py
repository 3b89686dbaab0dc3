"""Parts of a legacy message turned into parts of a canonical record: sites, goods, papers."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from contracts import codes, identity, rules
from contracts.egress import FieldError
from contracts.envelope import Envelope
from contracts.fields import measure
from contracts.papers import form_of, kind_of
from contracts.trace import Document, Link, Lot, Party
from contracts.wire import CertificateIn, GoodsIn, PartyIn, ReceivedIn, Ticket


class Origin(NamedTuple):
    """Where a line comes from: its message's envelope, the source by the routing key, its number from 1."""

    envelope: Envelope
    source: str
    line: int


ABROAD: Final = frozenset({"境外", "国外", "进口"})
OUTSIDE: Final = ABROAD | {"省外", "外省"}
_DAYS: Final = {"": 1, "天": 1, "日": 1, "D": 1, "周": 7, "月": 30, "M": 30, "年": 365, "Y": 365}
_SHELF_LIFE: Final = re.compile(r"(\d{1,5})\s*(天|日|D|周|月|M|年|Y|)", re.ASCII)


def party(origin: Origin, given: PartyIn, link: Link | None = None) -> Party:
    """A site with its ids, by the strongest identifier given."""
    return Party(
        site=site_id(origin, given),
        operator=operator_id(origin, given),
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
    if not given:
        return None
    found = party(origin, given)
    external = _is_outside(given, site) and any(papers)
    abroad = given.region in ABROAD
    return found.model_copy(update={"external": external, "abroad": abroad}) if external or abroad else found


def _is_outside(given: PartyIn, site: Party) -> bool:
    if given.region:
        return given.region in OUTSIDE
    return bool(given.division and site.division and given.division[:2] != site.division[:2])


def issuer(given: Party) -> str | None:
    """Who gave a batch number: the operator by its USCC, as papers name a supplier; without one the site."""
    return given.operator if given.uscc else given.site


def papers(ticket: Ticket, goods: GoodsIn) -> tuple[Document, ...]:
    """The papers of the whole ticket and those of one line; one without a number documents nothing."""
    return tuple(_paper(paper, paper.number) for paper in (*ticket.certificates, *goods.certificates) if paper.number)


def _paper(given: CertificateIn, number: str) -> Document:
    measured = measure(given.quantity, given.unit) if given.quantity else None
    return Document(
        kind=kind_of(given.kind or "other"),
        number=number,
        form=form_of(given.form, given.kind),
        issuer=given.issuer,
        issued_on=given.issued_on,
        valid_until=given.valid_until,
        quantity=measured and measured.quantity,
        unit=measured and measured.unit,
    )


def lot(goods: GoodsIn, batch: str | None, ear_tags: tuple[str, ...] = ()) -> Lot:
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
        ear_tags=ear_tags,
    )


def shelf_life_days(words: str | None) -> int | None:
    """ "12个月" is 360 and "7天" is 7; None for what is no span of time."""
    match = _SHELF_LIFE.fullmatch((words or "").replace("个", "").upper())
    return int(match[1]) * _DAYS[match[2]] if match else None


def code_doubts(line: Any) -> Iterator[FieldError]:
    """Codes of goods that look wrong and are no part of a trace code, which is judged for itself."""
    for field, goods in _goods(line):
        if goods.gtin and codes.gtin_problem(goods.gtin) == "gtin_length":
            yield rules.error(f"{field}gtin", goods.gtin, "gtin_length")


def _goods(line: Any) -> Iterator[tuple[str, GoodsIn]]:
    """The goods of a line: itself, or those on its two sides."""
    if isinstance(line, GoodsIn):
        yield "", line
    for side in ("inputs", "outputs"):
        for place, goods in enumerate(getattr(line, side, ())):
            yield f"{side}[{place}].", goods


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


def _contact(given: PartyIn) -> str | None:
    return " ".join(part for part in (given.contact, given.phone) if part) or None


def site_id(origin: Origin, given: PartyIn) -> str | None:
    """The site's id by its strongest identifier."""
    return identity.site_id(
        licence=given.licence,
        uscc=given.uscc,
        local_number=given.local_number,
        id_number=given.id_number,
        source=origin.source,
        source_id=given.id,
    )


def operator_id(origin: Origin, given: PartyIn) -> str | None:
    """The id of who answers for the site."""
    return identity.operator_id(
        uscc=given.uscc,
        id_number=given.id_number,
        licence=given.licence,
        source=origin.source,
        source_id=given.id,
    )
