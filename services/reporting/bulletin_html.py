"""The bulletin as one page of HTML that needs nothing else: styles and charts are inside. Pure."""

from base64 import b64encode
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.reporting.bulletin_view import View

SHOWN_AT_MOST = 60
"""Rows of a long table on the page; the workbook has all."""


def render(view: View) -> bytes:
    """UTF-8."""
    tables = [table.shortened(SHOWN_AT_MOST) for table in view.tables if table.rows]
    return _template().render(view=view, tables=tables).encode()


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["inline"] = lambda svg: f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return environment.get_template("bulletin.html.j2")
