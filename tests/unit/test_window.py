"""What the broker delivered and no batch has taken yet."""

from itertools import count

import pika
import pytest

from chassis.worker.delivery import Delivery
from chassis.worker.window import BATCH_BYTES, Window

TAGS = count(1)


def delivery(size: int = 1) -> Delivery:
    return Delivery(next(TAGS), "", "", pika.BasicProperties(), bytes(size), False, 0.0)


def window(most: int, *sizes: int, most_bytes: int = BATCH_BYTES) -> Window:
    here = Window(most, most_bytes)
    for size in sizes:
        here.add(delivery(size))
    return here


@pytest.mark.parametrize(
    ("most", "most_bytes", "sizes", "batches"),
    [
        (2, 100, [1, 1, 1], [2, 1]),
        (9, 10, [9, 1, 1], [2, 1]),
        (9, 10, [4, 4, 4, 4], [3, 1]),
        (9, 10, [50, 1, 50], [1, 2]),
    ],
)
def test_a_batch_ends_with_its_last_message_or_the_one_that_fills_it(
    most: int, most_bytes: int, sizes: list[int], batches: list[int]
) -> None:
    here = window(most, *sizes, most_bytes=most_bytes)
    tags = [told.tag for told in here]
    taken = [here.take() for _ in batches]
    assert [len(batch) for batch in taken] == batches
    assert [told.tag for batch in taken for told in batch] == tags
    assert not here


def test_a_window_has_a_batch_once_one_could_not_be_larger() -> None:
    assert not window(3, 1, 1).has_batch
    assert window(3, 1, 1, 1).has_batch
    assert window(3, 10, most_bytes=10).has_batch


def test_a_window_is_full_by_its_bytes_until_a_batch_is_taken() -> None:
    here = window(1000, *[BATCH_BYTES // 2] * 3)
    full = [here.full]
    here.add(delivery(BATCH_BYTES // 2))
    full.append(here.full)
    here.take()
    assert [*full, here.full] == [False, True, False]


def test_what_came_last_is_known_after_it_was_taken_or_forgotten() -> None:
    here = window(1, 1, 1)
    *_, last = here
    here.take()
    here.clear()
    assert (len(here), here.full, here.latest, here.arrived) == (0, False, last, last.at)
