"""Blocks and lanes as documents, and what is asked of them. No I/O."""

from typing import Any, Final

from pymongo import IndexModel, InsertOne

from chassis.collections import Collection
from services.trace.evidence.blocks import Block, Row, Sealed, block_id
from services.trace.evidence.verifying import Stretch
from services.trace.told import Stored

BLOCKS: Final = "blocks"
LANES: Final = "lanes"

LAST_FIRST: Final = [("_id", -1)]

COLLECTIONS: Final = (
    Collection(BLOCKS, (), {"required": ["lane", "number", "size", "root", "previous", "at", "hash"]}),
    Collection(LANES, (IndexModel([("lease_until", 1)]),)),
)


def stored(sealed: Sealed | None) -> dict[str, list[InsertOne[Any]]]:
    """Writes of a block beside those of its documents."""
    return {BLOCKS: [InsertOne(_row(sealed.block))]} if sealed else {}


def _row(block: Block) -> Stored:
    return {"_id": block.id, **block._asdict(), "hash": block.hash}


def block(row: Row) -> Block:
    """A block on record."""
    return Block(*(row[name] for name in Block._fields))


def blocks_of(lane: str) -> Stored:
    """Filter of a lane's blocks."""
    return {"_id": _keys(Stretch(lane))}


def blocks_in(stretch: Stretch) -> Stored:
    """Filter of the blocks of a stretch."""
    return {"_id": _keys(stretch)}


def documents_in(stretch: Stretch) -> Stored:
    """Filter of the documents that name a block of a stretch; at a lane's start also those that name none there is."""
    keys = _keys(stretch)
    if not stretch.after:
        del keys["$gt"]
        keys["$gte"] = stretch.lane
    return {"block": keys}


UNSEALED: Final[Stored] = {"block": {"$not": {"$gt": ""}}}
"""Filter of the documents that name no block: without one, or with what is no text."""


def beyond(lane: str) -> Stored:
    """Keys of blocks of the lanes after one, in the order of their keys; "0" follows "/"."""
    return {"$gte": f"{lane}0"} if lane else {"$gt": ""}


def _keys(stretch: Stretch) -> Stored:
    lane, after, until = stretch
    end = {"$lt": f"{lane}0"} if until is None else {"$lte": block_id(lane, until)}
    return {"$gt": block_id(lane, after), **end}
