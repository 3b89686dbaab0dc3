"""Rates and the points they earn (domain: "Score"), exact until shown. Pure."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from services.reporting.standards import SCORED, Dimension, Values

CENT: Final = Decimal("0.01")


class Count(NamedTuple):
    """A rate as it is counted; without a denominator it is n/a."""

    numerator: int = 0
    denominator: int = 0

    @property
    def rate(self) -> Fraction | None:
        """None for n/a, never 0 or 1."""
        return Fraction(self.numerator, self.denominator) if self.denominator else None


Counts = Mapping[Dimension, Count]


class Score(NamedTuple):
    """Points of 100, or None when every dimension is n/a; `weights` as scaled up for those that are not."""

    total: Fraction | None
    weights: Mapping[Dimension, Fraction]
    points: Mapping[Dimension, Fraction]
    not_applicable: tuple[Dimension, ...]


def score(counts: Counts, thresholds: Values, weights: Values) -> Score:
    """Σ weight × min(1, rate ÷ threshold); the weights of dimensions that are n/a go to the others in proportion."""
    rates = {each: rate for each in SCORED if (rate := counts.get(each, Count()).rate) is not None}
    missing = tuple(each for each in SCORED if each not in rates)
    present = sum((Fraction(weights[each]) for each in rates), Fraction())
    if not present:
        return Score(None, {}, {}, missing)
    scaled = {each: Fraction(weights[each]) * 100 / present for each in rates}
    points = {each: scaled[each] * min(Fraction(1), rates[each] / Fraction(thresholds[each])) for each in rates}
    return Score(sum(points.values(), Fraction()), scaled, points, missing)


def rounded(value: Fraction | None) -> Decimal | None:
    """Two decimals, half up; what people are shown. Ranks go by the exact value."""
    return None if value is None else (Decimal(value.numerator) / value.denominator).quantize(CENT, ROUND_HALF_UP)
