"""The simulated clock: every process of the stack reads it, only the demo moves it. No rule knows of it."""

import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from contracts.fields import SHANGHAI

VARIABLE = "SHILIAN_CLOCK_FILE"


class Moment:
    """What time it is for the stack that is started while this is in force; it runs on from where it was set."""

    def __init__(self, file: Path, at: datetime) -> None:
        self._file = file
        self.move(at)
        os.environ[VARIABLE] = str(file)

    def move(self, to: datetime) -> None:
        """Sets the clock; a reader sees the time before or after, nothing between."""
        part = self._file.with_suffix(".part")
        part.write_text(str((to - datetime.now(UTC)).total_seconds()))
        part.replace(self._file)

    def release(self) -> None:
        """Lets the clock be the machine's again, unless it is ahead: a clock does not go back."""
        self.move(max(self.now(), datetime.now(UTC)))

    def now(self) -> datetime:
        """The time in Shanghai."""
        return (datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))).astimezone(SHANGHAI)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of a day in Shanghai."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)
