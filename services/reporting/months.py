"""The calendar of the bulletin: days, months and the fifth, all in Asia/Shanghai. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from contracts.fields import SHANGHAI

FREEZE_DAY: Final = 5
"""Of each month, for the month before (domain: "Reporting")."""

FREEZE_HOUR: Final = 8
LIVE_DAYS: Final = 30


class Window(NamedTuple):
    """Days from `first` on, before `after`."""

    first: date
    after: date

    @property
    def start(self) -> datetime:
        """When its first day begins, aware UTC."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """When its last day has ended, aware UTC."""
        return _midnight(self.after)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.after - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.after - self.first).days


@lru_cache(4096)
def day_of(moment: datetime) -> date:
    """The day of an aware time; the events of a paper share theirs."""
    return moment.astimezone(SHANGHAI).date()


def month_of(moment: datetime) -> str:
    """The month of an aware time: `2026-10`."""
    return name(day_of(moment))


@lru_cache(512)
def name(day: date) -> str:
    """`2026-10`, the month of a day."""
    return f"{day:%Y-%m}"


def window(month: str) -> Window:
    """The days of a month. Raises ValueError for what is no `2026-10`, or lies outside this century."""
    first = date.fromisoformat(f"{month}-01")
    if first.year // 100 != 20:
        raise ValueError(f"no month of this century: {month}")
    return Window(first, _first_after(first))


def live(now: datetime) -> Window:
    """The last 30 days, today with them."""
    after = day_of(now) + timedelta(days=1)
    return Window(after - timedelta(days=LIVE_DAYS), after)


def before(month: str) -> str:
    """The month before."""
    return name(window(month).first - timedelta(days=1))


def next_freeze(moment: datetime) -> datetime:
    """The first fifth of a month at eight that lies after an aware time."""
    month = day_of(moment).replace(day=1)
    return next(at for first in (month, _first_after(month)) if (at := _freeze_in(first)) > moment)


def month_to_freeze(due: datetime) -> str | None:
    """The month whose bulletin is due at this time; None when it is no time of freezing."""
    return before(month_of(due)) if _freeze_in(day_of(due)) == due else None


def _freeze_in(day: date) -> datetime:
    return datetime.combine(day.replace(day=FREEZE_DAY), time(FREEZE_HOUR), SHANGHAI).astimezone(UTC)


def _first_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
