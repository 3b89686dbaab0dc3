"""Collections as declarations (name, indexes, schema), and what makes them real at start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel, UpdateOne
from pymongo.database import Database
from pymongo.errors import OperationFailure

OUTBOX = "outbox"
INBOX = "inbox"
AUDIT = "audit"
TIMERS = "timers"

NAMESPACE_EXISTS = 48

INBOX_KEPT_S = 14 * 86_400
"""How long an answer to a `request_id` or a mark of a handled message is kept, in seconds."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of one service: its indexes, its documents' JSON schema, and the documents it begins with.

    `page_kb` are the kilobytes of a leaf page, WiredTiger's 32 where it is None: where single documents are read from
    all over a collection, each brings its page into the store's cache. It is settled when a collection is created.
    """

    name: str
    indexes: tuple[IndexModel, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[Mapping[str, Any], ...] = ()
    page_kb: int | None = None

    @property
    def validator(self) -> dict[str, Any]:
        """MongoDB's validator for the schema; empty when the collection has none."""
        return {"$jsonSchema": dict(self.schema)} if self.schema else {}

    @property
    def storage(self) -> dict[str, Any]:
        """Options of MongoDB's storage engine; empty when the collection has none of its own."""
        return {"wiredTiger": {"configString": f"leaf_page_max={self.page_kb}KB"}} if self.page_kb else {}


CHASSIS: tuple[Collection, ...] = (
    Collection(OUTBOX, (IndexModel([("lease_until", 1)]),)),
    Collection(INBOX, (IndexModel([("at", 1)], expireAfterSeconds=INBOX_KEPT_S),)),
    Collection(TIMERS, (IndexModel([("kind", 1), ("due_at", 1)]),)),
    Collection(AUDIT, (IndexModel([("at", -1)]), IndexModel([("caller", 1), ("at", -1)]))),
)
"""What every service's database holds beside the service's own collections."""


def ensure(db: Database[dict[str, Any]], collections: Iterable[Collection]) -> None:
    """Creates what is missing of collections, validators and indexes, and touches nothing that is as declared.

    A definition that changes nothing still waits for every open transaction on its collection, such as the one a
    killed worker left behind, which the server ends only after a minute.
    """
    options = {found["name"]: found.get("options", {}) for found in db.list_collections()}
    for collection in (*CHASSIS, *collections):
        if collection.name not in options:
            _create(db, collection)
        elif options[collection.name].get("validator", {}) != collection.validator:
            db.command("collMod", collection.name, validator=collection.validator)
        present = set(db[collection.name].index_information())
        missing = [index for index in collection.indexes if index.document["name"] not in present]
        if missing:
            db[collection.name].create_indexes(missing)
        if collection.seeds:
            db[collection.name].bulk_write([_seed(document) for document in collection.seeds])


def _seed(document: Mapping[str, Any]) -> UpdateOne:
    """One that stands is left as people have made it."""
    return UpdateOne({"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True)


def _create(db: Database[dict[str, Any]], collection: Collection) -> None:
    try:
        db.create_collection(
            collection.name, check_exists=False, validator=collection.validator, storageEngine=collection.storage
        )
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:  # Another process of this service may be faster.
            raise
