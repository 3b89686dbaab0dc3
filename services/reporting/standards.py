"""Thresholds and weights as versioned data: which hold for a place on a day. Pure.

A threshold holds for its division and all below it, the nearest one winning: a demonstration city carries higher ones.
Weights hold for what lies below their division: a city weighs its counties, the province its cities.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Dimension(StrEnum):
    """The four dimensions that are scored, and activation, which is shown beside registration."""

    REGISTRATION = "registration"
    ACTIVITY = "activity"
    COVERAGE = "coverage"
    UPLOAD = "upload"
    ACTIVATION = "activation"


SCORED: Final = (Dimension.REGISTRATION, Dimension.ACTIVITY, Dimension.COVERAGE, Dimension.UPLOAD)

Values = Mapping[Dimension, Decimal]
NONE: Final[Values] = MappingProxyType({})


class Standard(NamedTuple):
    """One row of the collection; `division` is a prefix of codes, the empty one the whole platform's.

    Of two with the same division and day the one with the higher `number` holds.
    """

    division: str
    from_day: date
    number: int = 0
    thresholds: Values = NONE
    weights: Values = NONE
    tag: str = ""


DEFAULT: Final = Standard(
    division="",
    from_day=date(2022, 4, 15),
    thresholds={
        Dimension.REGISTRATION: Decimal("1.00"),
        Dimension.ACTIVITY: Decimal("0.80"),
        Dimension.COVERAGE: Decimal("0.80"),
        Dimension.UPLOAD: Decimal("0.95"),
    },
    weights=dict.fromkeys(SCORED, Decimal(25)),
)
"""In force from the start of S4's first phase, until a province sets its own."""


class InForce(NamedTuple):
    """What holds for one place: thresholds, weights (100 together) and its tag."""

    thresholds: Values
    weights: Values
    tag: str


class Standards:
    """All standards in force on a day."""

    def __init__(self, rows: Iterable[Standard], on: date) -> None:
        dated = [row for row in (DEFAULT, *rows) if row.from_day <= on]
        self._by_division: dict[str, list[Standard]] = {}
        for row in sorted(dated, key=lambda row: (row.from_day, row.number)):
            self._by_division.setdefault(row.division, []).append(row)

    def of(self, code: str) -> InForce:
        """What holds for the division of a code prefix, `37` to `370102`."""
        thresholds = dict(DEFAULT.thresholds)
        weights = DEFAULT.weights
        for row in self._upto(code):
            thresholds |= row.thresholds
            if row.weights and (len(row.division) < len(code) or len(row.division) <= 2):
                weights = row.weights
        own = self._by_division.get(code) or [DEFAULT]
        return InForce(thresholds, weights, own[-1].tag)

    def _upto(self, code: str) -> Iterable[Standard]:
        """From the whole platform's down to the division's own, older before newer."""
        for length in range(len(code) + 1):
            yield from self._by_division.get(code[:length], ())
