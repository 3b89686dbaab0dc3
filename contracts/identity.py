"""Ids as pure functions of the strongest identifier in a record: nobody asks the registry on the way (ADR 0008).

Ids hold no white space and no "@": a trace node's key is `batch@site`. Codes and lots are compared in upper case; a
source's own ids keep their case. A placeholder ("无", "/", "000000") is no identifier.
"""

import re
import unicodedata
from functools import lru_cache
from hashlib import sha256
from typing import Final

from contracts import codes

_MAX_OWN: Final = 64
_GS1_LINK: Final = re.compile(r"(?:.*/)?01/(\d{8,14})/10/([^/?#]+)(?:[/?#].*)?")


def site_id(
    *,
    licence: str | None = None,
    uscc: str | None = None,
    local_number: str | None = None,
    id_number: str | None = None,
    source: str | None = None,
    source_id: str | None = None,
) -> str | None:
    """`licence:JY…`, `uscc:…`, `uscc:…:3`, `market:stall-9`, `person:…`, or None when nothing identifies the site.

    A licence is one site's; a USCC with the operator's own number for the site comes next, then the source's id.
    """
    if code := _code(licence, 6):
        return f"licence:{code}"
    if code := _code(uscc, 15):
        number = _own(local_number)
        return f"uscc:{code}:{number}" if number else f"uscc:{code}"
    return _source_id(source, source_id) or _person(id_number)


def operator_id(
    *,
    uscc: str | None = None,
    id_number: str | None = None,
    licence: str | None = None,
    source: str | None = None,
    source_id: str | None = None,
) -> str | None:
    """`uscc:…`, `person:<16 hex>`, `licence:JY…`, `market:…`, or None when nothing identifies the operator."""
    if code := _code(uscc, 15):
        return f"uscc:{code}"
    if person := _person(id_number):
        return person
    if code := _code(licence, 6):
        return f"licence:{code}"
    return _source_id(source, source_id)


def batch_code(
    *,
    trace_code: str | None = None,
    gtin: str | None = None,
    lot: str | None = None,
    issuer: str | None = None,
) -> str | None:
    """The batch's trace code: the one given, else `01/{gtin14}/10/{lot}` (GS1), else the platform's own.

    `issuer` is the id of who gave the lot its number: the operator by its USCC where one is known, else the site.
    None when there is no lot or nobody who issued it.
    """
    if given := _given(trace_code):
        link = _GS1_LINK.fullmatch(given)
        return _gs1(link[1], link[2]) if link else _short(given)
    number = (_own(lot) or "").upper()
    if not number:
        return None
    if gtin and codes.gtin_problem(gtin) != "gtin_length":
        return _gs1(codes.compact(gtin), number)
    return codes.trace_code(issuer, number) if issuer else None


def record_id(
    *,
    document: str | None,
    line: int,
    site: str | None,
    step: str,
    source: str,
    message_id: str,
) -> str:
    """ "E" and 32 hex digits. The same document, line, site and step is the same event whichever app reports it.

    Without a document number the source's message and line tell it; so they do when the number is shorter than six
    characters, for such a one starts again every day.
    """
    number = _code(document, 6)
    parts = ("document", number, line, site, step) if number and site else ("message", source, message_id, line)
    return "E" + sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def _given(trace_code: str | None) -> str | None:
    """A code somebody wrote down. One of the platform's own in 250 holds no digit but zero, and is none the worse."""
    code = codes.compact(trace_code or "")
    return code if codes.is_trace_code(code) else _code(code, 1)


@lru_cache(codes.CACHED)
def _code(value: str | None, least: int) -> str | None:
    """A code of at least so many characters, with at least one digit that is not zero."""
    code = codes.compact(value or "").replace("@", "_")
    return code if len(code) >= least and any(char in "123456789" for char in code) else None


@lru_cache(codes.CACHED)
def _own(value: str | None) -> str | None:
    """A number of the sender's own making, shortened by hash when it is longer than any real one."""
    text = "".join(unicodedata.normalize("NFKC", value or "").split()).replace("@", "_")
    return _short(text) if any(char.isalnum() for char in text) else None


def _short(text: str) -> str:
    return text if len(text) <= _MAX_OWN else "#" + sha256(text.encode()).hexdigest()[:32]


def _source_id(source: str | None, source_id: str | None) -> str | None:
    number = _own(source_id)
    return f"{source}:{number}" if source and number else None


def _person(id_number: str | None) -> str | None:
    """A pseudonym: ids travel in logs and to other services, an ID number must not."""
    number = _code(id_number, 15)
    return "person:" + sha256(number.encode()).hexdigest()[:16] if number else None


def _gs1(gtin: str, lot: str) -> str:
    return f"01/{gtin.zfill(14)}/10/{lot}"
