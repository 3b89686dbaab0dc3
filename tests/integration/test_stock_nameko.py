"""Why the chassis has an entrypoint of its own: what stock nameko 2.14.1 does with the same messages (ADR 0002).

Each test here shows the loss that a test of the same subject in `test_consuming` shows to be absent. Should one of them
fail after an upgrade, stock nameko has learned it, and our entrypoint may be due to go. A graceful stop that delivers
finished work again did not occur in three runs of 3,000 messages here, so no test of it stands here.
"""

from collections.abc import Callable
from typing import Any

import pika
import pytest

from chassis.topology import quorum
from tests.bus import Bus
from tests.integration.probe_messages import STOCK
from tests.processes import Process, eventually
from tests.stack import Database


@pytest.fixture
def stock(bus: Bus, spawn: Callable[..., Process], mongo: Database) -> Callable[[], Process]:
    """Starts the stock probe; ready once it consumes."""
    bus.channel.queue_declare(STOCK.name, durable=True, arguments=quorum())

    def start() -> Process:
        process = spawn("tests.integration.stock_probe", amqp_url=bus.vhost.url, mongo_url=mongo.url)
        eventually(lambda: bus.channel.queue_declare(STOCK.name, passive=True).method.consumer_count)
        return process

    return start


def send(bus: Bus, body: Any) -> None:
    properties = {"content_type": "application/json"}
    raw = body if isinstance(body, bytes) else str(body).replace("'", '"').replace("True", "true").encode()
    bus.channel.basic_publish("", STOCK.name, raw, pika.BasicProperties(**properties, delivery_mode=2))


def test_stock_acks_what_its_handler_failed(bus: Bus, stock: Any, db: Any) -> None:
    send(bus, {"id": "1", "fail": True})
    process = stock()
    eventually(lambda: db.tries.count_documents({}), lambda tries: tries == 1)
    process.stop()
    assert bus.ready(STOCK.name) == 0
    assert db.seen.count_documents({}) == 0


def test_stock_acks_a_body_it_cannot_decode(bus: Bus, stock: Any, db: Any) -> None:
    send(bus, b"{not json")
    send(bus, {"id": "after"})
    process = stock()
    eventually(lambda: db.seen.count_documents({"id": "after"}))
    process.stop()
    assert bus.ready(STOCK.name) == 0
    assert db.tries.count_documents({}) == 1


def test_stock_requeues_without_a_pause(bus: Bus, stock: Any, db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUEUE", "1")
    send(bus, {"id": "1", "fail": True})
    stock()
    eventually(lambda: db.tries.count_documents({}), lambda tries: tries > 50)
