"""Puts a trial's messages on the bus."""

from collections.abc import Iterable
from itertools import count
from typing import Any, Final, NamedTuple

from kombu import Connection

from contracts.envelope import Envelope

WINDOW: Final = 1_000
CONFIRM_S: Final = 60


class Sent(NamedTuple):
    """A message of a type for whoever is bound to the key on the exchange."""

    type: str
    body: bytes
    key: str
    exchange: str = ""
    """By default the one that leads to the queue named by the key, and to no other."""


def fill(amqp_url: str, messages: Iterable[Sent], sender: str) -> None:
    """Publishes the messages with the envelope our own processes give them; returns when all are confirmed."""
    with Connection(amqp_url) as connection:
        channel = connection.default_channel
        unconfirmed = _confirming(channel)
        for tag, sent in zip(count(1), messages, strict=False):
            headers = Envelope.new(sent.type, sender).to_headers()
            message = channel.prepare_message(
                sent.body, content_type="application/json", headers=headers, properties={"delivery_mode": 2}
            )
            unconfirmed.add(tag)
            channel.basic_publish(message, exchange=sent.exchange, routing_key=sent.key)
            while len(unconfirmed) >= WINDOW:
                connection.drain_events(timeout=CONFIRM_S)
        while unconfirmed:
            connection.drain_events(timeout=CONFIRM_S)


def _confirming(channel: Any) -> set[int]:
    """The delivery tags that the broker has not confirmed, kept up to date."""
    unconfirmed: set[int] = set()

    def settle(tag: int, multiple: bool) -> None:
        unconfirmed.difference_update({known for known in unconfirmed if known <= tag} if multiple else {tag})

    channel.confirm_select()
    channel.events["basic_ack"].add(settle)
    return unconfirmed
