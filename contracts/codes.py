"""Check digits of the codes that name operators, licences, people, goods and batches.

Each `*_problem` takes a code as it came and returns None or the id of a rule of `contracts.rules`. A wrong check
digit occurs on genuine papers: it is flagged, never refused.
"""

import re
import unicodedata
from functools import lru_cache
from hashlib import sha256
from typing import Final

from stdnum import ean
from stdnum.cn import ric
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10, mod_37_36

CACHED: Final = 16_384
"""Verdicts kept per kind of code: the same operators and licences come again and again."""

_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LICENCE: Final = re.compile(r"(?:SC|JY)(.*)")
_TRACE_CODE: Final = re.compile(r"SL[0-9A-HJKMNP-TV-Z]{16}[0-9A-Z]")
_GTIN_LENGTHS: Final = (8, 12, 13, 14)


@lru_cache(CACHED)
def compact(code: str) -> str:
    """A code as it is compared: NFKC (full-width to half-width), upper case, no white space."""
    return "".join(unicodedata.normalize("NFKC", code).upper().split())


@lru_cache(CACHED)
def plate(vehicle: str) -> str:
    """A vehicle as it is compared: 鲁A·D1234, 鲁Ａ d1234 and 鲁A-D1234 are one. What holds no digit (三轮车) is no
    plate, and stays the sender's words.
    """
    written = "".join(char for char in compact(vehicle) if char.isalnum())
    return written if is_plate(written) else vehicle


def is_plate(vehicle: str) -> bool:
    """Whether a vehicle can be told from others."""
    return any(char.isdigit() for char in vehicle)


@lru_cache(CACHED)
def uscc_problem(code: str) -> str | None:
    """统一社会信用代码, GB 32100-2015. Letters in the first eight places are legal (A1, N1-N3, N9, Y1)."""
    code = compact(code)
    if len(code) != 18:
        return "uscc_length"
    if not set(code) <= set(_USCC):
        return "uscc_alphabet"
    if code[17] != uscc_check_digit(code[:17]):
        return "uscc_check_digit"
    if code[16] != organisation_check_digit(code[8:16]):
        return "uscc_organisation_check_digit"
    return None


def uscc_check_digit(first17: str) -> str:
    """The 18th character: (31 - sum of value x 3^(i-1)) mod 31."""
    total = sum(_USCC.index(char) * weight for char, weight in zip(first17, _USCC_WEIGHTS, strict=True))
    return _USCC[-total % 31]


def organisation_check_digit(first8: str) -> str:
    """The 9th character of an organisation code (GB 11714), the 17th of a USCC; ten is written X."""
    weighted = zip(first8, _ORGANISATION_WEIGHTS, strict=True)
    return "0123456789X"[-sum(_ORGANISATION.index(char) * weight for char, weight in weighted) % 11]


@lru_cache(CACHED)
def id_number_problem(number: str) -> str | None:
    """公民身份号码, GB 11643: 17 digits, the day of birth among them, and a check character."""
    number = compact(number)
    if not re.fullmatch(r"\d{17}[\dX]", number, re.ASCII):
        return "id_number_format"
    if number[17] != ric.calc_check_digit(number):
        return "id_number_check_digit"
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return "id_number_birth_date"
    return None


@lru_cache(CACHED)
def licence_problem(licence: str) -> str | None:
    """SC (production) and JY (business) licences: 14 digits, the last by ISO 7064 MOD 11,10.

    Other papers (filings, small-vendor registrations) have no check that is known.
    """
    match = _LICENCE.fullmatch(compact(licence))
    if match is None:
        return None
    digits = match[1]
    if not re.fullmatch(r"\d{14}", digits, re.ASCII):
        return "licence_length"
    return None if mod_11_10.is_valid(digits) else "licence_check_digit"


def licence_check_digit(first: str) -> str:
    """The last digit of an SC or JY licence, from the 13 digits before it (with or without the letters)."""
    return str(mod_11_10.calc_check_digit(first[-13:]))


@lru_cache(CACHED)
def gtin_problem(code: str) -> str | None:
    """GTIN-8, -12, -13 and -14: GS1 mod 10."""
    code = compact(code)
    if len(code) not in _GTIN_LENGTHS or not (code.isascii() and code.isdigit()):
        return "gtin_length"
    return None if ean.is_valid(code) else "gtin_check_digit"


def ear_tag_problem(code: str) -> str | None:
    """Ear tag 畜禽标识: species (1 pig, 2 cattle, 3 sheep), 6 digits of the county, 8 of the serial."""
    return None if re.fullmatch(r"[123]\d{14}", compact(code), re.ASCII) else "ear_tag_format"


@lru_cache(CACHED)
def trace_code(issuer: str, lot: str) -> str:
    """The platform's code for a lot that has none: the same issuer and lot give the same code.

    The issuer is the id of who numbered the lot: the operator by its USCC where one is known, else the site.

    "SL", 80 bits of SHA-256 in Crockford's base 32, and a check character by ISO 7064 MOD 37,36.
    """
    bits = int.from_bytes(sha256(f"{issuer}\n{lot}".encode()).digest()[:10])
    body = "SL" + "".join(_CROCKFORD[bits >> place & 31] for place in range(75, -1, -5))
    return body + str(mod_37_36.calc_check_digit(body))


def is_trace_code(code: str) -> bool:
    """Whether a code, compacted, has the platform's own form."""
    return _TRACE_CODE.fullmatch(code) is not None


@lru_cache(CACHED)
def trace_code_problem(code: str) -> str | None:
    """Only codes of the platform's own form can be judged; another issuer's code is taken as it is."""
    if not is_trace_code(code):
        return None
    return None if mod_37_36.is_valid(code) else "trace_code_check_digit"


def batch_problem(batch: str) -> str | None:
    """What is wrong with a batch's code, be it the platform's own or `01/{gtin14}/10/{lot}`."""
    return gtin_problem(batch[3:17]) if batch.startswith("01/") else trace_code_problem(batch)
