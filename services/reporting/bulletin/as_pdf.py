"""The bulletin as a PDF (PDF/A-2b, for the archive), typeset by Typst with the bulletin's own typefaces. Pure."""

import json
from pathlib import Path
from typing import Final

import typst

from services.reporting.bulletin import font
from services.reporting.bulletin.views import View

TEMPLATE: Final = Path(__file__).parent / "page.typ"
SHOWN_AT_MOST: Final = 24
"""Rows of a long table on paper; the workbook has all."""


def render(view: View, created: int) -> bytes:
    """A PDF file; `created` (Unix seconds) makes the same version the same bytes."""
    told = font.drawable(_told(view))
    return typst.compile(
        TEMPLATE,
        font_paths=[font.paths()[0].parent],
        ignore_system_fonts=True,
        sys_inputs={"view": json.dumps(told, ensure_ascii=False)},
        timestamp=created,
        pdf_standards=["a-2b"],
        format="pdf",
    )


def _told(view: View) -> dict[str, object]:
    return {
        **view._asdict(),
        "cards": [card._asdict() for card in view.cards],
        "best": [column._asdict() for column in view.best],
        "dimensions": view.dimensions._asdict(),
        "charts": [chart._asdict() for chart in view.charts],
        "tables": [table.shortened(SHOWN_AT_MOST)._asdict() for table in view.tables if table.rows],
    }
