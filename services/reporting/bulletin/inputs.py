"""The rows of sites a bulletin was computed from, kept with it: packed in parts, and their digest. Pure."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final

from services.reporting.domain import SiteRow, System

PART: Final = 5_000
"""Rows in one part; far below a document's limit of 16 MB."""


def pack(rows: Sequence[SiteRow]) -> list[bytes]:
    """Parts that hold the rows."""
    return [zlib.compress(_text(part), 1) for part in _parts(rows)]


def unpack(parts: Iterable[bytes]) -> Iterator[SiteRow]:
    """The rows that parts hold."""
    for part in parts:
        for row in json.loads(zlib.decompress(part)):
            yield SiteRow(*row[:-3], *map(tuple, row[-3:]))


def digest(rows: Sequence[SiteRow], systems: Sequence[System]) -> str:
    """SHA-256 over rows and systems in the order of their ids."""
    hashed = sha256(_text(sorted(systems)))
    for part in _parts(sorted(rows)):
        hashed.update(_text(part))
    return hashed.hexdigest()


def _text(rows: Sequence[Any]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def _parts(rows: Sequence[SiteRow]) -> Iterator[Sequence[SiteRow]]:
    return (rows[start : start + PART] for start in range(0, len(rows), PART))
