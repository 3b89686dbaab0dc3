"""The limit of ingest: the fastest loop on pika that makes trace's writes and announcements, with no checks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pydantic_core import from_json, to_json
from pymongo import MongoClient

from bench import halves, plain
from chassis.settings import Settings
from contracts.envelope import Envelope
from contracts.topology import EGRESS, EVENTS, TRACE_CAPTURE
from services.trace.store import EVENTS as COLLECTION

BATCH: Final = 500
SOURCE: Final = "trace"


class Taken(NamedTuple):
    """A message as pika delivered it."""

    tag: int
    headers: Mapping[str, Any]
    body: bytes


def main() -> None:
    """Consumes until it is killed."""
    settings = Settings()
    db = MongoClient[dict[str, Any]](settings.mongo_url, w="majority").get_default_database()
    connection = BlockingConnection(pika.URLParameters(settings.amqp_url))
    channel, announcing = connection.channel(), connection.channel()
    announcing.confirm_delivery()
    waiting: list[Taken] = []
    channel.basic_qos(prefetch_count=2 * BATCH)
    channel.basic_consume(
        TRACE_CAPTURE.name,
        lambda _, method, properties, body: waiting.append(Taken(method.delivery_tag, properties.headers, body)),
    )
    while True:
        connection.process_data_events(time_limit=None if not waiting else 0)
        batch, waiting[:] = waiting[:BATCH], waiting[BATCH:]
        if batch:
            _handle(batch, db, announcing)
            channel.basic_ack(batch[-1].tag, multiple=True)


def _handle(batch: list[Taken], db: Any, announcing: BlockingChannel) -> None:
    now = datetime.now(UTC)
    rows, told = [], []
    for taken in batch:
        content, correlation = sha256(taken.body).hexdigest()[:32], taken.headers["ce-correlationid"]
        for record in from_json(taken.body)["records"]:
            rows.append(row := plain.event(record, content, correlation, now))
            told.append(plain.announced(row, record))
    db[COLLECTION].insert_many(rows, ordered=False)
    halves.upsert(db, rows)
    _publish(announcing, EVENTS, "trace.events_recorded.v1", "trace.events_recorded.v1", {"events": told})
    for source, answer in plain.answers(rows).items():
        _publish(announcing, EGRESS, source, "egress.verdicts.v1", answer)


def _publish(channel: BlockingChannel, exchange: str, key: str, type: str, body: plain.Document) -> None:
    headers = Envelope.new(type, SOURCE).to_headers()
    properties = pika.BasicProperties("application/json", headers=headers, delivery_mode=2, message_id=headers["ce-id"])
    channel.basic_publish(exchange, key, to_json(body), properties)


if __name__ == "__main__":
    main()
