"""Days of the law: calendar days and working days in Shanghai, each ending at midnight.

Working days come from the State Council's table (chinesecalendar). A year whose holidays are not announced yet has
Monday to Friday, and whatever counts through it is provisional.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

import chinese_calendar

from contracts.fields import SHANGHAI

_DAY: Final = timedelta(days=1)
_WEEKEND: Final = 5


class Days(StrEnum):
    """What is counted."""

    CALENDAR = "calendar"
    WORKING = "working"


class Deadline(NamedTuple):
    """The moment a term ends (aware UTC), and whether it was counted through a year without announced holidays."""

    at: datetime
    provisional: bool


class _Kind(NamedTuple):
    working: bool
    provisional: bool


@lru_cache(4096)
def _kind(day: date) -> _Kind:
    try:
        return _Kind(chinese_calendar.is_workday(day), False)
    except NotImplementedError:
        return _Kind(day.weekday() < _WEEKEND, True)


def is_working(day: date) -> bool:
    """Whether people work on the day."""
    return _kind(day).working


def deadline(start: datetime, count: int, unit: Days = Days.CALENDAR) -> Deadline:
    """The end of the `count`-th day after the day of `start`, which itself is not counted (民法典 art. 201, 202)."""
    return _deadline(start.astimezone(SHANGHAI).date(), count, unit)


@lru_cache(1024)
def _deadline(day: date, count: int, unit: Days) -> Deadline:
    provisional = False
    while count > 0:
        day += _DAY
        kind = _kind(day) if unit is Days.WORKING else _Kind(True, False)
        provisional |= kind.provisional
        count -= kind.working
    return Deadline(midnight_after(day), provisional)


def midnight_after(day: date) -> datetime:
    """When the day ends in Shanghai, as UTC."""
    return datetime.combine(day + _DAY, time(), SHANGHAI).astimezone(UTC)
