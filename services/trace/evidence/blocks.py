"""Tamper evidence: each committed batch of events makes one block, chained to the block before it in its lane. Pure.

A block keeps the Merkle root of its events' hashes (RFC 6962, section 2.1: leaves and inner nodes are hashed apart, so
that neither passes for the other) and the hash of the block before it. What a later hand changes, removes or inserts
no longer fits; a whole lane made anew, or cut short, does not fit what somebody noted of it (an anchor).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import bson
from bson.raw_bson import RawBSONDocument

from chassis.clock import in_milliseconds

Row = Mapping[str, Any]

LEAF, INNER = b"\x00", b"\x01"
GENESIS: Final = ""
"""What the first block of a lane names as the one before it."""

LATER: Final = frozenset({"unplaced", "also_from", "declared", "state", "block"})
"""Fields that trace sets, changes or takes away after a document is sealed, and the block's own name."""

PLACE: Final = frozenset({"division", "operator", "parties"})
"""Sealed too, but for an event that was recorded before its site was known."""


class Block(NamedTuple):
    """A sealed batch: `number` counts from 1 in its lane, `size` is in documents, hashes are hex of SHA-256."""

    lane: str
    number: int
    size: int
    root: str
    previous: str
    at: datetime

    @property
    def id(self) -> str:
        """The block's key."""
        return block_id(self.lane, self.number)

    @property
    def hash(self) -> str:
        """What the next block of the lane names."""
        told = (self.lane, self.number, self.size, self.root, self.previous, self.at.isoformat())
        return sha256("|".join(map(str, told)).encode()).hexdigest()


class Sealed(NamedTuple):
    """A block and its documents, ready to be stored."""

    block: Block
    documents: list[RawBSONDocument]


def block_id(lane: str, number: int) -> str:
    """Ordered as the numbers are."""
    return f"{lane}/{number:010}"


def lane_of(id: str) -> str:
    """The lane in a block's key."""
    return id.partition("/")[0]


def expected(before: Block | None) -> tuple[int, str]:
    """Number and `previous` of the block that follows."""
    return (before.number + 1, before.hash) if before else (1, GENESIS)


def seal(lane: str, before: Block | None, rows: Sequence[Row], at: datetime) -> Sealed:
    """The next block of a lane; its rows are encoded once, to be hashed and to be stored."""
    number, previous = expected(before)
    mark = bson.encode({"block": block_id(lane, number)})[4:]
    leaves: dict[str, bytes] = {}
    documents: list[RawBSONDocument] = []
    for row in rows:
        told, later = _parts(row)
        leaves[row["_id"]] = _leaf(told)
        fields = told[4:-1] + bson.encode(later)[4:-1] + mark if later else told[4:-1] + mark
        documents.append(RawBSONDocument((len(fields) + 4).to_bytes(4, "little") + fields))
    block = Block(lane, number, len(rows), _root_of(leaves), previous, in_milliseconds(at))
    return Sealed(block, documents)


def root_of(rows: Iterable[Row]) -> str:
    """Merkle root over documents in the order of their ids."""
    return _root_of({row["_id"]: leaf(row) for row in rows})


def leaf(row: Row) -> bytes:
    """Hash of a document as it was sealed: its BSON without what was set later. The store keeps the order of fields."""
    return _leaf(_parts(row)[0])


def _parts(row: Row) -> tuple[bytes, dict[str, Any]]:
    """What is sealed of a document, encoded, and its other fields."""
    apart = LATER | PLACE if row.get("placed_later") else LATER
    if apart.isdisjoint(row):
        return bson.encode(row), {}
    later = {name: value for name, value in row.items() if name in apart}
    return bson.encode({name: value for name, value in row.items() if name not in apart}), later


def _leaf(told: bytes) -> bytes:
    return sha256(LEAF + told).digest()


def _root_of(leaves: Mapping[str, bytes]) -> str:
    return _root([leaves[id] for id in sorted(leaves)]).hex()


def _root(hashes: list[bytes]) -> bytes:
    """RFC 6962: the larger half is the largest power of two below the number of leaves."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(INNER + _root(hashes[:half]) + _root(hashes[half:])).digest()
