"""The handoffs of capture in straight lines, beside `plain`: what the other side upserts for each shipment."""

from collections.abc import Iterable
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from services.trace.watch.store import HANDOFFS
from services.trace.watch.terms import SHORTEST

Document = dict[str, Any]


def upsert(db: Database[Document], rows: Iterable[Document]) -> None:
    """Notes the sender's halves of the handoffs of these events."""
    db[HANDOFFS].bulk_write(operations(rows), ordered=False)


def operations(rows: Iterable[Document]) -> list[UpdateOne]:
    """The upserts of these events."""
    return [half for row in rows for half in _halves(row)]


def _halves(row: Document) -> list[UpdateOne]:
    here, there = row["site"], row["there"]
    return [
        UpdateOne(
            {"_id": f"{lot['batch']}@{here}@{there}"},
            {
                "$setOnInsert": {"batch": lot["batch"], "from": here, "to": there},
                "$addToSet": {"shipped": _half(row, lot)},
                "$min": {"look_at": row["time"] + SHORTEST},
            },
            upsert=True,
        )
        for lot in row["lots"]["inputs"]
    ]


def _half(row: Document, lot: Document) -> Document:
    told = {"time": row["time"], "event": row["_id"], "step": row["step"], "category": lot["category"]}
    return told | {"quantity": lot["quantity"], "unit": lot["unit"]}
