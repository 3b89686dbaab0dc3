"""The bus as tests see it: publish, take, and what a queue holds."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pika
import pytest

from chassis import topology
from contracts.topology import CONSUMED, Queue
from tests.processes import DEADLINE_S, eventually
from tests.stack import Vhost


class Taken(NamedTuple):
    """A message taken from a queue."""

    body: Any
    headers: dict[str, Any]
    redelivered: bool


class Bus:
    """One connection to a test's vhost."""

    def __init__(self, vhost: Vhost) -> None:
        self.vhost = vhost
        self.connection = pika.BlockingConnection(pika.URLParameters(vhost.url))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def declare(self, *queues: Queue) -> None:
        """Declares the whole topology, and a test's own queues with it."""
        topology.declare(self.vhost.url, (*CONSUMED, *queues))

    def listen(self, exchange: str, key: str) -> str:
        """A queue of the test's own that hears what an exchange says."""
        name = f"heard.{exchange}.{key}"
        self.channel.queue_declare(name, durable=True)
        self.channel.queue_bind(name, exchange, key)
        return name

    def publish(self, exchange: str, key: str, body: Any, **headers: Any) -> None:
        """Publishes one persistent message, confirmed; `ce_id` becomes the header `ce-id`."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.channel.basic_publish(
            exchange, key, raw, pika.BasicProperties(headers=named, delivery_mode=2), mandatory=True
        )

    def take(self, queue: str) -> Taken | None:
        """Takes the next message, if there is one."""
        method, properties, body = self.channel.basic_get(queue, auto_ack=True)
        if method is None or properties is None:
            return None
        try:
            content: Any = json.loads(body)
        except (ValueError, RecursionError):
            content = body
        return Taken(content, properties.headers or {}, method.redelivered)

    def await_message(self, queue: str, within: float = DEADLINE_S) -> Taken:
        """Takes the next message as soon as there is one."""
        taken = eventually(lambda: self.take(queue), lambda seen: seen is not None, within)
        assert taken is not None
        return taken

    def take_all(self, queue: str) -> list[Taken]:
        """Takes everything a queue holds now."""
        return list(iter(lambda: self.take(queue), None))

    def ready(self, queue: str) -> int:
        """Messages that wait in a queue, not counting those delivered and unacked."""
        count: int = self.channel.queue_declare(queue, passive=True).method.message_count
        return count

    def await_unconsumed(self, *queues: str) -> None:
        """Returns once the broker knows that nobody consumes these queues: what comes now waits for the next one."""
        declare = self.channel.queue_declare
        eventually(lambda: not any(declare(queue, passive=True).method.consumer_count for queue in queues))

    def await_empty(self, *queues: str, within: float = DEADLINE_S) -> None:
        """Returns once no message waits in these queues; delivered and unacked ones are not seen (stop the worker)."""
        eventually(lambda: {queue: self.ready(queue) for queue in queues}, lambda seen: not any(seen.values()), within)

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def bus(vhost: Vhost) -> Iterator[Bus]:
    """The test's vhost with the topology declared."""
    bus = Bus(vhost)
    bus.declare()
    with closing(bus):
        yield bus
