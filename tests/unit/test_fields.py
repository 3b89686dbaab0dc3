"""What legacy senders write, and what it means."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from contracts import fields, rules
from contracts.trace import Category
from contracts.units import UNITS

SIX_THIRTY = datetime(2026, 10, 4, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [(" ＡＢ１２ ", "AB12"), (7, "7"), (12.0, "12"), (0.5, "0.5"), ("a\tb\0", "a b"), ("　市场　", "市场")],
)
def test_text_is_half_width_and_trimmed(written: Any, meant: str) -> None:
    assert fields.text(written) == meant


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("", "required"),
        ("　", "required"),
        (True, "invalid_value"),
        ([], "invalid_value"),
        ("x" * 1001, "invalid_value"),
    ],
)
def test_text_names_the_rule_it_breaks(written: Any, rule: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        fields.text(written)
    assert caught.value.type == rule


@pytest.mark.parametrize("written", [None, "", " 　"])
def test_optional_text_may_be_nothing(written: str | None) -> None:
    assert fields.optional_text(written) is None


@pytest.mark.parametrize(
    ("written", "number", "unit"),
    [
        ("12.5公斤", "12.5", "公斤"),
        ("１２．５", "12.5", None),
        ("１，２００ 公斤", "1200", "公斤"),
        ("1,234,567.8kg", "1234567.8", "KG"),
        ("1e3", "1000", None),
        (".5 l", "0.5", "L"),
        ("+3箱（20斤装）", "3", "箱(20斤装)"),
        (12.5, "12.5", None),
        (7, "7", None),
        (1e-7, "0.0000001", None),
        ("0", "0", None),
    ],
)
def test_a_quantity_is_split_into_number_and_unit(written: Any, number: str, unit: str | None) -> None:
    amount = fields.split_quantity(written)
    assert (amount.number, amount.unit) == (Decimal(number), unit)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("-1", "quantity_negative"),
        ("－５公斤", "quantity_negative"),
        (-0.5, "quantity_negative"),
        ("若干", "quantity_not_a_number"),
        ("公斤", "quantity_not_a_number"),
        ("5-6公斤", "quantity_not_a_number"),
        ("1,20", "quantity_not_a_number"),
        ("1.2.3", "quantity_not_a_number"),
        (".", "quantity_not_a_number"),
        (float("nan"), "quantity_not_a_number"),
        (float("inf"), "quantity_not_a_number"),
        ("9" * 21, "quantity_not_a_number"),
        ("1e99", "quantity_not_a_number"),
        ("", "required"),
        (True, "invalid_value"),
    ],
)
def test_a_quantity_names_the_rule_it_breaks(written: Any, rule: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        fields.split_quantity(written)
    assert caught.value.type == rule
    assert rules.RULES[rule].effect is rules.Effect.REFUSE


@given(
    st.decimals(0, 10**9, places=3),
    st.sampled_from([None, *UNITS, "筐", "件"]),
    st.sampled_from(["", " "]),
    st.booleans(),
)
def test_a_written_quantity_is_read_back(number: Decimal, unit: str | None, space: str, wide: bool) -> None:
    written = f"{number:,}{space}{unit or ''}"
    if wide:
        written = written.translate({ord(char): ord(char) + 0xFEE0 for char in "0123456789.,"})
    amount = fields.split_quantity(written)
    assert (amount.number, amount.unit) == (number, unit)


@pytest.mark.parametrize(
    ("amount", "unit", "quantity", "code"),
    [
        ("12.5公斤", None, "12.5", "KGM"),
        ("3", "斤", "1.5", "KGM"),
        ("4两", "斤", "0.2", "KGM"),
        ("500", "克", "0.5", "KGM"),
        ("2", "吨", "2000", "KGM"),
        ("250ml", None, "0.25", "LTR"),
        ("40", "头", "40", "HEA"),
        ("1200", "份", "1200", "PTN"),
        ("3", "ｋｇ", "3", "KGM"),
        ("2", "TNE", "2000", "KGM"),
    ],
)
def test_convertible_units_become_the_platforms(amount: str, unit: str | None, quantity: str, code: str) -> None:
    measured = fields.measure(fields.split_quantity(amount), unit)
    assert (measured.quantity, measured.unit) == (Decimal(quantity), code)


@pytest.mark.parametrize(
    ("amount", "unit", "text"), [("3筐", None, "3筐"), ("3", "件", "3件"), ("5 箱", "斤", "5 箱"), ("7", None, "7")]
)
def test_other_units_stay_the_senders_words(amount: str, unit: str | None, text: str) -> None:
    assert fields.measure(fields.split_quantity(amount), unit) == (None, None, text)


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-05 06:30:00",
        "2026-10-05 06:30",
        "2026-10-05T06:30:00",
        "2026-10-05T06:30:00+08:00",
        "2026-10-04T22:30:00Z",
        "2026/10/5 6:30",
        "2026.10.5 6:30:00",
        "20261005063000",
        "202610050630",
        "2026年10月5日 6时30分",
        "2026年10月5日6时30分00秒",
        "２０２６－１０－０５　０６：３０",
        "1791153000",
        1791153000,
        1791153000000,
        "1791153000000",
        datetime(2026, 10, 5, 6, 30),  # noqa: DTZ001
        SIX_THIRTY,
    ],
)
def test_a_time_without_zone_is_shanghais(written: Any) -> None:
    read = fields.local_time(written)
    assert read == SIX_THIRTY
    assert read.tzinfo is UTC


def test_a_bare_day_begins_at_midnight_in_shanghai() -> None:
    assert fields.local_time("20261005") == fields.local_time("2026-10-05") == datetime(2026, 10, 4, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "昨天",
        "2026-13-01 00:00",
        "2026-02-30",
        "25:00",
        "0001-01-01 00:00:00",
        "9999-12-31T23:00:00Z",
        "99999999999999",
    ],
)
def test_an_unreadable_time_names_its_rule(written: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        fields.local_time(written)
    assert caught.value.type == "time_unreadable"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026年1月5日", "2026-01-05"),
        ("20260105", "2026-01-05"),
        ("2026/1/5", "2026-01-05"),
        ("2026-01-05 23:00", "2026-01-05"),
        ("见包装", "见包装"),
        ("", None),
        (None, None),
    ],
)
def test_a_day_that_cannot_be_read_keeps_its_words(written: str | None, meant: str | None) -> None:
    assert fields.day(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2030-12-31", date(2030, 12, 31)),
        ("20301231", date(2030, 12, 31)),
        ("9998-12-31", date(9998, 12, 31)),
        *((written, None) for written in ("长期", "9999-12-31", "99991231", None)),
    ],
)
def test_validity_without_a_last_day_is_none(written: str | None, meant: date | None) -> None:
    assert fields.valid_until(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("蔬菜", Category.VEGETABLE),
        ("鲜蔬菜类", Category.VEGETABLE),
        ("水果", Category.FRUIT),
        ("水产品", Category.AQUATIC),
        ("粮食及其制品", Category.GRAIN),
        ("肉制品", Category.MEAT),
        ("猪肉", Category.MEAT),
        ("乳制品", Category.DAIRY),
        ("食用油", Category.EDIBLE_OIL),
        ("菜籽油", Category.EDIBLE_OIL),
        ("酒类", Category.LIQUOR),
        ("保健食品", Category.HEALTH_FOOD),
        ("婴幼儿配方食品", Category.INFANT_FORMULA),
        ("婴幼儿配方乳粉", Category.INFANT_FORMULA),
        ("Dairy", Category.DAIRY),
        ("饼干", Category.OTHER),
        (None, Category.OTHER),
        ("", Category.OTHER),
    ],
)
def test_chinese_words_name_the_ten_categories(written: str | None, meant: Category) -> None:
    assert fields.category(written) is meant


class Wire(BaseModel):
    """A model of every field type."""

    text: fields.Text
    number: fields.Number
    time: fields.LocalTime
    made: fields.DateText = None
    until: fields.ValidUntil = None
    category: fields.CategoryText = Category.OTHER


def test_a_model_reads_and_writes_them() -> None:
    wire = Wire.model_validate_json(
        '{"text":" Ａ ","number":"3斤","time":1791153000,"made":"20260105","until":"长期","category":"水果"}'
    )
    assert wire.number == (Decimal(3), "斤", "3斤")
    assert Wire.model_validate_json(wire.model_dump_json()) == wire


def test_a_models_errors_name_rules() -> None:
    with pytest.raises(ValidationError) as caught:
        Wire.model_validate({"number": "-1", "time": "?", "category": {"a": 1}})
    found = {error["loc"][0]: error["type"] for error in caught.value.errors()}
    assert found == {
        "text": "missing",
        "number": "quantity_negative",
        "time": "time_unreadable",
        "category": "invalid_value",
    }


def test_every_type_has_a_json_schema() -> None:
    schema = Wire.model_json_schema()["properties"]
    assert all({"type", "anyOf"} & set(schema[name]) for name in schema)
