"""Live figures are counted once for all who ask, kept in proportion to what they cost, and never for too long."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pymongo
import pytest
from pymongo import _csot

from services.reporting import cards
from services.reporting.cards import KEPT_AT_MOST, Cards
from services.reporting.months import Window

OCTOBER = Window(date(2026, 10, 1), date(2026, 11, 1))


class Counting:
    """Counts how often it was asked, each time at a cost by a clock of its own."""

    def __init__(self, cost: float) -> None:
        self.times = 0
        self.now = 0.0
        self._cost = cost
        self.kept = Cards(60, lambda: self.now)

    async def __call__(self) -> list[dict[str, Any]]:
        self.times += 1
        await asyncio.sleep(0)
        self.now += self._cost
        return [{"count": self.times}]


def shown(kept: Cards, count: Callable[[], Awaitable[Any]], division: str = "37") -> Awaitable[cards.Card]:
    return kept.get(OCTOBER, division, count)


@pytest.mark.asyncio
async def test_all_who_ask_at_once_wait_for_one_count() -> None:
    count = Counting(cost=3)
    kept = count.kept
    found = await asyncio.gather(*(shown(kept, count) for _ in range(50)))
    assert count.times == 1
    assert len({card.at for card in found}) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("cost", "lasts"), [(0.01, 0.2), (1.0, 20.0), (30.0, 60.0)])
async def test_figures_are_kept_for_twenty_counts_and_no_longer_than_the_setting(cost: float, lasts: float) -> None:
    count = Counting(cost)
    kept = count.kept
    await shown(kept, count)
    count.now += lasts - 0.001
    await shown(kept, count)
    assert count.times == 1
    count.now += 0.002
    await shown(kept, count)
    assert count.times == 2


@pytest.mark.asyncio
async def test_divisions_are_counted_apart_and_what_was_set_is_seen_at_once() -> None:
    count = Counting(cost=1)
    kept = count.kept
    await shown(kept, count, "37")
    await shown(kept, count, "3701")
    assert count.times == 2
    kept.forget()
    await shown(kept, count, "37")
    assert count.times == 3


@pytest.mark.asyncio
async def test_a_count_that_fails_is_tried_again() -> None:
    kept = Cards(60)

    async def broken() -> list[dict[str, Any]]:
        raise ConnectionError("the store is away")

    async def whole() -> list[dict[str, Any]]:
        return []

    with pytest.raises(ConnectionError):
        await shown(kept, broken)
    assert (await shown(kept, whole)).lines == []


@pytest.mark.asyncio
async def test_who_gives_up_leaves_the_count_to_the_others() -> None:
    kept, go = Cards(60), asyncio.Event()

    async def slow() -> list[dict[str, Any]]:
        await go.wait()
        return [{"count": 1}]

    impatient, patient = (asyncio.create_task(_await(shown(kept, slow))) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    go.set()
    assert (await patient).lines == [{"count": 1}]
    assert impatient.cancelled() or impatient.cancelling()


async def _await(card: Awaitable[cards.Card]) -> cards.Card:
    return await card


@pytest.mark.asyncio
async def test_no_more_than_so_many_are_kept() -> None:
    count = Counting(cost=1)
    kept = count.kept
    for number in range(KEPT_AT_MOST + 10):
        await shown(kept, count, str(number))
    assert len(kept._counts) == KEPT_AT_MOST


@pytest.mark.asyncio
async def test_a_count_has_no_callers_deadline_and_an_end_of_its_own() -> None:
    left: list[float | None] = []

    async def look() -> list[dict[str, Any]]:
        left.append(_csot.remaining())
        return []

    with pymongo.timeout(1):
        await shown(Cards(60), look)
    [found] = left
    assert found is not None
    assert found > 200
