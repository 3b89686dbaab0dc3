"""The rosters (名册) of three cities: who ought to register, a tenth of whom never will, and a few rows that are wrong.

Lists come as lists do: a workbook with a title above its header, and csv files, one of them in GB18030.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

import xlsxwriter

from contracts import divisions
from demo.generator import codes
from demo.generator.world import CITIES, COUNTIES, Site, World, address, person, phone

PROVINCE: Final = "370000"
UNREGISTERED: Final = 0.11
"""For every site that registers so many are listed that never do."""

EXPIRED: Final = timedelta(days=90)

_COLUMNS: Final = (
    "主体名称 统一社会信用代码 身份证号 许可证编号 摊位号 地址 区划代码 联系人 电话 环节 业态 经营品类 有效期至"
)
HEADER: Final = tuple(_COLUMNS.split())

Row = tuple[str, ...]

_KIND_OF: Final = {
    "farm": "farm",
    "livestock": "farm",
    "stall": "stall",
    "mother_baby": "filing",
    "pharmacy": "filing",
}
"""The list a kind of site is on; the others hold licences."""

_NEWCOMERS: Final = (
    ("licence", "便民食品店", "流通", "JY1", "蔬菜、水果"),
    ("small_vendor", "早点摊", "餐饮", "", "粮食及其制品"),
    ("farm", "家庭农场", "生产", "", "蔬菜"),
    ("filing", "预包装食品店", "流通", "JY1", "保健食品"),
)
"""List, name, link, licence and categories of those who never register."""


@dataclass(frozen=True)
class Roster:
    """A list of one kind as a file; `listed` rows are in order, `wrong` ones are not."""

    kind: str
    file: str
    content: bytes
    listed: int
    wrong: int


def rosters(world: World, first: date, seed: int) -> list[Roster]:
    """The lists of the day before the month."""
    rng = Random(f"{first}:{seed}:roster")
    rows: dict[str, list[Row]] = {"licence": [], "filing": [], "small_vendor": [], "stall": [], "farm": []}
    for site in world.sites:
        rows[_KIND_OF.get(site.kind, "licence")].append(_row(site, _ends(rng, first, site.licence)))
    for number in range(round(len(world.sites) * UNREGISTERED)):
        kind, row = _newcomer(rng, first, number)
        rows[kind].append(row)
    rows["licence"].append(_lapsed(rng, first))
    wrong = {kind: [_changed(rows[kind][0], change) for change in changes] for kind, changes in _WRONG.items()}
    return [_roster(kind, rng, listed, wrong.get(kind, ())) for kind, listed in rows.items()]


_WRONG: Final[dict[str, tuple[dict[str, str], ...]]] = {
    "licence": ({"主体名称": ""}, {"区划代码": "410102"}, {"有效期至": "见证书"}),
    "small_vendor": ({"身份证号": "", "许可证编号": "", "统一社会信用代码": ""},),
    "farm": ({"区划代码": "历下区"},),
}
"""What is wrong with some rows: no name, a place elsewhere, a day that is none, nothing to tell it by, no code."""


def _row(site: Site, ends: str) -> Row:
    categories = "、".join(sorted({product.category for product in site.goods}))
    given = (site.name, site.uscc, site.id_number, site.licence, site.own_id if site.kind == "stall" else None)
    place = (site.address, site.division, site.contact, site.phone, site.link, site.unit_kind)
    return tuple(value or "" for value in (*given, *place, categories or _SOLD.get(site.kind, ""), ends))


_SOLD: Final = {"shop": "蔬菜、水果、粮食及其制品、鲜肉", "mother_baby": "婴幼儿配方乳粉", "pharmacy": "保健食品"}


def _ends(rng: Random, first: date, licence: str | None) -> str:
    """Most lists say until when a licence holds: five years at the most."""
    return str(first + timedelta(days=rng.randint(40, 1700))) if licence and rng.random() < 0.6 else ""


def _newcomer(rng: Random, first: date, number: int) -> tuple[str, Row]:
    kind, title, link, licence, categories = _NEWCOMERS[number % len(_NEWCOMERS)]
    county = rng.choice(COUNTIES[CITIES[number % len(CITIES)]])
    contact = person(rng)
    held = codes.licence(rng, licence, county) if licence else ""
    uscc, own = ("", codes.id_number(rng, county)) if not licence else (codes.uscc(rng, county, "92"), "")
    name = f"{divisions.name(county)}{contact}{title}"
    where = (address(rng, county), county, contact, phone(rng), link, "", categories)
    return kind, (name, uscc, own, held, "", *where, _ends(rng, first, held))


def _lapsed(rng: Random, first: date) -> Row:
    """Somebody whose licence ended: on the list, and no longer in the denominator."""
    _, row = _newcomer(rng, first, 0)
    return (*row[:-1], str(first - EXPIRED))


def _changed(row: Row, change: dict[str, str]) -> Row:
    return tuple(change.get(name, value) for name, value in zip(HEADER, row, strict=True))


def _roster(kind: str, rng: Random, listed: Sequence[Row], wrong: Sequence[Row]) -> Roster:
    rows = list(listed)
    for row in wrong:
        rows.insert(rng.randint(1, len(rows)), row)
    if kind == "licence":
        return Roster(kind, f"{kind}.xlsx", _workbook(rows), len(listed), len(wrong))
    encoding = "gb18030" if kind == "farm" else "utf-8-sig"
    return Roster(kind, f"{kind}.csv", _text(rows).encode(encoding), len(listed), len(wrong))


def _workbook(rows: Sequence[Row]) -> bytes:
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("名册")
        sheet.write_string(0, 0, "食品生产经营许可名册")
        for number, row in enumerate((HEADER, *rows), 2):
            for column, value in enumerate(row):
                sheet.write_string(number, column, value)
    return book.getvalue()


def _text(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows((HEADER, *rows))
    return text.getvalue()
