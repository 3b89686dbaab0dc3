"""The typeface of all papers: Noto Sans SC and Noto Serif SC (SIL OFL 1.1), from a wheel, so that no system font is
needed. What it has no glyph for is printed as 〓, the mark of the trade for a missing character. Pure but for reading
the font once."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pylopdf_fonts_zh_cn
from fontTools import subset
from fontTools.ttLib import TTFont

GETA: Final = "〓"
PLAIN: Final = frozenset("\n\r\t\u00a0\u200b")
"""What is laid out, not drawn."""


@cache
def paths() -> tuple[Path, Path]:
    """The files: sans, serif."""
    return pylopdf_fonts_zh_cn.sans_path(), pylopdf_fonts_zh_cn.serif_path()


@cache
def _drawn() -> frozenset[str]:
    """Characters that both faces have."""
    return frozenset(map(chr, set.intersection(*map(_codes, paths()))))


def _codes(path: Path) -> set[int]:
    with TTFont(path, lazy=True) as face:
        return set(face.getBestCmap())


def woff(path: Path, text: str) -> bytes:
    """A face with no more than the characters of a text, for a page that shall look the same on every machine."""
    options = subset.Options(flavor="woff", hinting=False, layout_features=[])
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    file = BytesIO()
    with subset.load_font(path, options, lazy=True) as face:
        face.recalcTimestamp = False
        cutter.subset(face)
        subset.save_font(face, file, options)
    return file.getvalue()


def missing(text: str) -> set[str]:
    """Characters of a text that cannot be drawn."""
    return set(text) - _drawn() - PLAIN


def drawable(value: Any) -> Any:
    """A text, or all texts in a structure, with 〓 for what cannot be drawn."""
    match value:
        case str():
            lacking = missing(value)
            return value.translate({ord(each): GETA for each in lacking}) if lacking else value
        case dict():
            return {name: drawable(each) for name, each in value.items()}
        case list() | tuple():
            return [drawable(each) for each in value]
        case _:
            return value
