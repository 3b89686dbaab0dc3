"""Collections and queries of the registry; pure, for worker (pymongo) and api (motor) alike."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from pymongo import IndexModel

from chassis.collections import Collection
from contracts.divisions import scope_prefix
from contracts.registry import Observation, OperatorState
from services.registry.claims import Claim, claimed
from services.registry.views import NOWHERE, Operator

Filter = dict[str, Any]

OPERATORS: Final = "operators"
CHANGES: Final = "changes"
CANDIDATES: Final = "candidates"

SEE_PERSONS: Final = frozenset({"operator", "regulator"})
"""Roles that see whom to call; an operator sees itself only, a regulator its division."""

PERSONAL: Final = ("contact", "phone")
SHOWN: Final = ("ids", "name", "uscc", "state", "flags", "version", "created_at", "updated_at")

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


class Caller(Protocol):
    """Who asks (`chassis.api.auth.Caller`)."""

    @property
    def role(self) -> str: ...
    @property
    def division(self) -> str | None: ...
    @property
    def operator_id(self) -> str | None: ...


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


def scope(caller: Caller) -> Filter:
    """What a caller may see, as a filter on operators or on candidates."""
    if caller.role == "operator":
        return {"ids": caller.operator_id}
    return within(caller.division) if caller.division else {}


def within(division: str) -> Filter:
    """What lies in a division, given as `contracts.divisions.scope_prefix`."""
    return {"areas": {"$in": _areas(division)}}


def _areas(division: str) -> list[str]:
    """A province looks after what has no division."""
    return [division, NOWHERE] if len(division) == 2 else [division]


def operators_by(caller: Caller, ids: Sequence[str]) -> Filter:
    """Operators that any of the ids means, as far as the caller may see."""
    return {"$and": [{"ids": {"$in": list(ids)}}, scope(caller)]}


def operators_like(caller: Caller, division: str, state: str, unit_kind: str, flag: str, after: str) -> Filter:
    """Operators that have all that is given (an empty text asks for nothing), their ids greater than `after`."""
    wanted = {"state": state, "sites.unit_kind": unit_kind, "flag_rules": flag}
    given = {field: value for field, value in wanted.items() if value}
    place = within(scope_prefix(division)) if division else {}
    return {"$and": [scope(caller), place, given, {"_id": {"$gt": after}}]}


def site_by(caller: Caller, id: str) -> tuple[Filter, dict[str, Any]]:
    """Filter and projection of the operator with the one site that the id means, if the caller may see it."""
    seen = {} if caller.role == "operator" else scope(caller)
    element = {"$elemMatch": {"ids": id, **seen}}
    mine = scope(caller) if caller.role == "operator" else {}
    return {"site_ids": id, "sites": element, **mine}, {"sites": element}


def candidates_like(caller: Caller, division: str, since: str) -> Filter:
    """Candidates of two sites or more, from one on."""
    place = within(scope_prefix(division)) if division else {}
    return {"$and": [scope(caller), place, {"sites.1": {"$exists": True}, "_id": {"$gte": since}}]}


def sites_of(caller: Caller, ids: Sequence[str]) -> Filter:
    """Operators that have any of the sites, as far as the caller may see."""
    return {"$and": [{"site_ids": {"$in": list(ids)}}, scope(caller)]}


def projection(caller: Caller) -> dict[str, Any]:
    """The fields a caller may see: sites within its scope, personal data in the roles that need them."""
    fields: dict[str, Any] = dict.fromkeys((*SHOWN, *(PERSONAL if caller.role in SEE_PERSONS else ())), 1)
    if caller.role == "operator" or not caller.division:
        return {**fields, "sites": 1}
    shared = {"$setIntersection": ["$$site.areas", _areas(caller.division)]}
    inside = {"$gt": [{"$size": shared}, 0]}
    return {**fields, "sites": {"$filter": {"input": "$sites", "as": "site", "cond": inside}}}


def visible(operator: Operator, caller: Caller) -> Operator:
    """A document just written, with the sites that `projection` would show to whoever may write."""
    if caller.role == "operator" or not caller.division:
        return operator
    inside = set(_areas(caller.division))
    return {**operator, "sites": [site for site in operator["sites"] if not inside.isdisjoint(site["areas"])]}
