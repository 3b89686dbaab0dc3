"""Live figures, kept for a while: a province of 100,000 sites takes seconds to count, and many ask at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from datetime import datetime
from typing import Final, NamedTuple

import pymongo

from chassis import clock
from services.reporting.months import Window
from services.reporting.store import Document

SHARE: Final = 20
"""Figures are kept for so many times as long as it took to count them: counting takes a twentieth of a core at most,
and what is counted in a moment is as good as live."""
KEPT_AT_MOST: Final = 256
LONGEST_COUNT_S: Final = 300.0
"""After which the store is given up on."""


class Card(NamedTuple):
    """The lines of a division in a window, and when they were counted."""

    lines: list[Document]
    at: datetime


class Cards:
    """Figures of this process; who asks while they are counted waits for the same count."""

    def __init__(self, longest_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._longest_s = longest_s
        self._counts: dict[Hashable, asyncio.Task[Card]] = {}
        self._until: dict[Hashable, float] = {}

    async def get(self, window: Window, division: str, count: Callable[[], Awaitable[list[Document]]]) -> Card:
        """The card kept, or a new one. Raises what counting raises."""
        key = window, division
        if key not in self._counts or self._monotonic() > self._until[key]:
            self._drop(key)
            self._until[key] = float("inf")
            # In a context of its own: the deadline of who asks first is not the count's.
            self._counts[key] = asyncio.create_task(self._counted(key, count), context=Context())
        # Who gives up does not take the count away from the others.
        return await asyncio.shield(self._counts[key])

    def forget(self) -> None:
        """Nothing kept is shown again: what it was counted by has changed."""
        self._counts.clear()
        self._until.clear()

    async def _counted(self, key: Hashable, count: Callable[[], Awaitable[list[Document]]]) -> Card:
        begun, at = self._monotonic(), clock.now()
        try:
            with pymongo.timeout(LONGEST_COUNT_S):
                card = Card(await count(), at)
        except BaseException:
            self._drop(key)
            raise
        took = self._monotonic() - begun
        self._until[key] = self._monotonic() + min(SHARE * took, self._longest_s)
        return card

    def _drop(self, key: Hashable) -> None:
        oldest = [] if len(self._counts) < KEPT_AT_MOST else [next(iter(self._counts))]
        for each in (key, *oldest):
            self._counts.pop(each, None)
            self._until.pop(each, None)
