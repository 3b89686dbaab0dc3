"""When a site is silent: no event for three times its median interval, at least 3 working days (domain: "Trace"). Pure.

Counted in days in Shanghai: events of one day are one mark, so that marks may come in any order and any number.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Final, NamedTuple

from contracts.fields import SHANGHAI, day_of
from contracts.registry import OperatorState, SiteFacts
from contracts.workdays import Days, deadline, midnight_after

TIMES: Final = 3
WORKING_DAYS: Final = 3
KEPT_DAYS: Final = 60
"""Days with events that are kept of a site; the median is of the intervals between them."""

SPEAKING: Final = frozenset({OperatorState.LISTED, OperatorState.REGISTERED, OperatorState.ACTIVATED})
"""States in which a site may be expected to speak."""


class Silence(NamedTuple):
    """When a site counts as silent if nothing comes; `provisional` as in `contracts.workdays`."""

    at: datetime
    provisional: bool


def recent(days: Iterable[str]) -> list[date]:
    """A site's last days with events, in order, from ISO dates."""
    return [date.fromisoformat(day) for day in sorted(set(days))[-KEPT_DAYS:]]


def silent_at(days: list[date], facts: SiteFacts | None) -> Silence | None:
    """When a site with these days counts as silent; None while it has no rhythm, or need not speak.

    A declared closure that begins before that moment starts the count anew when it ends.
    """
    if len(days) < 2 or (facts and (facts.suspended or facts.state not in SPEAKING)):
        return None
    silence = _counted(days[-1], days)
    if facts is None or facts.closed_from is None or facts.closed_from >= silence.at:
        return silence
    if facts.closed_until is None:
        return None
    return max(silence, _counted(day_of(facts.closed_until), days))


def _counted(last: date, days: list[date]) -> Silence:
    rhythm = median_low((after - before).days for before, after in pairwise(days))
    start = datetime.combine(last, time(), SHANGHAI)
    least = deadline(start, WORKING_DAYS, Days.WORKING)
    usual = midnight_after(last + timedelta(days=TIMES * rhythm))
    return Silence(usual, False) if usual > least.at else Silence(*least)


def earliest(day: date) -> datetime:
    """Before that nobody whose last event was on this day is silent."""
    return midnight_after(day + timedelta(days=WORKING_DAYS))
