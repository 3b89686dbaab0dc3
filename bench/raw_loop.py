"""The limit of ingest: the fastest loop on pika that makes trace's writes and announcements, with no checks."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pydantic_core import from_json, to_json
from pymongo import MongoClient

from bench import halves, plain
from bench.chain import Chain
from chassis import memory
from chassis.settings import Settings
from contracts.envelope import Envelope
from contracts.topology import EGRESS, EVENTS, TRACE_CAPTURE, Queue
from services.trace.evidence.sealing import BLOCKS
from services.trace.store import EVENTS as COLLECTION

BATCH: Final = 500
LINGER_S: Final = 0.02
"""A batch waits so long for more, as ours do."""

CHAIN: Final = Chain()


class Taken(NamedTuple):
    """A message as pika delivered it."""

    tag: int
    headers: Mapping[str, Any]
    body: bytes


class Announcing:
    """A channel that publishes persistent messages with confirms, as a source."""

    def __init__(self, channel: BlockingChannel, source: str) -> None:
        self._channel, self._source = channel, source
        channel.confirm_delivery()

    def publish(self, exchange: str, key: str, type: str, body: plain.Document) -> None:
        """Returns when the broker has it."""
        headers = Envelope.new(type, self._source).to_headers()
        properties = pika.BasicProperties(
            "application/json", headers=headers, delivery_mode=2, message_id=headers["ce-id"]
        )
        self._channel.basic_publish(exchange, key, to_json(body), properties)


Handle = Callable[[Any, Announcing, list[Taken]], None]
"""Stores and announces a batch, given a database and a channel."""


class Waiting:
    """What was delivered from one queue and is not yet handled."""

    def __init__(self, channel: BlockingChannel, queue: Queue) -> None:
        self._channel = channel
        self._taken: list[Taken] = []
        self._since = 0.0
        channel.basic_qos(prefetch_count=2 * BATCH)
        channel.basic_consume(queue.name, self._take)

    def due(self) -> bool:
        """Whether a batch is full, or its first message has waited long enough."""
        return len(self._taken) >= BATCH or bool(self._taken and time.monotonic() - self._since >= LINGER_S)

    def patience(self) -> float | None:
        """Seconds until a batch is due if nothing more comes; None when there is nothing."""
        return max(0.0, self._since + LINGER_S - time.monotonic()) if self._taken else None

    def handle(self, handle: Callable[[list[Taken]], None]) -> None:
        """Handles a batch and acks it."""
        batch, self._taken = self._taken[:BATCH], self._taken[BATCH:]
        self._since = time.monotonic()
        handle(batch)
        self._channel.basic_ack(batch[-1].tag, multiple=True)

    def _take(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        if not self._taken:
            self._since = time.monotonic()
        self._taken.append(Taken(method.delivery_tag, properties.headers, body))


def consume(handles: Mapping[Queue, Handle], source: str) -> None:
    """Consumes the queues until it is killed, each in batches that are acked when they are handled."""
    settings = Settings()
    db = MongoClient[dict[str, Any]](settings.mongo_url, w="majority").get_default_database()
    connection = BlockingConnection(pika.URLParameters(settings.amqp_url))
    announcing = Announcing(connection.channel(), source)
    waiting = [(Waiting(connection.channel(), queue), handle) for queue, handle in handles.items()]
    # As our own processes do, which also search by the clock.
    memory.economise(memory.WORKER)
    while True:
        connection.process_data_events(time_limit=_shortest(some.patience() for some, _ in waiting))
        for some, handle in waiting:
            if some.due():
                some.handle(partial(handle, db, announcing))


def _shortest(patiences: Iterable[float | None]) -> float | None:
    return min((each for each in patiences if each is not None), default=None)


def _capture(db: Any, announcing: Announcing, batch: list[Taken]) -> None:
    now = datetime.now(UTC)
    rows, told = [], []
    for taken in batch:
        for record in from_json(taken.body)["records"]:
            rows.append(row := plain.event(record, taken.headers["ce-correlationid"], now))
            told.append(plain.announced(row, record))
    documents, block = CHAIN.seal(rows, now)
    db[COLLECTION].insert_many(documents, ordered=False)
    db[BLOCKS].insert_one(block)
    halves.upsert(db, rows)
    announcing.publish(EVENTS, "trace.events_recorded.v1", "trace.events_recorded.v1", {"events": told})
    for source, answer in plain.answers(rows).items():
        announcing.publish(EGRESS, source, "egress.verdicts.v1", answer)


if __name__ == "__main__":
    consume({TRACE_CAPTURE: _capture}, "trace")
