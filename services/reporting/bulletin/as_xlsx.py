"""The bulletin as a workbook: a sheet for the method, one for each table, nothing shortened. Pure."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from io import BytesIO
from typing import Any, Final

import xlsxwriter

from services.reporting.bulletin.table import Cell, Figure, Table
from services.reporting.bulletin.views import View

Formats = Callable[[str], Any]
"""The workbook's format for a pattern of numbers."""

WIDEST: Final = 48
NAME_AT_MOST: Final = 31
"""Characters of a sheet's name that Excel takes."""


def render(view: View) -> bytes:
    """An xlsx file."""
    file = BytesIO()
    # Texts from outside must stay texts, whatever they begin with.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(file, plain) as book:
        head = book.add_format({"bold": True, "font_color": "white", "bg_color": "#1f6f6b", "border": 1})
        shown = cache(lambda pattern: book.add_format({"num_format": pattern}))
        _overview(book, view, shown)
        for table in view.tables:
            if table.rows:
                _sheet(book, table, head, shown)
    return file.getvalue()


def _overview(book: Any, view: View, shown: Formats) -> None:
    sheet = book.add_worksheet("概况与方法")
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 3, 26)
    sheet.write(0, 0, f"{view.title}（{view.month}）", book.add_format({"bold": True, "font_size": 16}))
    rows: list[Sequence[Cell]] = [[view.issue], [view.reason], [view.summary], []]
    rows += [[*card[:3], card.detail] for card in view.cards]
    rows += [[], view.dimensions.head, *view.dimensions.rows, []]
    rows += [[text] for text in (*view.method, f"输入摘要 SHA-256：{view.inputs}")]
    for place, row in enumerate(rows, 1):
        _row(sheet, place, row, shown)


def _sheet(book: Any, table: Table, head: Any, shown: Formats) -> None:
    sheet = book.add_worksheet(table.title[:NAME_AT_MOST])
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, table.head, head)
    for place, row in enumerate(table.rows, 1):
        _row(sheet, place, row, shown)
    sheet.autofilter(0, 0, len(table.rows), len(table.head) - 1)
    for column, title in enumerate(table.head):
        longest = max(len(str(text)) for text in (title, *(row[column] for row in table.rows)))
        sheet.set_column(column, column, min(2 * longest + 2, WIDEST))


def _row(sheet: Any, place: int, cells: Iterable[Cell], shown: Formats) -> None:
    for column, cell in enumerate(cells):
        if isinstance(cell, Figure):
            sheet.write_number(place, column, cell.value, shown(cell.pattern))
        else:
            sheet.write(place, column, cell)
