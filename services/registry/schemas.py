"""JSON schemas of the registry's collections: what a document must be, whoever writes it."""

from typing import Any, Final

from contracts.registry import OperatorState, UnitKind
from contracts.trace import Category

Schema = dict[str, Any]

TEXT: Final[Schema] = {"bsonType": "string"}
_TEXTS: Final[Schema] = {"bsonType": "array", "items": TEXT}
_OBJECTS: Final[Schema] = {"bsonType": "array", "items": {"bsonType": "object"}}
_TEXT_OR_NONE: Final[Schema] = {"bsonType": ["string", "null"]}
_DATE: Final[Schema] = {"bsonType": "date"}
_COUNT: Final[Schema] = {"bsonType": ["int", "long"], "minimum": 0}
_VERSION: Final[Schema] = {"bsonType": ["int", "long"], "minimum": 1}
_ID: Final[Schema] = {"bsonType": "string", "pattern": "^[^@\\s]+$"}
_DAY: Final[Schema] = {"bsonType": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_DAY_OR_NONE: Final[Schema] = {**_DAY, "bsonType": ["string", "null"]}
_CATEGORIES: Final[Schema] = {"bsonType": "array", "items": {"enum": [*Category]}}


def _object(required: str, **properties: Schema) -> Schema:
    """An object; `required` names the properties it must have, all of them when it is `*`."""
    names = [*properties] if required == "*" else required.split()
    return {"bsonType": "object", "required": names, "properties": properties}


_SITE: Final = _object(
    "site ids name areas state listed registered obligations gaps version",
    site=_ID,
    ids={**_TEXTS, "minItems": 1},
    division=_TEXT_OR_NONE,
    unit_kind=_TEXT_OR_NONE,
    state={"enum": [*OperatorState]},
    listed={"bsonType": "bool"},
    registered={"bsonType": "bool"},
    obligations=_CATEGORIES,
    cell=_TEXT_OR_NONE,
    station=_TEXT_OR_NONE,
    gaps={"bsonType": "array", "items": {"enum": ["cell", "officer", "contact"]}},
)

OPERATOR: Final = _object(
    "_id ids keys state name areas sites claims version",
    _id=_ID,
    ids={**_TEXTS, "minItems": 1},
    site_ids={**_TEXTS, "minItems": 1},
    keys=_TEXTS,
    state={"enum": [*OperatorState]},
    name=TEXT,
    uscc=_TEXT_OR_NONE,
    contact=_TEXT_OR_NONE,
    phone=_TEXT_OR_NONE,
    wechat=_TEXT_OR_NONE,
    areas={**_TEXTS, "minItems": 1},
    flag_rules=_TEXTS,
    gaps=_TEXTS,
    due=_DAY_OR_NONE,
    sites={"bsonType": "array", "items": _SITE},
    claims={**_OBJECTS, "minItems": 1},
    merges=_OBJECTS,
    edits=_OBJECTS,
    version=_VERSION,
    created_at=_DATE,
    updated_at=_DATE,
)

_KINDS: Final = ("observed", "registered", "listed", "unlisted", "state", "alias", "updated", "merged", "closed")
_GRID_KINDS: Final = ("placed", "contact", "cell", "officer", "phase")

CHANGE: Final = _object(
    "_id kind at who role why",
    _id=TEXT,
    kind={"enum": [*_KINDS, *_GRID_KINDS]},
    at=_DATE,
    who=TEXT,
    role=TEXT,
    why=TEXT,
    operator=_TEXT_OR_NONE,
    site=_TEXT_OR_NONE,
    cell=_TEXT_OR_NONE,
)

CANDIDATE: Final = _object("*", _id=TEXT, sites=_TEXTS, areas=_TEXTS)
MARK: Final = _object("*", _id=TEXT, first=_DAY, last=_DAY, lapsed={"bsonType": "bool"})
PHASE: Final = _object(
    "*",
    _id=TEXT,
    name=TEXT,
    starts=_DAY,
    ends=_DAY_OR_NONE,
    areas=_TEXTS,
    duties={"bsonType": "array", "items": {"enum": ["register", "activate"]}},
    categories=_CATEGORIES,
    unit_kinds={"bsonType": "array", "items": {"enum": [*UnitKind]}},
    clause=TEXT,
    version=_VERSION,
)
CELL: Final = _object(
    "*",
    _id=_ID,
    parent=_TEXT_OR_NONE,
    name=TEXT,
    division=TEXT,
    area=TEXT,
    station=TEXT,
    station_name=_TEXT_OR_NONE,
    officer={"bsonType": ["object", "null"]},
    version=_VERSION,
)
IMPORT: Final = _object(
    "*",
    _id=TEXT,
    kind=TEXT,
    division=TEXT,
    area=TEXT,
    as_of=_DATE,
    complete={"bsonType": "bool"},
    who=TEXT,
    role=TEXT,
    parts=_COUNT,
    rows=_COUNT,
    refused=_COUNT,
    taken=_COUNT,
    changed=_COUNT,
    ended=_COUNT,
    done={"bsonType": "bool"},
)
SHEET: Final = _object("*", _id=TEXT, **{"import": TEXT}, entries={**_OBJECTS, "minItems": 1})
