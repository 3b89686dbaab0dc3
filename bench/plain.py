"""The documents and messages of capture in straight lines: what the other side of an ingest benchmark writes.

No model, no check, no question to the store: a delivery note's JSON goes in, and what trace would have stored and
announced comes out (`tests/unit/test_bench.py` holds the two together).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from bson import Decimal128

Document = dict[str, Any]

APART: Final = frozenset({"site", "operator", "division", "link"})
"""What an event says of its own site beside `party`."""


def event(record: Document, correlation: str | None, now: datetime) -> Document:
    """A record of a capture body as the document of an event."""
    site, party = record["site"], record["counterparty"]
    inputs = [_lot(lot) for lot in record["inputs"]]
    here, there = site["site"], party["site"]
    batches = list(dict.fromkeys(lot["batch"] for lot in inputs))
    return {
        "_id": record["id"],
        "source": record["source"],
        "message_id": record["message_id"],
        "line": record["line"],
        "document": record["document"],
        "step": record["step"],
        "time": datetime.fromisoformat(record["time"]),
        "sent_at": datetime.fromisoformat(record["sent_at"]),
        "vehicle": record["vehicle"],
        "correlation": correlation,
        "recorded_at": now,
        "site": here,
        "there": there,
        "operator": site["operator"],
        "division": site["division"],
        "link": site["link"],
        "party": {name: site[name] for name in site if name not in APART},
        "parties": list(dict.fromkeys((site["operator"], party["operator"]))),
        "inputs": [f"{batch}@{here}" for batch in batches],
        "outputs": [f"{batch}@{there}" for batch in batches],
        "day": (int(datetime.fromisoformat(record["time"]).timestamp()) + 28_800) // 86_400,
        "lots": {"inputs": inputs},
        "batches": batches,
        "categories": list(dict.fromkeys(lot["category"] for lot in inputs)),
        "flags": [],
        "counterparty": party,
        "documents": record["documents"],
        "references": [record["document"], *(paper["number"] for paper in record["documents"])],
    }


def _lot(lot: Document) -> Document:
    return lot | {"quantity": Decimal128(lot["quantity"])}


def announced(row: Document, record: Document) -> Document:
    """What `trace.events_recorded.v1` says of an event."""
    return {
        "id": row["_id"],
        "source": row["source"],
        "step": row["step"],
        "time": record["time"],
        "sent_at": record["sent_at"],
        "site": row["site"],
        "operator": row["operator"],
        "division": row["division"],
        "counterparty": row["there"],
        "categories": row["categories"],
        "batches": row["batches"],
    }


def answers(rows: Iterable[Document]) -> Mapping[str, Document]:
    """`egress.verdicts.v1` by source: each event's verdict."""
    told: dict[str, Document] = {}
    for row in rows:
        body = told.setdefault(row["source"], {"source": row["source"], "verdicts": []})
        body["verdicts"].append(
            {
                "message_id": row["message_id"],
                "record": row["line"],
                "outcome": "accepted",
                "document": row["document"],
                "event_id": row["_id"],
                "batches": row["batches"],
            }
        )
    return told
