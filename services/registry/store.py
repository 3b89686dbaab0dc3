"""Collections and queries of the registry; pure, for worker (pymongo) and api (motor) alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pymongo import IndexModel

from chassis.collections import Collection
from contracts.registry import Observation
from services.registry import schemas
from services.registry.documents import Claim, Edit, Operator
from services.registry.phases import S4
from services.registry.standing import World
from services.registry.views import areas

Filter = dict[str, Any]

OPERATORS: Final = "operators"
CHANGES: Final = "changes"
CANDIDATES: Final = "candidates"

PHASES: Final = "phases"
CELLS: Final = "cells"
MARKS: Final = "marks"
IMPORTS: Final = "imports"
SHEETS: Final = "sheets"

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
            IndexModel([("gaps", 1), ("_id", 1)]),
            IndexModel([("due", 1)]),
            IndexModel([("sites.unit_kind", 1), ("_id", 1)]),
            IndexModel([("sites.obligations", 1), ("_id", 1)]),
            IndexModel([("sites.cell", 1), ("_id", 1)]),
            IndexModel([("sites.helper", 1), ("_id", 1)]),
        ),
        schemas.OPERATOR,
    ),
    Collection(
        CHANGES,
        (
            IndexModel([("operator", 1), ("at", -1), ("_id", -1)]),
            IndexModel([("site", 1), ("at", -1), ("_id", -1)]),
            IndexModel([("cell", 1), ("at", -1), ("_id", -1)]),
            IndexModel([("kind", 1), ("at", 1)]),
        ),
        schemas.CHANGE,
    ),
    Collection(
        CANDIDATES,
        (IndexModel([("areas", 1), ("_id", 1)], partialFilterExpression={"sites.1": {"$exists": True}}),),
        schemas.CANDIDATE,
    ),
    Collection(MARKS, (IndexModel([("lapsed", 1), ("last", 1)]),), schemas.MARK),
    Collection(PHASES, (), schemas.PHASE, seeds=S4),
    Collection(CELLS, (IndexModel([("area", 1), ("_id", 1)]), IndexModel([("officer.officer", 1)])), schemas.CELL),
    Collection(IMPORTS, (IndexModel([("kind", 1), ("area", 1), ("as_of", -1)]),), schemas.IMPORT),
    Collection(SHEETS, (IndexModel([("import", 1), ("_id", 1)]),), schemas.SHEET),
)
"""`marks`: days with events. `sheets`: entries of rosters that wait for a worker, in portions of one transaction."""


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


def around(
    operators: Iterable[Operator], claims: Iterable[Claim] = (), edits: Iterable[Edit] = ()
) -> dict[str, Filter]:
    """By collection, what of the world matters to operators and to what is about to be told of them."""
    told, set_ = [*claims], [*edits]
    keys = named(told)
    for operator in operators:
        keys.update(operator["keys"])
        told += operator["claims"]
        set_ += operator["edits"]
    divisions = [claim["told"].get("division") for claim in told] + _set(set_, "division")
    near = {area for division in {*divisions} for area in areas(division)}
    wanted = {"area": {"$in": sorted(near)}}, {"_id": {"$in": _set(set_, "cell")}}
    officers = {"officer.officer": {"$in": _set(set_, "helper")}}
    return {PHASES: {}, CELLS: {"$or": [*wanted, officers]}, MARKS: {"_id": {"$in": sorted(keys)}}}


def _set(edits: Iterable[Edit], field: str) -> list[str]:
    return sorted({edit["value"] for edit in edits if edit["field"] == field})


def world(found: Mapping[str, Sequence[Any]]) -> World:
    """What `around` found, by collection."""
    return World({mark["_id"]: mark for mark in found[MARKS]}, found[PHASES], found[CELLS])


def concerned(change: Mapping[str, Any]) -> Filter:
    """Operators behind `after` whom a change of `areas`, of a `cell` or of the officer who is their `helper` concerns.

    No area at all is everywhere: that of a phase.
    """
    given = {"sites.cell": change["cell"], "sites.helper": change["helper"]}
    either: list[Filter] = [{field: value} for field, value in given.items() if value]
    if change["areas"]:
        either.append({"areas": {"$in": change["areas"]}})
    beyond: Filter = {"_id": {"$gt": change["after"]}}
    return {"$and": [beyond, {"$or": either}]} if either else beyond
