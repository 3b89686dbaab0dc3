"""From an event of the sender to an AMQP message: CloudEvents 1.0 in binary mode, JSON body."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple, Optional, Union

MAX_BODY = 16 * 1024 * 1024
"""Bytes. RabbitMQ 4 closes the channel on more, and would do so again each time the message is tried."""

MAX_SHORT_STRING = 255
"""Bytes of an AMQP short string: message id, routing key."""

Body = Union[bytes, str, Mapping[str, Any], Sequence[Any]]


class Event(NamedTuple):
    """What a source reports. `id` is made when it is None; `time` is now when it is None.

    Give an `id` of your own (document number and line, say) when you may report the same thing again: the platform
    records one id once. A `time` without zone is taken as this machine's local time. A `body` of bytes is sent
    as it is, anything else as JSON in UTF-8.
    """

    type: str
    body: Body
    id: Optional[str] = None
    time: Optional[datetime] = None


class Message(NamedTuple):
    """An event as it goes on the wire."""

    id: str
    routing_key: str
    headers: dict[str, str]
    body: bytes


def encode(source: str, event: Event) -> Message:
    """The message of an event.

    Raises:
        ValueError: The type is another system's, an id or type is empty or too long, or the body too large.
    """
    identity = _short("id", os.urandom(16).hex() if event.id is None else event.id)
    return Message(
        identity, _short("type", routing_key(source, event.type)), _headers(source, event, identity), _body(event.body)
    )


def routing_key(source: str, type_: str) -> str:
    """`market` sends `market.sale_ticket.v1` under just that key; the docked system `docking.formula` sends
    `docking.capture.v1` as `docking.formula.capture.v1`, because the broker admits a source by its prefix.

    Raises:
        ValueError: The type is not one of this source's.
    """
    system = source.split(".")[0]
    if not type_.startswith(f"{system}."):
        raise ValueError(f"type {type_!r}: {source} may only send types that start with {system!r} and a dot")
    return source + type_[len(system) :]


def _headers(source: str, event: Event, identity: str) -> dict[str, str]:
    time = (event.time or datetime.now(timezone.utc)).astimezone(timezone.utc)
    return {
        "ce-specversion": "1.0",
        "ce-id": identity,
        "ce-source": source,
        "ce-type": event.type,
        "ce-time": time.isoformat().replace("+00:00", "Z"),
        # W3C trace context: the whole way through the platform is one trace, and it starts here.
        "traceparent": f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01",
    }


def _body(body: Body) -> bytes:
    raw = body if isinstance(body, bytes) else _text(body).encode()
    if len(raw) > MAX_BODY:
        raise ValueError(f"body of {len(raw)} bytes: at most {MAX_BODY} are accepted")
    return raw


def _text(body: Union[str, Mapping[str, Any], Sequence[Any]]) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)


def _short(name: str, text: str) -> str:
    if not 0 < len(text.encode()) <= MAX_SHORT_STRING:
        raise ValueError(f"{name} {text!r}: 1 to {MAX_SHORT_STRING} bytes are allowed")
    return text
