"""A message as it was delivered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pika

from chassis.message import OWN_HEADERS, ROUTING_KEY, RawMessage
from contracts.envelope import parse


@dataclass(eq=False)
class Delivery:
    """A message as pika delivered it, and when (monotonic seconds)."""

    tag: int
    exchange: str
    routing_key: str
    properties: pika.BasicProperties
    body: bytes
    redelivered: bool
    at: float

    @cached_property
    def raw(self) -> RawMessage:
        """With its envelope read, once; a message back from the ladder gets its first routing key again.

        The platform's own headers count only on the default exchange, which the ladder and a replay use and where no
        source may publish: on any other a sender could claim to be another by writing them.
        """
        properties = self.properties
        headers: Mapping[str, Any] = {_text(name): value for name, value in (properties.headers or {}).items()}
        if self.exchange and not OWN_HEADERS.isdisjoint(headers):
            headers = {name: value for name, value in headers.items() if name not in OWN_HEADERS}
        key = str(headers.get(ROUTING_KEY, _text(self.routing_key)))
        content_type = _text(properties.content_type or "application/json")
        envelope, body = parse(headers, self.body, key, properties.message_id, datetime.now(UTC), content_type)
        return RawMessage(envelope, body, key, headers, content_type, self.redelivered)


def _text(short: str | bytes) -> str:
    """A short string; pika leaves one that is no UTF-8 as bytes. What cannot be read is left out: it must not grow."""
    return short.decode(errors="ignore") if isinstance(short, bytes) else short
