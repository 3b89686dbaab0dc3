"""Rosters: what files say, what is wrong with their rows, and what their entries do; any order, any repetition."""

import io
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.api.errors import InvalidArgument
from contracts.registry import Observation, OperatorState
from contracts.trace import Category
from services.registry import domain
from services.registry.claims import ROSTER
from services.registry.decision import By
from services.registry.documents import Claim
from services.registry.roster import roster
from services.registry.roster.entries import Import, Read, as_of, read
from services.registry.roster.tables import LARGEST, Row, rows_of
from services.registry.standing import NOTHING, day_of
from tests.unit.test_registry_convergence import OBSERVATIONS, Memory, assert_told_what_is
from tests.unit.test_registry_domain import LICENCE, NOON, OTHER_LICENCE, USCC, Registry, sight

SITE, OTHER_SITE = f"licence:{LICENCE}", f"licence:{OTHER_LICENCE}"
CLERK = By("王五", "regulator", "roster r-1")
HEADER = "主体名称,统一社会信用代码,许可证编号,地址,区划代码,环节,单位类型,经营品类,有效期自,有效期至\n"
LINE = f"历下一小食堂,{USCC},{LICENCE},历下区1号,370102,餐饮,学校食堂,肉制品、乳制品,2020年1月1日,长期\n"


def meant(days: int = 0, kind: str = "licence", division: str = "370100", id: str = "r-1") -> Import:
    return Import(id, kind, division, NOON + timedelta(days=days))


def entry(days: int = 0, **cells: str) -> Claim:
    found = read([Row(2, {"name": "张三蔬菜", "licence": LICENCE, "division": "370102", **cells})], meant(days))
    assert not found.errors
    return found.claims[0]


def take(registry: Registry, *entries: Claim, days: int = 0) -> int:
    decision, new, _ = roster.take(registry.operators, entries, CLERK, NOON + timedelta(days=days))
    registry.take(decision)
    return new


def errors(found: Read) -> list[tuple[int, str, str]]:
    return [(number, error.field, error.rule) for number, error in found.errors]


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """A minimal xlsx with text and number cells."""

    def cell(value: Any) -> str:
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="名单" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return file.getvalue()


# Files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_with_chinese_headers_is_read_in_either_encoding(encoding: str) -> None:
    (claim,) = read(rows_of((HEADER + LINE).encode(encoding)), meant()).claims
    assert (claim["site"], claim["operator"], claim["source"]) == (SITE, f"uscc:{USCC}", ROSTER)
    told = claim["told"]
    assert (told["name"], told["link"], told["unit_kind"]) == ("历下一小食堂", "catering", "school_canteen")
    assert told["categories"] == "dairy meat"
    assert claim["listing"] == {"kind": "licence", "since": "2020-01-01", "until": None}


def test_xlsx_is_read_below_its_title_with_numbers_made_whole() -> None:
    header = ["*主体名称（必填）", "许可证编号", "电话", "区划代码"]
    rows: list[list[Any]] = [["济南市餐饮单位名单"], header, ["张三", LICENCE, 1.38e10, 370102]]
    (claim,) = read(rows_of(workbook(rows)), meant()).claims
    assert (claim["told"]["phone"], claim["told"]["division"]) == ("13800000000", "370102")


def test_rows_without_anything_are_passed_over_and_others_keep_their_line() -> None:
    rows = rows_of((HEADER + ",,,,,,,,,\n" + LINE).encode())
    assert [row.number for row in rows] == [3]


def bomb() -> bytes:
    """A small zip of 257 MiB of nothing."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(257 << 20))
    return file.getvalue()


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        (b"PK\x03\x04broken", "unreadable"),
        (b"\xff\xfe\xff\xff", "unreadable"),
        (b"a,b\n1,2\n", "required"),
        (b"", "required"),
        (bytes(LARGEST + 1), "too_large"),
        (None, "too_large"),
    ],
)
def test_what_is_no_table_of_names_is_refused_with_the_rule(file: bytes | None, rule: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        rows_of(bomb() if file is None else file)
    assert refused.value.fields[0].rule == rule


# Rows


def test_wrong_rows_are_told_by_number_field_and_rule_and_spare_their_neighbours() -> None:
    lines = [
        LINE,
        f",{USCC},{OTHER_LICENCE},,370102,,,,,\n",
        "无号,,,,370102,,,,,\n",
        f"远方,,{OTHER_LICENCE},,370202,,,,,\n",
        f"怪,,{OTHER_LICENCE},,历下,太空,,,昨天,\n",
        f"倒,,{OTHER_LICENCE},,370102,,,,2022-07-01,2021-07-01\n",
        f"改名,{USCC},{LICENCE},,370102,,,,,\n",
        LINE,
    ]
    found = read(rows_of((HEADER + "".join(lines)).encode()), meant())
    assert errors(found) == [
        (3, "name", "required"),
        (4, "licence", "no_site"),
        (5, "division", "invalid_value"),
        (6, "division", "invalid_value"),
        (6, "link", "invalid_value"),
        (6, "valid_from", "time_unreadable"),
        (7, "valid_until", "time_order"),
        (8, "site", "id_reused"),
    ]
    assert (len(found.claims), found.refused) == (1, 6)
    assert dict(found.errors)[5].value == "370202"


def test_doubtful_codes_are_listed_with_their_flag() -> None:
    (flag,) = entry(licence=LICENCE[:-1] + "5")["flags"]
    assert flag["rule"] == "licence_check_digit"


def test_row_without_division_or_link_takes_those_of_its_list() -> None:
    found = read([Row(1, {"name": "李农", "uscc": USCC})], meant(kind="farm", division="370102"))
    assert found.claims[0]["told"] | {"division": "370102", "link": "production"} == found.claims[0]["told"]


def test_stall_of_a_list_is_the_stall_of_the_market_app() -> None:
    found = read([Row(1, {"name": "张三", "source_id": "stall-9"})], meant(kind="stall"))
    registry = Registry()
    take(registry, *found.claims)
    registry.observe(sight(0))
    assert registry.sites == {"market:stall-9": ["market:stall-9"]}
    assert registry.site("market:stall-9")["source_ids"] == [{"source": "market", "id": "stall-9"}]


def test_id_number_of_a_roster_is_nowhere_in_the_clear() -> None:
    assert "11010519491231002X" not in repr(entry(licence="", id_number="11010519491231002X"))


@pytest.mark.parametrize("day", ["2022-07-02", "someday"])
def test_list_of_a_day_to_come_or_none_is_no_list(day: str) -> None:
    with pytest.raises(ValueError, match=r"day|isoformat"):
        as_of(day, NOON)


def test_list_speaks_for_its_day_and_a_later_import_of_the_day_stands() -> None:
    assert day_of(as_of("2022-06-01", NOON)) == "2022-06-01"
    assert as_of("", NOON) == NOON
    assert as_of("2022-06-01", NOON) < as_of("2022-06-01", NOON + timedelta(minutes=1))


# What they do


def test_only_listed_is_not_registered_and_owes_nobody_a_registration() -> None:
    registry = Registry()
    decision, new, _ = roster.take([], [entry()], CLERK, NOON)
    (site,) = decision.sites
    assert (site.state, site.listed, site.registered, new) == (OperatorState.LISTED, True, False, 1)
    registry.take(decision)
    assert registry.operator(SITE)["state"] == "listed"


def test_self_registration_is_never_on_the_roster() -> None:
    registry = Registry()
    registry.observe(sight(0, licence=LICENCE))
    assert (registry.site(SITE)["listed"], registry.site(SITE)["registered"]) == (False, True)


def test_listed_and_seen_is_registered_and_stays_listed() -> None:
    registry = Registry()
    take(registry, entry(), entry(licence=OTHER_LICENCE))
    registry.observe(sight(0, licence=LICENCE, uscc=USCC))
    assert (registry.site(SITE)["state"], registry.site(SITE)["listed"]) == ("registered", True)
    assert (registry.site(OTHER_SITE)["state"], registry.site(OTHER_SITE)["registered"]) == ("listed", False)


def test_roster_only_site_of_a_registered_operator_is_listed_only() -> None:
    registry = Registry()
    take(registry, entry(uscc=USCC), entry(uscc=USCC, licence=OTHER_LICENCE))
    registry.observe(sight(0, licence=LICENCE, uscc=USCC))
    assert registry.operator(f"uscc:{USCC}")["state"] == "registered"
    assert registry.site(OTHER_SITE)["state"] == "listed"


def test_same_row_again_changes_and_announces_nothing() -> None:
    registry = Registry()
    take(registry, entry())
    assert take(registry, entry()) == 0
    decision, new, _ = roster.take(registry.operators, [entry(1)], CLERK, NOON + timedelta(days=1))
    assert (decision.sites, decision.changes, new) == ((), [], 0)


def test_later_roster_supersedes_and_an_earlier_one_does_not() -> None:
    registry = Registry()
    assert take(registry, entry(5, valid_until="2022-12-31"), days=5) == 1
    assert take(registry, entry(1, valid_until="2022-08-31"), days=6) == 0
    assert registry.site(SITE)["listings"][0]["until"] == "2022-12-31"
    assert take(registry, entry(9, valid_until="2023-12-31"), days=9) == 1


def test_entry_counts_on_its_days_only() -> None:
    registry = Registry()
    take(registry, entry(valid_from="2022-07-02", valid_until="2022-07-03"))
    seen = []
    for days in range(4):
        now = NOON + timedelta(days=days)
        registry.take(domain.look_again(registry.operators, CLERK, now, NOTHING))
        seen.append((registry.site(SITE)["listed"], registry.operators[0]["due"]))
    assert seen == [(False, "2022-07-02"), (True, "2022-07-04"), (True, "2022-07-04"), (False, None)]


def test_whole_list_ends_what_it_has_not_in_its_place_and_of_its_kind() -> None:
    registry = Registry()
    elsewhere = entry(licence="JY12345678901234", division="370103")
    farm = read([Row(1, {"name": "李农", "licence": "JY99999999999999", "division": "370102"})], meant(kind="farm"))
    take(registry, entry(), entry(licence=OTHER_LICENCE), elsewhere, *farm.claims)
    take(registry, entry(9), days=9)
    later = NOON + timedelta(days=9)
    decision, ended = roster.end(registry.operators, "licence", "370102", later, CLERK, later)
    assert ended == 1
    assert [(site.site, site.listed) for site in decision.sites] == [(OTHER_SITE, False)]
    registry.take(decision)
    assert registry.site(OTHER_SITE)["listings"][0]["until"] == "2022-07-09"
    assert [row["kind"] for row in decision.changes] == ["unlisted"]
    assert roster.end(registry.operators, "licence", "370102", later, CLERK, later)[1] == 0


def test_categories_of_roster_and_declaration_add_up() -> None:
    registry = Registry()
    take(registry, entry(categories="水果 调味品"))
    registry.observe(sight(0, licence=LICENCE, categories=(Category.MEAT,)))
    assert registry.site(SITE)["categories"] == ["fruit", "meat"]


ENTRIES = st.builds(
    lambda days, licence, uscc, source_id, name, until: read(
        [Row(1, {"name": name, "licence": licence, "uscc": uscc, "source_id": source_id, "valid_until": until})],
        meant(days, kind="stall"),
    ).claims[0],
    st.integers(-3, 0),
    st.sampled_from(["", LICENCE, OTHER_LICENCE]),
    st.sampled_from(["", USCC]),
    st.sampled_from(["9", "10"]),
    st.sampled_from(["张三蔬菜", "李四蔬菜"]),
    st.sampled_from(["", "2022-12-31", "2022-06-30"]),
)


def told(memory: Memory, one: Claim | Observation) -> None:
    if isinstance(one, Observation):
        memory.observe([one])
        return
    keys = [one["site"], one["operator"], *([one["key"]] if one["key"] else [])]
    memory.write(roster.take(memory.component(keys), [one], CLERK, NOON)[0])


@settings(max_examples=300, deadline=None)
@given(st.data(), st.lists(st.one_of(OBSERVATIONS, ENTRIES), min_size=1, max_size=7))
def test_order_and_repetition_of_rosters_and_observations_do_not_matter(
    data: st.DataObject, seen: list[Claim | Observation]
) -> None:
    once, other = Memory(), Memory()
    for one in seen:
        told(once, one)
    for one in data.draw(st.permutations(seen + data.draw(st.lists(st.sampled_from(seen), max_size=4)))):
        told(other, one)
    assert other.picture() == once.picture()
    assert_told_what_is(once)
    assert_told_what_is(other)
