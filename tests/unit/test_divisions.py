"""Divisions: what is known, what it is called, and what lies inside it."""

import pytest

from contracts import divisions


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("370000", "山东省"),
        ("370100", "山东省 济南市"),
        ("370102", "山东省 济南市 历下区"),
        ("370102001000", "山东省 济南市 历下区"),
        ("370671", "山东省 烟台市 烟台高新技术产业开发区"),
        ("371202", "山东省 莱芜市 莱城区"),
        ("442000", "广东省 中山市"),
        ("110105", "北京市 朝阳区"),
        ("110100", "北京市 市辖区"),
        ("469002", "海南省 琼海市"),
    ],
)
def test_known_codes_have_a_path(code: str, path: str) -> None:
    assert divisions.known(code)
    assert divisions.path(code) == path
    assert divisions.name(code) == path.split()[-1]


@pytest.mark.parametrize("code", ["999999", "370199", "37", "", "37010", "３７０１０２", "370102abc", "北京市"])
def test_other_codes_are_unknown(code: str) -> None:
    assert not divisions.known(code)


@pytest.mark.parametrize(
    ("code", "now"),
    [("371202", "370116"), ("110103", "110101"), ("370671", "370600"), ("370102", "370102"), ("999999", None)],
)
def test_an_abolished_code_has_a_successor(code: str, now: str | None) -> None:
    assert divisions.current(code) == now


@pytest.mark.parametrize(
    ("division", "prefix"),
    [
        ("370000", "37"),
        ("370100", "3701"),
        ("370102", "370102"),
        ("370102000000", "370102"),
        ("370102001000", "370102001"),
        ("442000", "4420"),
        ("000000", "00"),
    ],
)
def test_scope_is_the_prefix_of_all_that_lies_inside(division: str, prefix: str) -> None:
    assert divisions.scope_prefix(division) == prefix


def test_the_whole_country_is_there_and_every_successor_exists() -> None:
    table = divisions._DIVISIONS
    current = {code for code, division in table.items() if division.now == code}
    assert len(current) > 3200
    assert sum(code.endswith("0000") for code in current) == 34
    assert {division.now for division in table.values()} == current
    assert list(table) == sorted(table)


def test_levels_are_prefixes() -> None:
    levels = (divisions.province("370102001"), divisions.city("370102001"), divisions.county("370102001"))
    assert levels == ("37", "3701", "370102")
