"""Collections of notify."""

from typing import Any, Final

from pymongo import IndexModel

from chassis.collections import Collection
from services.notify.domain import Channel, State

Document = dict[str, Any]

DELIVERIES: Final = "deliveries"
SUBSCRIPTIONS: Final = "subscriptions"
SITES: Final = "sites"
CELLS: Final = "cells"
SUBJECTS: Final = "subjects"
NOTICES: Final = "notices"
QUOTAS: Final = "quotas"
STOPS: Final = "stops"
RECEIPTS: Final = "receipts"
TOKENS: Final = "tokens"
PACES: Final = "paces"

RECEIPT_KEPT_S: Final = 3 * 86_400
"""Providers push a receipt within three days; one that fits no delivery by then fits none."""
QUOTA_KEPT_S: Final = 30 * 86_400

_TEXT: Final = {"bsonType": "string"}
_DATE_OR_NONE: Final = {"bsonType": ["date", "null"]}

COLLECTIONS: Final = (
    Collection(
        DELIVERIES,
        (
            IndexModel([("channel", 1), ("state", 1), ("urgency", 1), ("due_at", 1)]),
            IndexModel([("attempt", 1)], sparse=True),
            IndexModel([("provider_id", 1)], sparse=True),
            IndexModel([("cause", 1), ("_id", 1)]),
            IndexModel([("inbox", 1), ("channel", 1), ("created_at", -1), ("_id", -1)]),
            IndexModel([("division", 1), ("_id", 1)]),
        ),
        {
            "bsonType": "object",
            "required": ["_id", "cause", "event", "recipient", "channel", "state", "attempts", "version", "facts"],
            "properties": {
                "_id": {"bsonType": "string", "pattern": "^D[0-9a-f]{31}$"},
                "cause": _TEXT,
                "event": _TEXT,
                "recipient": _TEXT,
                "channel": {"enum": [*Channel]},
                "state": {"enum": [*State]},
                "urgency": {"bsonType": ["int", "long"]},
                "due_at": _DATE_OR_NONE,
                "attempts": {"bsonType": ["int", "long"], "minimum": 0},
                "version": {"bsonType": ["int", "long"], "minimum": 1},
                "facts": {"bsonType": "object"},
            },
        },
    ),
    Collection(SUBSCRIPTIONS, (IndexModel([("events", 1)]), IndexModel([("division", 1), ("_id", 1)]))),
    Collection(SITES, (IndexModel([("division", 1), ("_id", 1)]),)),
    Collection(
        CELLS, (IndexModel([("station", 1)]), IndexModel([("officer.officer", 1)]), IndexModel([("division", 1)]))
    ),
    Collection(SUBJECTS),
    Collection(NOTICES),
    Collection(QUOTAS, (IndexModel([("at", 1)], expireAfterSeconds=QUOTA_KEPT_S),)),
    Collection(STOPS, (IndexModel([("address", 1)]),)),
    Collection(
        RECEIPTS,
        (IndexModel([("at", 1)], expireAfterSeconds=RECEIPT_KEPT_S), IndexModel([("applied", 1), ("look_at", 1)])),
    ),
    Collection(TOKENS),
    Collection(PACES),
)
