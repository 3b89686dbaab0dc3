"""The stages of a run: each is timed, and shown while it lasts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """The bars of one stage, made when first told of."""

    def __init__(self, progress: Progress, totals: dict[str, int]) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {name: progress.add_task(name, total=total) for name, total in totals.items()}

    def show(self, name: str, done: int) -> None:
        """How far it is."""
        self._progress.update(self._tasks[name], completed=done)


class Stages:
    """Seconds by stage, in the order they came."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[Callable[[str], None]]:
        """A stage without a measure; gives a function that says what happens."""
        with self._timed(name), self.console.status(title) as status:
            yield lambda what: status.update(f"{title}: {what}")
        self.console.print(f"{title}  {self.seconds[name]:.1f} s", highlight=False)

    @contextmanager
    def bars(self, name: str, title: str, totals: dict[str, int]) -> Iterator[Bars]:
        """A stage with a bar for each of the totals."""
        self.console.print(title, highlight=False)
        columns = (TextColumn("  {task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with self._timed(name), Progress(*columns, console=self.console) as progress:
            yield Bars(progress, totals)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 2)
