"""Header tables are read as pika reads them, and never raise."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import data

from chassis.worker.lenient import decode_table

NAMES = st.text(max_size=20)
TEXTS = st.dictionaries(NAMES, st.text(max_size=300), max_size=9)
ANY = st.recursive(
    st.text() | st.integers(-(2**31), 2**31) | st.booleans() | st.none() | st.binary(max_size=20),
    lambda value: st.lists(value, max_size=3) | st.dictionaries(NAMES, value, max_size=3),
)
TABLES = TEXTS | st.dictionaries(NAMES, ANY, max_size=5)


def encoded(table: dict[str, Any]) -> bytes:
    pieces: list[bytes] = []
    data.encode_table(pieces, table)
    return b"".join(pieces)


@given(TABLES, st.binary(max_size=9), st.binary(max_size=9))
def test_a_table_is_read_as_pika_reads_it(table: dict[str, Any], before: bytes, behind: bytes) -> None:
    wire = before + encoded(table) + behind
    assert decode_table(wire, len(before)) == data.decode_table(wire, len(before))


@given(TABLES, st.data())
def test_a_damaged_table_is_empty_or_what_pika_makes_of_it(table: dict[str, Any], draw: st.DataObject) -> None:
    wire = bytearray(encoded(table))
    place = draw.draw(st.integers(4, len(wire) - 1)) if len(wire) > 4 else None
    if place is not None:
        wire[place] = draw.draw(st.integers(0, 255))
    try:
        expected = data.decode_table(bytes(wire), 0)
    except Exception:
        expected = ({}, len(wire))
    assert decode_table(bytes(wire), 0) == expected


@pytest.mark.parametrize("value", [datetime(2026, 1, 5, tzinfo=UTC), 7, {"a": "b"}])
def test_a_table_with_other_than_text_is_pikas(value: Any) -> None:
    table = {"ce-id": "1", "x": value}
    assert decode_table(encoded(table), 0)[0] == table
