"""Hears what a trial announces and answers, and tells whether each event came out exactly once."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import pika
from pika.adapters.blocking_connection import BlockingConnection

from bench.ground import Field
from contracts.topology import EVENTS, TRACE_CAPTURE, egress_queue
from services.trace.store import EVENTS as COLLECTION

RECORDED: Final = "trace.events_recorded.v1"
EVENT: Final = b'"step":'
"""Once in every event of an announcement: counting is cheaper than reading while the clock runs."""

TRIAL_S: Final = 120.0
POLL_S: Final = 0.02


class Wrong(Exception):
    """A trial lost or doubled something, or did not end: it has no figure."""


class Ear:
    """A connection that listens to announcements from the moment it is made."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._connection = BlockingConnection(pika.URLParameters(field.amqp_url))
        self._channel = self._connection.channel()
        self._heard: list[bytes] = []
        self._count = 0
        self._last = 0.0
        own = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(own, EVENTS, RECORDED)
        self._channel.basic_consume(own, self._hear, auto_ack=True)

    def await_consumers(self, number: int, check: Callable[[], None]) -> None:
        """Returns once so many processes consume the capture queue."""
        self._await(lambda: self._declared(TRACE_CAPTURE.name).consumer_count >= number, check, "subscribed")

    def await_events(self, count: int, check: Callable[[], None]) -> float:
        """When (monotonic seconds) the last of so many events was announced."""
        self._await(lambda: self._count >= count, check, f"announced {count} events")
        return self._last

    def verify(self, ids: Iterable[str], source: str | None) -> None:
        """Raises Wrong unless each of these events is stored, announced and (when a source is told) answered once."""
        wanted = Counter(ids)
        stored = Counter(row["_id"] for row in self._field.db[COLLECTION].find({}, {"_id": 1}))
        announced = Counter(event["id"] for body in self._heard for event in json.loads(body)["events"])
        compare("stored", stored, wanted)
        compare("announced", announced, wanted)
        if source:
            compare("answered", Counter(self._answered(source, wanted.total())), wanted)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _answered(self, source: str, count: int) -> Sequence[str]:
        told: list[str] = []

        def all_told() -> bool:
            _, _, body = self._channel.basic_get(egress_queue(source).name, auto_ack=True)
            told.extend(verdict["event_id"] for verdict in json.loads(body)["verdicts"]) if body else None
            return not body and len(told) >= count

        self._await(all_told, lambda: None, f"answered {count} events")
        return told

    def _await(self, done: Callable[[], bool], check: Callable[[], None], what: str) -> None:
        until = time.monotonic() + TRIAL_S
        while not done():
            check()
            if time.monotonic() > until:
                raise Wrong(f"not {what} within {TRIAL_S:.0f} s; {self._count} events were announced")
            self._connection.process_data_events(time_limit=POLL_S)

    def _declared(self, queue: str) -> Any:
        return self._channel.queue_declare(queue, passive=True).method

    def _hear(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        self._last = time.monotonic()
        self._heard.append(body)
        self._count += body.count(EVENT)


def compare(what: str, seen: Counter[str], wanted: Counter[str]) -> None:
    """Raises Wrong unless exactly what is wanted was seen."""
    lost, doubled = (wanted - seen).total(), (seen - wanted).total()
    if lost or doubled:
        raise Wrong(f"{what}: {lost} lost, {doubled} too many of {wanted.total()}")
