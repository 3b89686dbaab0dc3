"""The time of day for rules and timers: aware UTC, and movable for a rehearsal, never for production.

`SHILIAN_CLOCK_FILE` names a file with a number of seconds by which this process's clock is ahead; it is read on each
look, so that a rehearsal moves a month in an instant. Without it the clock is the machine's.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path


def now() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC) + _ahead()


def stamp() -> datetime:
    """The time as it will be read from the store."""
    return in_milliseconds(now())


def recorded() -> datetime:
    """The machine's time, moved clock or not, as it will be read from the store: when something is recorded (ADR 7)."""
    return in_milliseconds(datetime.now(UTC))


def in_milliseconds(time: datetime) -> datetime:
    """The time as MongoDB gives it back."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _ahead() -> timedelta:
    named = os.environ.get("SHILIAN_CLOCK_FILE")
    if not named:
        return timedelta(0)
    try:
        return timedelta(seconds=float(Path(named).read_text()))
    except (OSError, ValueError):
        return timedelta(0)
