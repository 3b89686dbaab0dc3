"""Makes `contracts.topology` real on a broker: kombu objects, declared by every process at start."""

from collections.abc import Iterable
from typing import Any

from kombu import Connection, Exchange
from kombu import Queue as KombuQueue

from contracts.topology import (
    CONSUMED,
    DEAD,
    DELIVERY_LIMIT,
    DOCKED,
    EGRESS,
    EXCHANGES,
    RETRY_LADDER,
    SYSTEMS,
    UNROUTED,
    Queue,
    egress_queue,
)

AT_LEAST_ONCE = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
"""At-least-once dead-lettering silently falls back to at-most-once without reject-publish: they go together."""


def quorum(**arguments: Any) -> dict[str, Any]:
    """Arguments of a quorum queue; refuses at-least-once dead-lettering without reject-publish.

    Raises ValueError: the broker would accept the pair and quietly lose messages.
    """
    strategy = arguments.get("x-dead-letter-strategy")
    if strategy == "at-least-once" and arguments.get("x-overflow") != "reject-publish":
        raise ValueError("x-dead-letter-strategy at-least-once needs x-overflow reject-publish")
    return {"x-queue-type": "quorum", **arguments}


def consumed_arguments(queue: Queue) -> dict[str, Any]:
    """Arguments of a queue that a worker consumes: bounded deliveries, then its dead queue."""
    return quorum(
        **{
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": queue.name,
        },
        **AT_LEAST_ONCE,
    )


def ladder_arguments(ttl_ms: int) -> dict[str, Any]:
    """Arguments of a rung: after its time the kept routing key, a queue's name, leads back to that queue."""
    return quorum(**{"x-message-ttl": ttl_ms, "x-dead-letter-exchange": ""}, **AT_LEAST_ONCE)


def declare(url: str, queues: Iterable[Queue] = CONSUMED, sources: Iterable[str] = (*SYSTEMS, *DOCKED)) -> None:
    """Declares exchanges, ladder, queues with their dead queues, and the sources' egress queues; idempotent.

    Raises a kombu operational error when the broker is away or a queue exists with other arguments.
    """
    with Connection(url) as connection:
        channel = connection.default_channel
        _keep_unrouted_answers(channel)
        exchanges = {name: _exchange(channel, name) for name in EXCHANGES}
        for rung, ttl_ms in RETRY_LADDER.items():
            fanout = Exchange(rung, "fanout", channel=channel)
            fanout.declare()
            _queue(channel, rung, fanout, ("",), ladder_arguments(ttl_ms))
        for queue in queues:
            _queue(channel, queue.name, exchanges[queue.exchange], queue.keys, consumed_arguments(queue))
            _queue(channel, queue.dead, exchanges[DEAD], (queue.name,), quorum())
        for answer in map(egress_queue, sources):
            _queue(channel, answer.name, exchanges[answer.exchange], answer.keys, quorum())


def _exchange(channel: Any, name: str) -> Exchange:
    arguments = {"alternate-exchange": UNROUTED} if name == EGRESS else None
    exchange = Exchange(name, "topic", channel=channel, arguments=arguments)
    exchange.declare()
    return exchange


def _keep_unrouted_answers(channel: Any) -> None:
    """An answer to a source that has no queue yet is kept to be seen, and holds up nobody."""
    fanout = Exchange(UNROUTED, "fanout", channel=channel)
    fanout.declare()
    _queue(channel, UNROUTED, fanout, ("",), quorum())


def _queue(channel: Any, name: str, exchange: Exchange, keys: Iterable[str], arguments: dict[str, Any]) -> None:
    queue = KombuQueue(name, channel=channel, queue_arguments=arguments)
    queue.queue_declare()
    for key in keys:
        queue.bind_to(exchange, routing_key=key)
