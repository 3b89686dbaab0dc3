"""When a message may go out: quiet hours and digests, in the time people live by."""

from datetime import datetime, time, timedelta
from typing import Final, TypedDict
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

DIGEST_AT: Final = time(8, 0)


class Quiet(TypedDict):
    """Hours of the day as `22:00`; they may pass midnight."""

    start: str
    until: str


def wall(time: datetime) -> datetime:
    """The time on the wall in Asia/Shanghai."""
    return time.astimezone(SHANGHAI)


def shown(time: datetime) -> str:
    """As people read it: `2026-10-08 07:30`."""
    return wall(time).strftime("%Y-%m-%d %H:%M")


def after_quiet(quiet: Quiet | None, now: datetime) -> datetime:
    """`now`, or when the quiet hours that it lies in end."""
    if not quiet:
        return now
    start, until = time.fromisoformat(quiet["start"]), time.fromisoformat(quiet["until"])
    here = wall(now)
    at = here.time()
    inside = start <= at < until if start <= until else at >= start or at < until
    return _next(until, here).astimezone(now.tzinfo) if inside else now


def next_digest(now: datetime) -> datetime:
    """The next 08:00."""
    return _next(DIGEST_AT, wall(now)).astimezone(now.tzinfo)


def _next(at: time, here: datetime) -> datetime:
    today = here.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today > here else today + timedelta(days=1)
