"""Blocks: whatever is changed, removed or inserted no longer fits."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import bson
import pytest
from bson import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from services.trace.blocks import GENESIS, Block, Fault, faults, leaf, root_of, seal

Row = dict[str, Any]


def row(number: int, **more: Any) -> Row:
    lots = {"inputs": [], "outputs": [{"batch": f"B{number}", "quantity": Decimal128("1.50")}]}
    at = datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC)
    return {"_id": f"E{number:03}", "time": at, "site": "licence:S", "lots": lots, **more}


def stored(rows: list[Row]) -> list[Row]:
    """As the store gives them back: times in milliseconds, fields in another order."""
    options: Any = bson.CodecOptions(tz_aware=True)
    return [dict(reversed(bson.decode(bson.encode(each), options).items())) for each in rows]


def test_root_is_that_of_rfc_6962() -> None:
    leaves = [leaf(row(number)) for number in range(5)]
    pair = [sha256(b"\x01" + a + b).digest() for a, b in zip(leaves[:4:2], leaves[1:4:2], strict=True)]
    four = sha256(b"\x01" + pair[0] + pair[1]).digest()
    assert root_of(map(row, range(5))) == sha256(b"\x01" + four + leaves[4]).hexdigest()


@given(st.integers(0, 40), st.randoms())
def test_sealed_block_fits_what_the_store_gives_back(number: int, random: Any) -> None:
    rows = list(map(row, range(number)))
    first = seal("w1", None, rows)
    back = stored(rows)
    random.shuffle(back)
    assert (first.number, first.previous, faults(None, first, back)) == (1, GENESIS, [])
    assert faults(first, seal("w1", first, []), []) == []


@pytest.mark.parametrize(
    ("name", "value"), [("site", "licence:X"), ("time", datetime(2026, 1, 6, tzinfo=UTC)), ("note", "new")]
)
def test_changed_event_is_found(name: str, value: Any) -> None:
    rows = list(map(row, range(3)))
    block = seal("w1", None, rows)
    rows[1][name] = value
    assert [each.fault for each in faults(None, block, rows)] == [Fault.EVENT_CHANGED]


def test_changed_quantity_is_found() -> None:
    rows = list(map(row, range(3)))
    block = seal("w1", None, rows)
    rows[2]["lots"]["outputs"][0]["quantity"] = Decimal128("1.51")
    assert [each.fault for each in faults(None, block, rows)] == [Fault.EVENT_CHANGED]


def test_what_trace_sets_later_is_no_change() -> None:
    rows = list(map(row, range(3)))
    block = seal("w1", None, rows)
    later = [{**each, "division": "370102", "also_from": ["market"], "block": block.id} for each in rows]
    assert faults(None, block, later) == []


def test_removed_and_inserted_events_are_found() -> None:
    rows = list(map(row, range(3)))
    block = seal("w1", None, rows)
    assert [each.fault for each in faults(None, block, rows[1:])] == [Fault.EVENT_MISSING]
    assert [each.fault for each in faults(None, block, [*rows, row(9)])] == [Fault.EVENT_INSERTED]
    assert [each.fault for each in faults(None, block, [*rows[1:], row(9)])] == [Fault.EVENT_CHANGED]


def test_removed_block_and_rewritten_block_are_found() -> None:
    first = seal("w1", None, [row(1)])
    second = seal("w1", first, [row(2)])
    third = seal("w1", second, [row(3)])
    assert [each.fault for each in faults(first, third, [row(3)])] == [Fault.BLOCK_MISSING]
    rewritten = seal("w1", first, [row(4)])
    assert [each.fault for each in faults(rewritten, third, [row(3)])] == [Fault.BLOCK_CHANGED]


@pytest.mark.parametrize(
    "other",
    [
        Block("x", 1, 1, "r", GENESIS),
        Block("w1", 2, 1, "r", GENESIS),
        Block("w1", 1, 2, "r", GENESIS),
        Block("w1", 1, 1, "x", GENESIS),
        Block("w1", 1, 1, "r", "x"),
    ],
)
def test_every_field_of_a_block_counts(other: Block) -> None:
    assert other.hash != Block("w1", 1, 1, "r", GENESIS).hash
