"""What a handoff may lack, and for how long: dated tables per category, link and division (domain: "Trace"). Pure data.

⚠ No law sets these hours and shares. They are the platform's own opening values; a change is a new row with its first
day, and handoffs of earlier days keep the earlier row.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.trace import Category, Link

VERSION: Final = "2026-11"
OPENING: Final = date(2000, 1, 1)
PRODUCE: Final = frozenset({Category.VEGETABLE, Category.FRUIT, Category.AQUATIC})


class Duty(StrEnum):
    """Which half of a handoff must come within a term."""

    RECEIPT = "receipt"
    """After its shipment; by the receiver's link and division."""
    SHIPMENT = "shipment"
    """After its receipt; by the sender's link and division."""


class Term(NamedTuple):
    """A time allowed from a day on (in Shanghai). What is None, or an empty division, applies to all.

    `division` is what codes start with.
    """

    duty: Duty
    since: date
    allowed: timedelta
    source: str
    categories: frozenset[Category] | None = None
    link: Link | None = None
    division: str = ""

    def applies(self, duty: Duty, day: date, category: Category, link: Link | None, division: str | None) -> bool:
        """Whether the row is in force and about this half, these goods and this site."""
        return (
            self.duty is duty
            and self.since <= day
            and (self.categories is None or category in self.categories)
            and self.link in (None, link)
            and (division or "").startswith(self.division)
        )

    @property
    def rank(self) -> tuple[int, bool, bool, date]:
        """The higher one wins: the narrower division, then link, then categories, then the later row."""
        return len(self.division), self.link is not None, self.categories is not None, self.since


TERMS: Final = (
    Term(Duty.RECEIPT, OPENING, timedelta(hours=72), "⚠ opening value: packaged goods"),
    Term(Duty.RECEIPT, OPENING, timedelta(hours=24), "⚠ opening value: produce", PRODUCE),
    Term(Duty.SHIPMENT, OPENING, timedelta(hours=24), "⚠ opening value: upload within a day"),
)

SHORTEST: Final = min(term.allowed for term in TERMS)
"""Nothing is wrong with a handoff before that."""


def allowed(
    duty: Duty,
    day: date,
    category: Category,
    link: Link | None,
    division: str | None,
    table: Sequence[Term] = TERMS,
) -> timedelta:
    """The time allowed for a half about goods of a category that came on a day."""
    fitting = (row for row in table if row.applies(duty, day, category, link, division))
    return max(fitting, key=lambda row: row.rank).allowed


class Tolerance(NamedTuple):
    """From a day on, the share by which what was received may differ from what was shipped, in these units."""

    since: date
    share: Decimal
    source: str
    units: frozenset[str]
    categories: frozenset[Category] | None = None


WEIGHED: Final = frozenset({"KGM", "LTR"})
COUNTED: Final = Decimal(0)
"""What is counted, such as heads and portions, differs by nothing."""

TOLERANCES: Final = (
    Tolerance(OPENING, Decimal("0.02"), "⚠ opening value: scales of two sites", WEIGHED),
    Tolerance(OPENING, Decimal("0.05"), "⚠ opening value: produce dries, drips and is trimmed", WEIGHED, PRODUCE),
)


def tolerance(
    day: date, categories: Iterable[Category], unit: str | None, table: Sequence[Tolerance] = TOLERANCES
) -> Decimal:
    """The share for goods of several categories: the largest of theirs."""

    def share(category: Category) -> Decimal:
        fitting = [
            row
            for row in table
            if row.since <= day and unit in row.units and category in (row.categories or (category,))
        ]
        return max(fitting, key=lambda row: (row.categories is not None, row.since)).share if fitting else COUNTED

    return max(map(share, categories))
