"""Points and ranks counted by brute force: rates against thresholds, exact until shown."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

from demo.brute_records import Json

DIMENSIONS: Final = ("registration", "activity", "coverage", "upload")

OPENING: Final[Json] = {
    "division": "",
    "from_day": "2022-04-15",
    "number": 0,
    "thresholds": {"registration": "1.00", "activity": "0.80", "coverage": "0.80", "upload": "0.95"},
    "weights": dict.fromkeys(DIMENSIONS, "25"),
    "tag": "",
}
"""Thresholds and weights until a province sets its own: 25 points each."""


def scored(code: str, counts: dict[str, list[int]], standards: Iterable[Json], on: date) -> Json:
    """Σ weight × min(1, rate / threshold); without a denominator a dimension's weight goes to the others.

    `code` is a prefix of divisions; a station's is longer than its county's. `exact` is the score as a fraction.
    """
    rows = _in_force(standards, on, code)
    thresholds = {name: str(row["thresholds"][name]) for row in rows for name in row["thresholds"]}
    # Weights hold for what lies below their division; a province's also for itself.
    weights = [row["weights"] for row in rows if row["weights"] and len(row["division"]) < max(3, len(code))][-1]
    rates = {name: Fraction(*counts[name]) for name in DIMENSIONS if counts[name][1]}
    present = sum((Fraction(weights[name]) for name in rates), Fraction())
    scaled = {name: Fraction(weights[name]) * 100 / present for name in rates} if present else {}
    points = {
        name: share * min(Fraction(1), rates[name] / Fraction(thresholds[name])) for name, share in scaled.items()
    }
    return {
        "thresholds": {name: thresholds[name] for name in DIMENSIONS},
        "weights": {name: cents(share) for name, share in scaled.items()},
        "points": {name: cents(earned) for name, earned in points.items()},
        "exact": sum(points.values(), Fraction()) if points else None,
        "tag": next((row["tag"] for row in reversed(rows) if row["division"] == code), ""),
        "not_applicable": [name for name in DIMENSIONS if name not in rates],
    }


def _in_force(standards: Iterable[Json], on: date, code: str) -> list[Json]:
    """What holds for a place, from the whole platform's down to its own, older before newer."""
    dated = [row for row in (OPENING, *standards) if row["from_day"] <= on.isoformat()]
    held = [row for row in dated if code.startswith(row["division"])]
    return sorted(held, key=lambda row: (len(row["division"]), row["from_day"], row["number"]))


def rank(found: Sequence[Json]) -> None:
    """Among the same level and link, the links of a province among themselves; equal scores share a rank."""
    for line in found:
        rivals = [other["exact"] for other in found if _league(other) == _league(line) and other["exact"] is not None]
        line["rank"] = 0 if line["exact"] is None else 1 + sum(other > line["exact"] for other in rivals)


def _league(line: Json) -> tuple[str, ...]:
    between_links = line["level"] == "province" and line["link"]
    return (line["code"], "links") if between_links else (line["level"], line["link"])


def share(part: int, whole: int) -> str | None:
    """A rate, four decimals, half up; None without a denominator."""
    return _rounded(Fraction(part, whole), "0.0001") if whole else None


def cents(value: Fraction) -> str:
    """Two decimals, half up."""
    return _rounded(value, "0.01")


def _rounded(value: Fraction, to: str) -> str:
    return str((Decimal(value.numerator) / value.denominator).quantize(Decimal(to), ROUND_HALF_UP))
