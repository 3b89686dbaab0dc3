"""Fills a collection fast: documents made and inserted by several processes at once."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final

from pymongo import MongoClient

from bench.ground import Field

CHUNK: Final = 5_000
"""Numbers to one task of a process."""

Making = Callable[[range], Iterable[dict[str, Any]]]
"""The documents of a run of numbers; found by its name in the other process."""


def seed(field: Field, collection: str, making: Making, count: int) -> None:
    """Inserts the documents of the numbers from 0 on."""
    chunks = [range(at, min(at + CHUNK, count)) for at in range(0, count, CHUNK)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(_insert, field.mongo_url, collection, making, chunk) for chunk in chunks]:
            done.result()


def _insert(mongo_url: str, collection: str, making: Making, chunk: range) -> None:
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.get_default_database()[collection].insert_many(making(chunk), ordered=False)
