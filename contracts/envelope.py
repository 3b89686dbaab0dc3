"""The CloudEvents 1.0 envelope that every message on the bus carries in its AMQP headers, and W3C trace context.

We write binary mode with the `ce-` prefix; `parse` takes what senders really send.
"""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Self
from uuid import uuid4

from contracts import topology

STRUCTURED: Final = "application/cloudevents+json"
PREFIXES: Final = ("ce-", "cloudEvents:", "cloudEvents_")
"""Ours, then the two of the CloudEvents AMQP binding."""

_MAX_ATTRIBUTE: Final = 255
_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who says what kind of thing, when, and because of which message. `time` is aware UTC."""

    id: str
    source: str
    type: str
    time: datetime
    subject: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def new(
        cls,
        type: str,
        source: str,
        *,
        parent: Self | None = None,
        id: str | None = None,
        time: datetime | None = None,
        subject: str | None = None,
    ) -> Self:
        """An envelope of our own; with a `parent` it joins the parent's correlation and trace."""
        own = id or uuid4().hex
        return cls(
            id=own,
            source=source,
            type=type,
            time=time or datetime.now(UTC),
            subject=subject,
            correlation_id=(parent.correlation_id or parent.id) if parent else own,
            causation_id=parent.id if parent else None,
            traceparent=child_traceparent(parent.traceparent if parent else None),
        )

    def to_headers(self) -> dict[str, str]:
        """AMQP headers in binary mode; attributes that are not set are left out."""
        headers = {
            "ce-specversion": "1.0",
            "ce-id": self.id,
            "ce-source": self.source,
            "ce-type": self.type,
            "ce-time": self.time.isoformat(),
            "ce-subject": self.subject,
            "ce-correlationid": self.correlation_id,
            "ce-causationid": self.causation_id,
            "traceparent": self.traceparent,
        }
        return {name: value for name, value in headers.items() if value}


def child_traceparent(parent: str | None) -> str:
    """A new span of the parent's trace, or of a new sampled trace (W3C Trace Context level 1)."""
    if parent and _TRACEPARENT.fullmatch(parent):
        return f"{parent[:36]}{secrets.token_hex(8)}{parent[52:]}"
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def parse(
    headers: Mapping[str, Any] | None,
    body: bytes,
    routing_key: str,
    message_id: str | None,
    now: datetime,
    content_type: str | None = None,
) -> tuple[Envelope, bytes]:
    """Envelope and data of a message as it came; never raises.

    Attributes come from binary headers, else from a structured body; the type falls back to the routing key, the
    source to the key's owner, the id to the AMQP message id and then to the body's hash, so that an identical
    resend has the same id. `source` is what the sender claims: who may speak is told by the routing key alone.
    """
    attributes = _binary(headers or {})
    if content_type and content_type.lower().startswith(STRUCTURED):
        structured, body = _structured(body)
        attributes = structured | attributes
    id = attributes.get("id") or _clean(message_id) or sha256(body).hexdigest()[:32]
    return Envelope(
        id=id,
        source=attributes.get("source") or topology.source_of(routing_key),
        type=attributes.get("type") or _type_of(routing_key),
        time=_time(attributes.get("time"), now),
        subject=attributes.get("subject"),
        correlation_id=attributes.get("correlationid") or id,
        causation_id=attributes.get("causationid"),
        traceparent=_traceparent(attributes.get("traceparent")),
    ), body


def _binary(headers: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        if (attribute := _attribute(name)) and (text := _clean(value)):
            found[attribute] = text
    return found


@lru_cache(1_024)
def _attribute(header: str) -> str | None:
    """The CloudEvents attribute that a header's name stands for."""
    prefix = next((prefix for prefix in PREFIXES if header.startswith(prefix)), None)
    if prefix is None:
        return header if header == "traceparent" else None
    return header[len(prefix) :].lower()


def _structured(body: bytes) -> tuple[dict[str, str], bytes]:
    """Attributes and data of a structured event; a body that is none is handed on as it is, to be refused there."""
    try:
        event = _json(body)
        data = _data(event)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}, body
    return {name: text for name, value in event.items() if name != "data" and (text := _clean(value))}, data


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        return json.loads(body.decode("gb18030"))


def _data(event: dict[str, Any]) -> bytes:
    if "data_base64" in event:
        return base64.b64decode(event["data_base64"], validate=True)
    return json.dumps(event.get("data"), ensure_ascii=False).encode()


def _clean(value: object) -> str | None:
    """An attribute fit to be an id, a header and a log field; what is none counts as not given."""
    text = value if isinstance(value, str) else _text(value)
    text = text.strip()
    return text if text and len(text) <= _MAX_ATTRIBUTE and text.isprintable() else None


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def _type_of(routing_key: str) -> str:
    """A docked source's key carries its system, which the type does not: `docking.<system>.capture.v1`."""
    words = routing_key.split(".")
    return ".".join(["docking", *words[2:]]) if words[0] == "docking" else routing_key


def _time(text: str | None, now: datetime) -> datetime:
    try:
        time = datetime.fromisoformat(text or "")
        return time.astimezone(UTC) if time.tzinfo else now
    except (ValueError, OverflowError):
        return now


def _traceparent(text: str | None) -> str | None:
    return text if text and _TRACEPARENT.fullmatch(text) else None
