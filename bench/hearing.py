"""Hears what is announced and answered, and tells whether each event came out exactly once."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import pika
from pika.adapters.blocking_connection import BlockingConnection

from bench.ground import Field
from contracts.topology import EVENTS, TRACE_CAPTURE, egress_queue
from services.trace.store import EVENTS as COLLECTION

RECORDED: Final = "trace.events_recorded.v1"
EVENT: Final = b'"step":'
"""Once in every event of an announcement: counting is cheaper than reading while the clock runs."""

WITHIN_S: Final = 120.0
POLL_S: Final = 0.02

Runs = Callable[[], bool]
"""Raises when a process that should run does not."""


class Wrong(Exception):
    """Something was lost or doubled, or did not end: there is no figure."""


class Ear:
    """A connection that listens to announcements from the moment it is made."""

    def __init__(self, field: Field) -> None:
        self._rows = field.db[COLLECTION]
        self._connection = BlockingConnection(pika.URLParameters(field.amqp_url))
        self._channel = self._connection.channel()
        self._heard: list[bytes] = []
        self._count = 0
        self._last = 0.0
        self._stored = 0
        own = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(own, EVENTS, RECORDED)
        self._channel.basic_consume(own, self._hear, auto_ack=True)

    def await_consumers(self, number: int, runs: Runs) -> None:
        """Returns once so many processes consume the capture queue."""
        self._await(lambda: self._consumers() >= number, runs, "subscribed")

    def await_events(self, count: int, runs: Runs) -> float:
        """When (monotonic seconds) the last of so many events was announced."""
        self._await(lambda: self._count >= count, runs, f"announced {count} events")
        return self._last

    def verify(self, ids: Sequence[str], source: str | None) -> None:
        """Looks back at what came since the last call.

        Raises Wrong unless each event is stored, announced and (when a source is told) answered exactly once.
        """
        wanted = Counter(ids)
        stored = Counter(row["_id"] for row in self._rows.find({"_id": {"$in": list(ids)}}, {"_id": 1}))
        self._stored += len(ids)
        stored["others"] = self._rows.count_documents({}) - self._stored
        compare("stored", stored, wanted)
        compare(
            "announced", Counter(event["id"] for body in self._heard for event in json.loads(body)["events"]), wanted
        )
        if source:
            compare("answered", Counter(self._answered(source, len(ids))), wanted)
        self._heard, self._count = [], 0

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _answered(self, source: str, count: int) -> list[str]:
        told: list[str] = []

        def all_told() -> bool:
            while body := self._channel.basic_get(egress_queue(source).name, auto_ack=True)[2]:
                told.extend(verdict["event_id"] for verdict in json.loads(body)["verdicts"])
            return len(told) >= count

        self._await(all_told, lambda: True, f"answered {count} events")
        return told

    def _await(self, done: Callable[[], bool], runs: Runs, what: str) -> None:
        until = time.monotonic() + WITHIN_S
        while runs() and not done():
            if time.monotonic() > until:
                raise Wrong(f"not {what} within {WITHIN_S:.0f} s; {self._count} events were announced")
            self._connection.process_data_events(time_limit=POLL_S)

    def _consumers(self) -> int:
        count: int = self._channel.queue_declare(TRACE_CAPTURE.name, passive=True).method.consumer_count
        return count

    def _hear(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        self._last = time.monotonic()
        self._heard.append(body)
        self._count += body.count(EVENT)


def compare(what: str, seen: Counter[str], wanted: Counter[str]) -> None:
    """Raises Wrong unless exactly what is wanted was seen."""
    lost, more = (wanted - seen).total(), (seen - wanted).total()
    if lost or more:
        raise Wrong(f"{what}: {lost} of {wanted.total()} lost, {more} too many")
