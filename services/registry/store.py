"""Collections and queries of the registry; pure, for worker (pymongo) and api (motor) alike."""

from collections.abc import Iterable
from typing import Any, Final

from pymongo import IndexModel

from chassis.collections import Collection
from contracts.registry import Observation, OperatorState
from services.registry.claims import claimed
from services.registry.documents import Claim, Operator

Filter = dict[str, Any]

OPERATORS: Final = "operators"
CHANGES: Final = "changes"
CANDIDATES: Final = "candidates"

_TEXTS: Final = {"bsonType": "array", "items": {"bsonType": "string"}}
_OBJECTS: Final = {"bsonType": "array", "items": {"bsonType": "object"}}
_TEXT_OR_NONE: Final = {"bsonType": ["string", "null"]}

COLLECTIONS: Final = (
    Collection(
        OPERATORS,
        (
            # One id, one operator; one id, one site. Two workers that take in the same newcomer collide here.
            IndexModel([("ids", 1)], unique=True),
            IndexModel([("site_ids", 1)], unique=True, sparse=True),
            IndexModel([("keys", 1)]),
            IndexModel([("areas", 1), ("_id", 1)]),
            IndexModel([("state", 1), ("_id", 1)]),
            IndexModel([("flag_rules", 1), ("_id", 1)]),
            IndexModel([("sites.unit_kind", 1), ("_id", 1)]),
        ),
        {
            "bsonType": "object",
            "required": ["_id", "ids", "keys", "state", "name", "areas", "sites", "claims", "version"],
            "properties": {
                "_id": {"bsonType": "string", "pattern": "^[^@\\s]+$"},
                "ids": {**_TEXTS, "minItems": 1},
                "site_ids": {**_TEXTS, "minItems": 1},
                "keys": _TEXTS,
                "state": {"enum": [*OperatorState]},
                "name": {"bsonType": "string"},
                "uscc": _TEXT_OR_NONE,
                "contact": _TEXT_OR_NONE,
                "phone": _TEXT_OR_NONE,
                "areas": {**_TEXTS, "minItems": 1},
                "flag_rules": _TEXTS,
                "sites": {
                    "bsonType": "array",
                    "items": {
                        "bsonType": "object",
                        "required": ["site", "ids", "name", "areas", "version"],
                        "properties": {
                            "site": {"bsonType": "string", "pattern": "^[^@\\s]+$"},
                            "ids": {**_TEXTS, "minItems": 1},
                            "division": _TEXT_OR_NONE,
                            "unit_kind": _TEXT_OR_NONE,
                        },
                    },
                },
                "claims": {**_OBJECTS, "minItems": 1},
                "merges": _OBJECTS,
                "edits": _OBJECTS,
                "version": {"bsonType": ["int", "long"], "minimum": 1},
                "created_at": {"bsonType": "date"},
                "updated_at": {"bsonType": "date"},
            },
        },
    ),
    Collection(
        CHANGES,
        (
            IndexModel([("operator", 1), ("at", 1)]),
            IndexModel([("site", 1), ("at", 1)]),
            IndexModel([("kind", 1), ("at", 1)]),
        ),
        {
            "bsonType": "object",
            "required": ["_id", "kind", "at", "who", "role", "why"],
            "properties": {
                "_id": {"bsonType": "string"},
                "kind": {"enum": ["observed", "registered", "state", "alias", "updated", "merged"]},
                "at": {"bsonType": "date"},
                "who": {"bsonType": "string"},
                "role": {"bsonType": "string"},
                "why": {"bsonType": "string"},
                "operator": _TEXT_OR_NONE,
                "site": _TEXT_OR_NONE,
            },
        },
    ),
    Collection(
        CANDIDATES,
        (IndexModel([("areas", 1), ("_id", 1)], partialFilterExpression={"sites.1": {"$exists": True}}),),
        {
            "bsonType": "object",
            "required": ["_id", "sites", "areas"],
            "properties": {"_id": {"bsonType": "string"}, "sites": _TEXTS, "areas": _TEXTS},
        },
    ),
)


def touched(observations: Iterable[Observation]) -> set[str]:
    """All ids that observations name: where the components to load begin."""
    return named(map(claimed, observations))


def named(claims: Iterable[Claim]) -> set[str]:
    """All ids that claims name."""
    return {id for claim in claims for id in (claim["site"], claim["operator"], claim["key"]) if id}


class Component:
    """Documents to load until no id leads to another: ask `missing`, `add` what was found, until it is None."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._wanted = set(keys)
        self._asked: set[str] = set()
        self._found: dict[str, Operator] = {}

    @property
    def operators(self) -> list[Operator]:
        """What was found."""
        return list(self._found.values())

    def missing(self) -> Filter | None:
        """The next query on `OPERATORS`; None when all is there. Two are usual, one for newcomers."""
        new = self._wanted - self._asked
        self._asked |= new
        return {"keys": {"$in": sorted(new)}} if new else None

    def add(self, found: Iterable[Operator]) -> None:
        """Takes what the last query found."""
        for operator in found:
            self._found[operator["_id"]] = operator
            self._wanted.update(operator["keys"])


def recorded(observations: Iterable[Observation]) -> Filter:
    """The rows of `CHANGES` that tell which observations were recorded before."""
    return {"_id": {"$in": [observation.id for observation in observations]}}
