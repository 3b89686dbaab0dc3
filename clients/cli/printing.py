"""What commands print: JSON alone on stdout, or tables with Chinese heads."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
WIDE: Final = 200
"""Columns when nobody watches: a file or a pipe has no width."""


class Format(StrEnum):
    """How a command prints."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="输出方式。How to print.")]


def print_json(content: Any) -> None:
    """One JSON document."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> None:
    """A table of plain text; a line that says so where there are no rows, so that nobody looks for them."""
    told = list(rows)
    if not told:
        console().print(f"{title}：无 none", markup=False)
        return
    table = Table(title=title, caption=caption or None, title_justify="left", caption_justify="left")
    for head in heads:
        # What a row begins with is copied into the next command: it stays in one piece.
        table.add_column(head, overflow="fold", no_wrap=head == heads[0])
    for row in told:
        table.add_row(*row)
    console().print(table, markup=False)


def print_sheet(title: str, told: Mapping[str, str]) -> None:
    """One thing by name and value, without what it does not have."""
    sheet = Table(title=title, title_justify="left", show_header=False)
    sheet.add_column(no_wrap=True)
    sheet.add_column(overflow="fold")
    for name, value in told.items():
        if value:
            sheet.add_row(name, value)
    console().print(sheet, markup=False)


def console() -> Console:
    """Where people read."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False)


def local_time(text: str) -> str:
    """An RFC 3339 time as a clock in Shanghai shows it; empty for none."""
    return f"{datetime.fromisoformat(text).astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if text else ""
