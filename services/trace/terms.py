"""How long a handoff may stay one-sided: dated tables per category, link and division (domain: "Trace"). Pure data.

No law sets these hours. They are the platform's own opening values; a change is a new row with its first day, and
handoffs of earlier days keep the earlier row.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from contracts.trace import Category, Link

VERSION: Final = "2026-11"


class Term(NamedTuple):
    """A time allowed from a day on (in Shanghai). What is None, or an empty division, applies to all.

    `division` is what codes start with.
    """

    since: date
    allowed: timedelta
    source: str
    categories: frozenset[Category] | None = None
    link: Link | None = None
    division: str = ""

    def applies(self, day: date, category: Category, link: Link | None, division: str | None) -> bool:
        """Whether the row is in force and about these goods and this site."""
        return (
            self.since <= day
            and (self.categories is None or category in self.categories)
            and self.link in (None, link)
            and (division or "").startswith(self.division)
        )

    @property
    def rank(self) -> tuple[int, bool, bool, date]:
        """The higher one wins: the narrower division, then link, then categories, then the later row."""
        return len(self.division), self.link is not None, self.categories is not None, self.since


OPENING: Final = date(2000, 1, 1)
PRODUCE: Final = frozenset({Category.VEGETABLE, Category.FRUIT, Category.AQUATIC})

RECEIPTS: Final = (
    Term(OPENING, timedelta(hours=72), "opening value: packaged goods"),
    Term(OPENING, timedelta(hours=24), "opening value: produce", PRODUCE),
)
"""From a shipment to its receipt, by the receiver's link and division."""

UPLOADS: Final = (Term(OPENING, timedelta(hours=24), "opening value: upload within a day"),)
"""From a receipt until its shipment must have been told, by the sender's link and division."""

SHORTEST: Final = min(term.allowed for term in (*RECEIPTS, *UPLOADS))
"""No handoff is overdue before that."""


def allowed(
    table: Sequence[Term], day: date, categories: Iterable[Category], link: Link | None, division: str | None
) -> timedelta:
    """The time allowed for goods of several categories: the shortest of theirs."""
    return min(_term(table, day, category, link, division).allowed for category in categories)


def _term(table: Sequence[Term], day: date, category: Category, link: Link | None, division: str | None) -> Term:
    return max((term for term in table if term.applies(day, category, link, division)), key=lambda term: term.rank)
