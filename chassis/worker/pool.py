"""Green threads for a service that waits for others: its own code need not know eventlet (ADR 0003)."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from eventlet.greenpool import GreenPool

T = TypeVar("T")
R = TypeVar("R")


def each(function: Callable[[T], R], items: Iterable[T], at_once: int) -> Iterator[R]:
    """The function of every item, in order, `at_once` at a time; items are taken as there is room for them.

    Raises what the function raised, when its result is asked for.
    """
    results: Iterator[R] = GreenPool(at_once).imap(function, items)
    return results
