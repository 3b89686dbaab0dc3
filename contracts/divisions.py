"""Administrative divisions of GB/T 2260 down to county (data/divisions.csv; THIRD_PARTY_NOTICES.md).

Codes that were abolished since 2000, statistical codes such as 110100 and pseudo-codes of development zones such as
370671 stay valid: old licences carry them. What lies below a county (9 or 12 digits) is known by its county.
"""

import csv
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple


class _Division(NamedTuple):
    name: str
    now: str


def _load() -> dict[str, _Division]:
    with (Path(__file__).parent / "data" / "divisions.csv").open(encoding="utf-8", newline="") as rows:
        return {row["code"]: _Division(row["name"], row["now"] or row["code"]) for row in csv.DictReader(rows)}


_DIVISIONS: Final = _load()


def known(code: str) -> bool:
    """Whether the code, or the county it lies in, is or was a division."""
    return code[:6] in _DIVISIONS and code.isascii() and code.isdigit()


def name(code: str) -> str | None:
    """Its own name in Chinese, or its county's; None when unknown."""
    division = _DIVISIONS.get(code[:6])
    return division.name if division else None


def current(code: str) -> str | None:
    """The six-digit code that stands for it today: the successor of an abolished one, else itself."""
    division = _DIVISIONS.get(code[:6])
    return division.now if division else None


def today(code: str) -> str:
    """The code under today's number; one that never changed stays as precise as it is."""
    now = current(code)
    return code if now in (None, code[:6]) else str(now)


@lru_cache(4096)
def path(code: str) -> str:
    """ "山东省 济南市 历下区"; the levels that are known, so an empty string for nonsense."""
    levels = dict.fromkeys((province(code) + "0000", city(code) + "00", county(code)))
    found = {level: _DIVISIONS[level] for level in levels if level in _DIVISIONS}
    return " ".join(each.name for level, each in found.items() if level == code[:6] or not _statistical(level, each))


def _statistical(level: str, division: _Division) -> bool:
    """市辖区 and its like: a city level that is only the province again."""
    return not level.endswith("0000") and division.now.endswith("0000")


def province(code: str) -> str:
    """Prefix of two digits."""
    return code[:2]


def city(code: str) -> str:
    """Prefix of four digits."""
    return code[:4]


def county(code: str) -> str:
    """Prefix of six digits."""
    return code[:6]


@lru_cache(4096)
def scope_prefix(code: str) -> str:
    """What every code inside the division starts with: "370000" gives "37", "370100" "3701", "370102001000" nine."""
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    while 2 < len(code) <= 6 and code.endswith("00"):
        code = code[:-2]
    return code
