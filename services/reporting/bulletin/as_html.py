"""The bulletin as one page of HTML that needs nothing else: styles, charts and typefaces are inside. Pure."""

from base64 import b64encode
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.reporting.bulletin import font
from services.reporting.bulletin.views import View

SHOWN_AT_MOST = 60
"""Rows of a long table on the page; the workbook has all."""


def render(view: View) -> bytes:
    """UTF-8."""
    tables = [table.shortened(SHOWN_AT_MOST) for table in view.tables if table.rows]
    bare = _template().render(view=view, tables=tables, faces={})
    sans, serif = font.paths()
    faces = {"Bulletin Sans": _face(sans, _text(bare)), "Bulletin Serif": _face(serif, view.title)}
    return _template().render(view=view, tables=tables, faces=faces).encode()


def _text(page: str) -> str:
    """Every character of a page once; what the charts are drawn with does no harm."""
    return "".join(sorted({*page}))


def _face(path: Path, text: str) -> str:
    return f"data:font/woff;base64,{b64encode(font.woff(path, text)).decode()}"


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["inline"] = lambda svg: f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return environment.get_template("page.html.j2")
