"""Rosters as files: a csv (UTF-8 or GB18030) or xlsx with Chinese or English headers, as rows of text by field."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from chassis.api.errors import InvalidArgument
from contracts import rules

LARGEST: Final = 16 << 20
"""Bytes of a file."""
LARGEST_UNPACKED: Final = 256 << 20
"""An xlsx is a zip: what looks small may fill the memory."""
HEADER_WITHIN: Final = 10
"""A list has its title, its date and its maker above the header."""

_HEADERS: Final = {
    "name": "主体名称 企业名称 单位名称 经营者名称 经营者 名称 姓名 户主 养殖场名称 字号名称",
    "site_name": "场所名称 门店名称 店名 招牌名称 摊位名称",
    "uscc": "统一社会信用代码 社会信用代码 信用代码",
    "id_number": "身份证号 身份证号码 公民身份号码",
    "licence": "许可证编号 许可证号 备案编号 备案号 登记证编号 登记证号 登记编号 证书编号",
    "local_number": "场所编号 门店编号",
    "source": "来源系统 来源",
    "source_id": "摊位号 摊位编号 来源编号",
    "address": "地址 经营地址 经营场所 住所 生产地址 养殖地址",
    "division": "区划代码 行政区划代码 行政区划",
    "contact": "联系人 负责人 法定代表人 专人",
    "phone": "电话 联系电话 手机 手机号",
    "link": "环节 所属环节 监管环节",
    "unit_kind": "单位类型 主体类型 业态",
    "categories": "食品类别 经营品类 品类 类别 食品品种",
    "valid_from": "有效期自 有效期起 发证日期 登记日期 备案日期",
    "valid_until": "有效期至 有效期止 有效期",
}
FIELD_OF: Final = {word: field for field, words in _HEADERS.items() for word in [field, *words.split()]}


class Row(NamedTuple):
    """A row with something in it: its line, counted from 1, and its cells by field."""

    number: int
    cells: Mapping[str, str]


def rows_of(file: bytes) -> list[Row]:
    """The rows below the header. Raises InvalidArgument for what is too large, no table, or has no column of names."""
    if len(file) > LARGEST:
        raise InvalidArgument([rules.error("file", len(file), "too_large")])
    lines = [*(_xlsx(file) if file.startswith(b"PK") else _csv(file))]
    place, header = _header(lines)
    below = (Row(number, _by_field(header, cells)) for number, cells in lines[place + 1 :])
    return [row for row in below if row.cells]


Line = tuple[int, list[str]]


def _header(lines: list[Line]) -> tuple[int, list[str | None]]:
    for place, (_, cells) in enumerate(lines[:HEADER_WITHIN]):
        fields = [FIELD_OF.get(_word(cell)) for cell in cells]
        if "name" in fields:
            return place, fields
    raise InvalidArgument([rules.error("file", "主体名称", "required")])


def _word(cell: str) -> str:
    """ "*统一社会信用代码（必填）" is its word."""
    return "".join(cell.replace("（", "(").partition("(")[0].split()).strip("*").casefold()


def _by_field(header: Iterable[str | None], cells: Iterable[str]) -> dict[str, str]:
    """Of two columns of one field the first that is filled counts."""
    found: dict[str, str] = {}
    for field, cell in zip(header, cells, strict=False):
        if field and cell.strip():
            found.setdefault(field, cell.strip())
    return found


def _csv(file: bytes) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(_text(file), newline=""))
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise InvalidArgument([rules.error("file", error, "unreadable")]) from error


def _text(file: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return file.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidArgument([rules.error("file", None, "unreadable")])


def _xlsx(file: bytes) -> Iterator[Line]:
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > LARGEST_UNPACKED:
            raise InvalidArgument([rules.error("file", unpacked, "too_large")])
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(file)).get_sheet_by_index(0)
        table = sheet.to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, IndexError) as error:
        raise InvalidArgument([rules.error("file", error, "unreadable")]) from error
    for number, cells in enumerate(table, 1):
        yield number, [_cell(cell) for cell in cells]


def _cell(value: Any) -> str:
    """A number that Excel made of a code or a phone is whole again."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
