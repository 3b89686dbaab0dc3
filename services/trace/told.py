"""What a record says of what happened, in the fields of its event: the one measure of "the same content". Pure."""

from collections.abc import Sequence
from typing import Any, Final

from chassis.clock import in_milliseconds
from contracts.trace import Document, Lot, Party, Record
from services.trace.lineage import HANDOFFS, site_of

Stored = dict[str, Any]
"""A document as the store holds it; what a record says keeps its quantities as `Decimal`."""


def told_of(record: Record) -> Stored:
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
        "party": _told(record.site, APART),
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
"""The fields of an event that say what happened; the others say who told it, and what trace makes of it. What is not
set, as later additions are, says nothing."""


def said_by(record: Record) -> Stored:
    """What a record says as it is read from the store again: two records that say the same, say this."""
    return told_of(record) | {"time": in_milliseconds(record.time)}


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


def _lot(lot: Lot) -> Stored:
    row = {name: value for name, value in lot.__dict__.items() if value is not None}
    if lot.ear_tags:
        row["ear_tags"] = list(lot.ear_tags)
    else:
        del row["ear_tags"]
    return row


APART: Final = frozenset({"site", "operator", "division", "link"})
"""What an event says of its own site beside, not in, `party`."""


def _told(part: Party | Document, apart: frozenset[str] = frozenset()) -> Stored:
    """The fields that are set, but for those kept apart; BSON knows no dates, so a day is text."""
    row = {name: value for name, value in part.__dict__.items() if value and name not in apart}
    for day in _DAYS:
        if day in row:
            row[day] = row[day].isoformat()
    return row


_DAYS: Final = ("licence_valid_until", "issued_on", "valid_until")
