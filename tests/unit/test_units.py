"""Units of measure convert exactly, or not at all."""

from decimal import Decimal

import pytest

from clients.cli import words
from contracts import fields
from contracts.units import SYMBOLS, TABLE, UNITS, Row, Unit

OWN = {"KGM", "LTR", "HEA", "H87", "PTN"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.en)
def test_a_unit_is_understood_by_its_code_and_every_name(row: Row) -> None:
    for word in filter(None, (row.code, row.zh, *row.words.split())):
        measured = fields.measure(fields.split_quantity("3"), word.lower())
        assert (measured.quantity, measured.unit) == (3 * Decimal(row.factor), row.into)


def test_no_word_means_two_units() -> None:
    told = [word for row in TABLE for word in filter(None, (row.code, row.zh, *row.words.split()))]
    assert len(told) == len(set(told)) == len(UNITS)


def test_what_is_converted_to_is_a_unit_of_its_own_and_has_a_symbol() -> None:
    assert {row.into for row in TABLE} == {*SYMBOLS} == OWN
    assert all(UNITS[code] == Unit(code, Decimal(1)) for code in OWN)
    assert words.UNITS is SYMBOLS


@pytest.mark.parametrize(
    ("written", "quantity", "unit"),
    [
        ("3斤", "1.5", "KGM"),
        ("7两", "0.35", "KGM"),
        ("1.5吨", "1500", "KGM"),
        ("2磅", "0.90718474", "KGM"),
        ("330毫升", "0.33", "LTR"),
        ("2打", "24", "H87"),
        ("120羽", "120", "HEA"),
    ],
)
def test_factors_are_exact(written: str, quantity: str, unit: str) -> None:
    measured = fields.measure(fields.split_quantity(written))
    assert (measured.quantity, measured.unit) == (Decimal(quantity), unit)
