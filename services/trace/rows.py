"""Events and sites as documents: written from records and facts, read back as what the domain works with. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Final

from bson import Decimal128

from chassis.clock import in_milliseconds
from contracts.trace import Category, Document, Link, Lot, Party, Record, Step
from services.trace.entry import Entry, Known, gist
from services.trace.lineage import HANDOFFS, Event, Goods, Place, ends_of, site_of
from services.trace.sites import Row

Stored = dict[str, Any]
"""A document as the store holds it."""


def event_row(entry: Entry, correlation: str | None, recorded_at: datetime) -> Stored:
    """The immutable document of an event. Nodes are as the record named the sites; aliases are read, not written."""
    record, told = entry.record, _told_of(entry.record)
    batches = [[lot["batch"] for lot in lots] for lots in lots_of(told)]
    inputs, outputs = ends_of(record.step, told["site"], told["there"], *batches)
    row = {
        "_id": entry.id,
        "source": record.source,
        "message_id": record.message_id,
        "line": record.line,
        "sent_at": record.sent_at,
        "correlation": correlation,
        "recorded_at": recorded_at,
        "operator": entry.operator,
        "division": entry.division,
        "parties": _operators(entry),
        "inputs": inputs,
        "outputs": outputs,
        "batches": list(entry.batches),
        "categories": list(entry.categories),
        "flags": [flag.__dict__ for flag in entry.flags],
        **told,
    }
    if entry.division is None:
        row["unplaced"] = told["site"]
    if entry.also_from:
        row["also_from"] = sorted(entry.also_from)
    return row


def _told_of(record: Record) -> Stored:
    """What a record says of what happened, whoever says it, as its event keeps it."""
    party = record.counterparty
    told: Stored = {
        "document": record.document,
        "step": record.step,
        "time": record.time,
        "vehicle": record.vehicle,
        "site": record.site.site or "",
        "there": site_of(party),
        "link": record.site.link,
        "party": _told(record.site, _APART),
        "lots": _lots(record),
    }
    if record.production_line:
        told["production_line"] = record.production_line
    if party:
        told["counterparty"] = _told(party)
    if record.kdes:
        # The sender's own names must not become field names.
        told["kdes"] = [{"name": name, "value": value} for name, value in record.kdes.items()]
    if record.documents:
        told["documents"] = [_told(document) for document in record.documents]
    return told


TOLD: Final = (
    "document",
    "step",
    "time",
    "vehicle",
    "site",
    "there",
    "link",
    "party",
    "lots",
    "counterparty",
    "production_line",
    "kdes",
    "documents",
)
"""The fields of an event that say what happened; the others say who told it, and what trace makes of it."""


def _says(stored: Stored, record: Record) -> bool:
    """Whether a record says what these fields of an event do. What is not set, as later additions are, says nothing."""
    return _told_of(record) | {"time": in_milliseconds(record.time)} == stored


def _lots(record: Record) -> dict[str, list[Stored]]:
    """Handing over and taking over move the same lots unless told otherwise; such lots are kept once."""
    inputs, outputs = record.inputs, record.outputs
    if record.step in HANDOFFS:
        inputs, outputs = inputs or outputs, outputs or inputs
    lots = {"inputs": [_lot(lot) for lot in inputs]}
    if inputs is not outputs and _plain(inputs) != _plain(outputs):
        lots["outputs"] = [_lot(lot) for lot in outputs]
    return lots


def _plain(lots: Sequence[Lot]) -> list[dict[str, Any]]:
    """Compared ten times faster than models."""
    return [lot.__dict__ for lot in lots]


def lots_of(row: Mapping[str, Any]) -> tuple[list[Stored], list[Stored]]:
    """An event's lots that went in and that came out."""
    lots = row["lots"]
    return lots["inputs"], lots.get("outputs", lots["inputs"])


def _lot(lot: Lot) -> Stored:
    row = {name: value for name, value in lot.__dict__.items() if value is not None}
    if lot.quantity is not None:
        row["quantity"] = _decimal128(lot.quantity)
    if lot.ear_tags:
        row["ear_tags"] = list(lot.ear_tags)
    else:
        del row["ear_tags"]
    return row


@lru_cache(4096)
def _decimal128(quantity: Decimal) -> Decimal128:
    return Decimal128(quantity)


_APART: Final = frozenset({"site", "operator", "division", "link"})
"""What an event says of its own site beside, not in, `party`."""


def _told(part: Party | Document, apart: frozenset[str] = frozenset()) -> Stored:
    """The fields that are set, but for those kept apart; BSON knows no dates, so a day is text."""
    row = {name: value for name, value in part.__dict__.items() if value and name not in apart}
    if "quantity" in row:
        row["quantity"] = _decimal128(row["quantity"])
    for day in _DAYS:
        if day in row:
            row[day] = row[day].isoformat()
    return row


_DAYS: Final = ("licence_valid_until", "issued_on", "valid_until")


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
    lots = [_goods(lot)[:3] for lots in lots_of(row) for lot in lots]
    return Known(
        row["_id"],
        row["source"],
        partial(_says, {name: row[name] for name in TOLD if name in row}),
        gist(row["time"], lots),
        tuple(row["batches"]),
        frozenset(row.get("also_from", ())),
    )


def event(row: Mapping[str, Any]) -> Event:
    """An event on record as a walk needs it."""
    inputs, outputs = lots_of(row)
    taken = tuple(map(_goods, inputs))
    return Event(
        row["_id"],
        _STEPS[row["step"]],
        row["time"],
        _place(row["site"], row["party"], row),
        _place(row["there"], other := row.get("counterparty", _NOBODY), other),
        taken,
        taken if outputs is inputs else tuple(map(_goods, outputs)),
        row.get("document"),
    )


_NOBODY: Final[Stored] = {}


def _goods(lot: Mapping[str, Any]) -> Goods:
    return Goods(
        lot["batch"],
        quantity_of(lot),
        lot.get("unit"),
        lot.get("product"),
        _CATEGORIES[lot["category"]],
    )


def quantity_of(lot: Mapping[str, Any]) -> Decimal | None:
    """A lot's quantity; None where it cannot be converted."""
    quantity: Decimal128 | None = lot.get("quantity")
    return _decimal(quantity.bid) if quantity is not None else None


@lru_cache(4096)
def _decimal(bid: bytes) -> Decimal:
    return Decimal128.from_bid(bid).to_decimal()


def _place(site: str, party: Mapping[str, Any], apart: Mapping[str, Any]) -> Place:
    """A side of an event; `apart` holds who answers for it and where it is."""
    link = apart.get("link")
    return Place(
        site,
        party.get("name"),
        apart.get("operator"),
        None,
        apart.get("division"),
        _LINKS[link] if link else None,
        party.get("contact"),
        party.get("external", False),
    )


# Looking a value up takes a tenth of the time that its enumeration takes.
_STEPS: Final = {step.value: step for step in Step}
_LINKS: Final = {link.value: link for link in Link}
_CATEGORIES: Final = {category.value: category for category in Category}


def site(row: Mapping[str, Any]) -> Row:
    """A row of the registry's replica as a walk needs it; one that only names an alias has no place."""
    if "version" not in row:
        return Row(row["_id"], row.get("alias_of"))
    link = row.get("link")
    place = Place(
        row["site"],
        row["name"],
        row["operator"],
        row["operator_name"],
        row.get("division"),
        _LINKS[link] if link else None,
    )
    return Row(row["_id"], row.get("alias_of"), place)
