"""Queues as people look at them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pika
import pika.exceptions
import typer
from pika.adapters.blocking_connection import BlockingChannel

from clients.cli.failing import Away, cause


class Taken(NamedTuple):
    """A message taken from a queue and not settled yet."""

    tag: int
    queue: str
    properties: pika.BasicProperties
    body: bytes

    @property
    def headers(self) -> dict[str, Any]:
        """Its headers; empty when it has none."""
        return self.properties.headers or {}


@contextmanager
def channel(url: str) -> Iterator[BlockingChannel]:
    """A channel; what was taken and not acked goes back where it was when it closes. Raises Away."""
    connection = _connected(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        connection.close()


def _connected(parameters: pika.URLParameters) -> pika.BlockingConnection:
    try:
        return pika.BlockingConnection(parameters)
    except (pika.exceptions.AMQPConnectionError, ConnectionError, socket.gaierror) as error:
        raise Away("RabbitMQ", f"{parameters.host}:{parameters.port}", cause(error)) from error


def take(channel: BlockingChannel, queue: str, limit: int) -> Iterator[Taken]:
    """The first messages of a queue, oldest first, at most `limit`; says on stderr when it holds more."""
    more = 0
    for _ in range(limit):
        method, properties, body = channel.basic_get(queue)
        if method is None or properties is None or body is None:
            return
        more = method.message_count
        yield Taken(method.delivery_tag, queue, properties, body)
    if more:
        typer.echo(f"{queue}: {more} more than --limit {limit}", err=True)
