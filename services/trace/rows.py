"""Events and sites as documents: written from records and facts, read back as what the domain works with. No I/O."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from bson import Decimal128

from contracts.registry import SiteFacts
from contracts.trace import Category, Document, Link, Lot, Party, Record, Step
from services.trace.entry import Entry, Known, gist
from services.trace.lineage import HANDOFFS, Event, Goods, Place, ends_of, site_of
from services.trace.sites import Row

Stored = dict[str, Any]
"""A document as the store holds it."""


def event_row(entry: Entry, correlation: str | None, recorded_at: datetime) -> Stored:
    """The immutable document of an event. Nodes are as the record named the sites; aliases are read, not written."""
    record = entry.record
    site, there = record.site.site or "", site_of(record.counterparty)
    lots = _lots(record)
    inputs, outputs = ends_of(
        record.step, site, there, [lot["batch"] for lot in lots["inputs"]], [lot["batch"] for lot in lots["outputs"]]
    )
    row = {
        "_id": entry.id,
        "source": record.source,
        "message_id": record.message_id,
        "line": record.line,
        "document": record.document,
        "step": record.step,
        "time": record.time,
        "sent_at": record.sent_at,
        "vehicle": record.vehicle,
        "correlation": correlation,
        "recorded_at": recorded_at,
        "site": site,
        "there": there,
        "operator": entry.operator,
        "division": entry.division,
        "link": record.site.link,
        "party": _told(record.site, _APART),
        "parties": _operators(entry),
        "inputs": inputs,
        "outputs": outputs,
        "lots": lots,
        "batches": list(entry.batches),
        "categories": list({lot.category: None for lot in (*record.inputs, *record.outputs)}),
        "flags": [flag.__dict__ for flag in entry.flags],
        "content": entry.content,
    }
    if record.counterparty:
        row["counterparty"] = _told(record.counterparty)
    if record.kdes:
        # The sender's own names must not become field names.
        row["kdes"] = [{"name": name, "value": value} for name, value in record.kdes.items()]
    if record.documents:
        row["documents"] = [_told(document) for document in record.documents]
    if entry.division is None:
        row["unplaced"] = site
    if entry.also_from:
        row["also_from"] = sorted(entry.also_from)
    return row


def _lots(record: Record) -> dict[str, list[Stored]]:
    """Handing over and taking over move the same lots unless told otherwise."""
    inputs, outputs = record.inputs, record.outputs
    if record.step in HANDOFFS:
        inputs, outputs = inputs or outputs, outputs or inputs
    first = [_lot(lot) for lot in inputs]
    return {"inputs": first, "outputs": first if inputs == outputs else [_lot(lot) for lot in outputs]}


def _lot(lot: Lot) -> Stored:
    row = {name: value for name, value in lot.__dict__.items() if value is not None}
    if lot.quantity is not None:
        row["quantity"] = _decimal128(lot.quantity)
    return row


@lru_cache(4096)
def _decimal128(quantity: Decimal) -> Decimal128:
    return Decimal128(quantity)


_APART: Final = frozenset({"site", "operator", "division", "link"})
"""What an event says of its own site beside, not in, `party`."""


def _told(part: Party | Document, apart: frozenset[str] = frozenset()) -> Stored:
    """The fields that are set, but for those kept apart; BSON knows no dates, so a day is text."""
    row = {name: value for name, value in part.__dict__.items() if value and name not in apart}
    for day in _DAYS & row.keys():
        row[day] = row[day].isoformat()
    return row


_DAYS: Final = frozenset({"licence_valid_until", "valid_until"})


def _operators(entry: Entry) -> list[str]:
    """Operators whose event this is: the site's and the counterparty's, by the record and by the registry."""
    party = entry.record.counterparty
    told = (
        entry.record.site.operator,
        entry.here.operator if entry.here else None,
        party.operator if party else None,
        entry.there.operator if entry.there else None,
    )
    return [operator for operator in dict.fromkeys(told) if operator]


def known(row: Mapping[str, Any]) -> Known:
    """An event on record as `domain.decide` needs it."""
    lots = [_goods(lot)[:3] for lot in (*row["lots"]["inputs"], *row["lots"]["outputs"])]
    return Known(
        row["_id"],
        row["source"],
        row["content"],
        gist(row["time"], lots),
        tuple(row["batches"]),
        frozenset(row.get("also_from", ())),
    )


def event(row: Mapping[str, Any]) -> Event:
    """An event on record as a walk needs it."""
    here = row["party"] | {name: row[name] for name in _APART}
    there = row.get("counterparty", {}) | {"site": row["there"]}
    lots = row["lots"]
    return Event(
        row["_id"],
        Step(row["step"]),
        row["time"],
        _place(here),
        _place(there),
        tuple(map(_goods, lots["inputs"])),
        tuple(map(_goods, lots["outputs"])),
        row.get("document"),
    )


def _goods(lot: Mapping[str, Any]) -> Goods:
    return Goods(
        lot["batch"],
        quantity_of(lot),
        lot.get("unit"),
        lot.get("product"),
        Category(lot["category"]),
    )


def quantity_of(lot: Mapping[str, Any]) -> Decimal | None:
    """A lot's quantity; None where it cannot be converted."""
    quantity: Decimal128 | None = lot.get("quantity")
    return _decimal(quantity.bid) if quantity is not None else None


@lru_cache(4096)
def _decimal(bid: bytes) -> Decimal:
    return Decimal128.from_bid(bid).to_decimal()


def _place(party: Mapping[str, Any]) -> Place:
    link = party.get("link")
    return Place(
        site=party["site"],
        name=party.get("name"),
        operator=party.get("operator"),
        division=party.get("division"),
        link=Link(link) if link else None,
        contact=party.get("contact"),
        external=party.get("external", False),
    )


def site(row: Mapping[str, Any]) -> Row:
    """A row of the registry's replica as a walk needs it; one that only names an alias has no place."""
    if "version" not in row:
        return Row(row["_id"], row.get("alias_of"))
    facts = SiteFacts.model_validate(row)
    place = Place(facts.site, facts.name, facts.operator, facts.operator_name, facts.division, facts.link)
    return Row(row["_id"], row.get("alias_of"), place)
