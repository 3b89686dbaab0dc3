"""Events and sites as documents: written from records and facts, read back as what the domain works with. No I/O."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from bson import Decimal128

from contracts import codes
from contracts.trace import Category, Link, Record, Step
from services.trace.entry import Entry, Known, gist
from services.trace.lineage import Event, Goods, Place, day_of, ends_of, pairs_of
from services.trace.sites import Row
from services.trace.told import APART, TOLD, Stored, told_of


def event_row(entry: Entry, correlation: str | None, recorded_at: datetime) -> Stored:
    """The immutable document of an event. Nodes are as the record named the sites; aliases are read, not written."""
    record, told = entry.record, _written(told_of(entry.record))
    taken, given = ([lot["batch"] for lot in lots] for lots in lots_of(told))
    said = record.step, told["site"], told["there"], taken, given
    inputs, outputs = ends_of(*said)
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
        "day": day_of(record.time),
        "batches": list(entry.batches),
        "categories": list(entry.categories),
        "flags": [flag.__dict__ for flag in entry.flags],
        **told,
    }
    if pairs := pairs_of(*said, (inputs, outputs)):
        row["pairs"] = pairs
    if abroad := _abroad(told):
        row["abroad"] = abroad
    if references := _references(told):
        row["references"] = references
    if entry.division is None:
        row |= {"unplaced": told["site"], "placed_later": True}
    if entry.also_from:
        row["also_from"] = sorted(entry.also_from)
    return row


def _abroad(told: Stored) -> list[str]:
    """Sites that the event says lie outside the province, documented."""
    sides = ((told["site"], told["party"]), (told["there"], told.get("counterparty", _NOBODY)))
    return [site for site, party in sides if party.get("external")]


def _written(told: Stored) -> Stored:
    """BSON has a decimal of its own."""
    for part in _measured(told):
        part["quantity"] = decimal128(part["quantity"])
    return told


def _measured(told: Mapping[str, Any]) -> Iterator[Stored]:
    """The goods and papers whose quantity is known."""
    parts = chain(*told["lots"].values(), told.get("documents", ()))
    return (part for part in parts if part.get("quantity") is not None)


@lru_cache(4096)
def decimal128(quantity: Decimal) -> Decimal128:
    """BSON's decimal."""
    return Decimal128(quantity)


def _said(row: Mapping[str, Any]) -> Stored:
    """What an event says, as `told.said_by` has it from its record."""
    told = deepcopy({name: row[name] for name in TOLD if name in row})
    for part in _measured(told):
        part["quantity"] = quantity_of(part)
    return told


def record(row: Mapping[str, Any]) -> Record:
    """The record that an event's document was made of; the registry's word on operator and division may be in it."""
    said = _said(row)
    inputs, outputs = lots_of(said)
    site = said["party"] | {name: row[name] for name in APART}
    kdes = {kde["name"]: kde["value"] for kde in said.get("kdes", ())}
    origin = {"id": row["_id"], **{name: row[name] for name in ("source", "message_id", "line", "sent_at", "flags")}}
    return Record.model_validate({**said, **origin, "site": site, "inputs": inputs, "outputs": outputs, "kdes": kdes})


def _references(told: Stored) -> list[str]:
    """Numbers by which people ask for an event, as codes are compared: of its papers, and of animals in its goods."""
    papers = [told["document"], *(paper["number"] for paper in told.get("documents", ()))]
    tags = [tag for lots in told["lots"].values() for lot in lots for tag in lot.get("ear_tags", ())]
    return list(dict.fromkeys(codes.compact(number) for number in (*papers, *tags) if number))


def lots_of(row: Mapping[str, Any]) -> tuple[list[Stored], list[Stored]]:
    """An event's lots that went in and that came out."""
    lots = row["lots"]
    return lots["inputs"], lots.get("outputs", lots["inputs"])


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
        _said(row),
        gist(row["time"], lots),
        tuple(row["batches"]),
        frozenset(row.get("also_from", ())),
        row.get("declared") is not None,
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


GOODS: Final = ("batch", "quantity", "unit", "product", "category")
"""Fields of a lot that say which goods, and how much."""


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


PLACE: Final = ("site", "name", "operator", "operator_name", "division", "link", "contact_name", "contact_phone")
"""Fields of the registry's facts that make a place."""


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
        " ".join(filter(None, (row.get("contact_name"), row.get("contact_phone")))) or None,
    )
    return Row(row["_id"], row.get("alias_of"), place)
