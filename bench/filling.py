"""Puts a trial's messages on the capture queue."""

from collections.abc import Iterable
from itertools import count
from typing import Any, Final

from kombu import Connection

from contracts.envelope import Envelope
from contracts.topology import COMMANDS, TRACE_CAPTURE

CAPTURE: Final = "trace.capture.v1"
WINDOW: Final = 1_000
CONFIRM_S: Final = 60


def fill(amqp_url: str, bodies: Iterable[bytes], sender: str) -> None:
    """Publishes the bodies with the envelope an adapter gives them, and returns when all are confirmed."""
    with Connection(amqp_url) as connection:
        channel = connection.default_channel
        unconfirmed = _confirming(channel)
        for tag, body in zip(count(1), bodies, strict=False):
            headers = Envelope.new(CAPTURE, sender).to_headers()
            message = channel.prepare_message(
                body, content_type="application/json", headers=headers, properties={"delivery_mode": 2}
            )
            unconfirmed.add(tag)
            channel.basic_publish(message, exchange=COMMANDS, routing_key=TRACE_CAPTURE.keys[0])
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
