"""Tamper evidence: each committed batch of events makes one block, chained to the block before it in its lane. Pure.

A lane is one worker's, so that workers do not wait for each other. A block keeps the Merkle root of its events'
hashes (RFC 6962, section 2.1: leaves and inner nodes are hashed apart, so that neither passes for the other) and
the hash of the block before it. What a later hand changes, removes or inserts no longer fits.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, NamedTuple

import bson

LEAF, INNER = b"\x00", b"\x01"
GENESIS: Final = ""
"""What the first block of a lane names as the one before it."""

PLACED_LATER: Final = frozenset({"division", "unplaced", "also_from", "block"})
"""Fields that trace itself sets after an event is sealed, and the block's own name."""


class Block(NamedTuple):
    """A sealed batch: `number` counts from 1 in its lane, `size` is in events, hashes are hex of SHA-256."""

    lane: str
    number: int
    size: int
    root: str
    previous: str

    @property
    def id(self) -> str:
        """The block's key."""
        return f"{self.lane}/{self.number}"

    @property
    def hash(self) -> str:
        """What the next block of the lane names."""
        return sha256("|".join(map(str, self)).encode()).hexdigest()


class Fault(StrEnum):
    """What does not fit."""

    BLOCK_MISSING = "block_missing"
    BLOCK_CHANGED = "block_changed"
    EVENT_MISSING = "event_missing"
    EVENT_INSERTED = "event_inserted"
    EVENT_CHANGED = "event_changed"


class Problem(NamedTuple):
    """A fault and the block it shows in."""

    block: str
    fault: Fault


def seal(lane: str, before: Block | None, rows: Sequence[Mapping[str, Any]]) -> Block:
    """The next block of a lane, of event documents as they are about to be stored."""
    number, previous = (before.number + 1, before.hash) if before else (1, GENESIS)
    return Block(lane, number, len(rows), root_of(rows), previous)


def root_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Merkle root over event documents in the order of their ids."""
    return _root([leaf(row) for row in sorted(rows, key=lambda row: str(row["_id"]))]).hex()


def leaf(row: Mapping[str, Any]) -> bytes:
    """Hash of a document's BSON, its fields in the order of their names: the same before and after the store."""
    kept = {name: row[name] for name in sorted(row.keys() - PLACED_LATER)}
    return sha256(LEAF + bson.encode(kept)).digest()


def _root(hashes: list[bytes]) -> bytes:
    """RFC 6962: the larger half is the largest power of two below the number of leaves."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(INNER + _root(hashes[:half]) + _root(hashes[half:])).digest()


def faults(before: Block | None, block: Block, rows: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """What does not fit of a block, given the one stored before it and the events that name it."""
    found = [*_order(before, block), *_content(block, rows)]
    return [Problem(block.id, fault) for fault in found]


def _order(before: Block | None, block: Block) -> list[Fault]:
    number, previous = (before.number + 1, before.hash) if before else (1, GENESIS)
    if block.number != number:
        return [Fault.BLOCK_MISSING]
    return [] if block.previous == previous else [Fault.BLOCK_CHANGED]


def _content(block: Block, rows: Sequence[Mapping[str, Any]]) -> list[Fault]:
    if len(rows) < block.size:
        return [Fault.EVENT_MISSING]
    if len(rows) > block.size:
        return [Fault.EVENT_INSERTED]
    return [] if root_of(rows) == block.root else [Fault.EVENT_CHANGED]
