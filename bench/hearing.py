"""Hears what is announced and answered while a trial runs, and compares what came with what was to come."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import pika
from pika.adapters.blocking_connection import BlockingConnection

from bench.ground import Field
from contracts.topology import EVENTS, Queue

WITHIN_S: Final = 120.0
POLL_S: Final = 0.02

Runs = Callable[[], bool]
"""Raises when a process that should run does not."""


class Wrong(Exception):
    """Something was lost or doubled, or did not end: there is no figure."""


class Ear:
    """A connection that listens to announcements from the moment it is made.

    `mark` stands once in every item of an announcement: counting is cheaper than reading while the clock runs.
    """

    def __init__(self, field: Field, key: str, mark: bytes) -> None:
        self._connection = BlockingConnection(pika.URLParameters(field.amqp_url))
        self._channel = self._connection.channel()
        self._mark = mark
        self._heard: list[bytes] = []
        self._count = 0
        self._last = 0.0
        own = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(own, EVENTS, key)
        self._channel.basic_consume(own, self._hear, auto_ack=True)

    def await_consumers(self, queues: Iterable[Queue], number: int, runs: Runs) -> None:
        """Returns once so many processes consume each of the queues."""
        for queue in queues:
            self.await_true(partial(self._has_consumers, queue, number), runs, f"subscribed to {queue.name}")

    def await_items(self, count: int, runs: Runs, within_s: float = WITHIN_S) -> float:
        """When (monotonic seconds) the last of so many items was announced."""
        self.await_true(lambda: self._count >= count, runs, f"announced {count} items", within_s)
        return self._last

    def await_true(self, done: Callable[[], bool], runs: Runs, what: str, within_s: float = WITHIN_S) -> None:
        """Listens until it is done. Raises Wrong when it is not in time."""
        until = time.monotonic() + within_s
        while runs() and not done():
            if time.monotonic() > until:
                raise Wrong(f"not {what} within {within_s:.0f} s; {self._count} items were announced")
            self._connection.process_data_events(time_limit=POLL_S)

    def heard(self) -> list[bytes]:
        """The announcements that came since the last call."""
        heard, self._heard, self._count = self._heard, [], 0
        return heard

    def read(self, queue: Queue) -> list[bytes]:
        """What lies in a queue, taken from it."""
        bodies: list[bytes] = []
        while body := self._channel.basic_get(queue.name, auto_ack=True)[2]:
            bodies.append(body)
        return bodies

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _has_consumers(self, queue: Queue, number: int) -> bool:
        count: int = self._channel.queue_declare(queue.name, passive=True).method.consumer_count
        return count >= number

    def _hear(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        self._last = time.monotonic()
        self._heard.append(body)
        self._count += body.count(self._mark)


def compare(what: str, seen: Counter[str], wanted: Counter[str]) -> None:
    """Raises Wrong unless exactly what is wanted was seen."""
    lost, more = (wanted - seen).total(), (seen - wanted).total()
    if lost or more:
        raise Wrong(f"{what}: {lost} of {wanted.total()} lost, {more} too many")
