"""A message as a handler sees it, and as a dead letter."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Generic, TypeVar
from uuid import uuid4

from chassis.outgoing import Outgoing
from contracts.egress import FieldError
from contracts.envelope import Envelope
from contracts.model import Contract
from contracts.topology import DEAD, Queue

T = TypeVar("T")

ROUTING_KEY = "x-shilian-routing-key"
ATTEMPT = "x-shilian-attempt"
QUEUE = "x-shilian-queue"
REASON = "x-shilian-reason"
ERRORS = "x-shilian-errors"
RECORDS = "x-shilian-records"
MESSAGE_ID = "x-shilian-message-id"

SHORT = 255
"""Bytes of an AMQP short string."""

HEADERS_KEPT = 32 << 10
"""Bytes of a sender's headers that are kept; a frame holds 128 KiB."""

MAX_ERRORS = 20
"""Errors quoted in a dead letter's headers; the answer to the source has them all."""

FIELD_KEPT = 200
"""Characters of a field's name in them, so that all fit into one frame beside the sender's headers."""

ROUTING_HEADERS = ("CC", "BCC")
"""RabbitMQ routes by them, and closes the channel of whoever sends one as text."""

BROKERS_HEADERS = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count")
"""How the names of its own notes on dead-lettering begin: they are tables, and told of a way that is over."""

OWN_HEADERS = frozenset({ROUTING_KEY, ATTEMPT, QUEUE, REASON, ERRORS, RECORDS, MESSAGE_ID})


@dataclass(frozen=True, slots=True)
class Message(Generic[T]):
    """A message whose body was parsed into its model."""

    envelope: Envelope
    body: T
    routing_key: str
    redelivered: bool = False


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it came: for the adapters, whose senders may write anything."""

    envelope: Envelope
    body: bytes
    routing_key: str
    headers: Mapping[str, Any]
    content_type: str = "application/json"
    redelivered: bool = False


def dead_letter(queue: str, message: RawMessage, reason: str, errors: Sequence[FieldError], records: int) -> Outgoing:
    """The whole original message for `<queue>.dead`, with why, and how many of its records are refused.

    Its id is made of queue and message id, so that a redelivered refusal can be told from a second message.
    """
    told = json.dumps([_quoted(error) for error in errors[:MAX_ERRORS]], ensure_ascii=False)
    headers = {
        **safe_headers(message.headers),
        QUEUE: queue,
        ROUTING_KEY: message.routing_key,
        REASON: reason,
        ERRORS: told,
        RECORDS: records,
        MESSAGE_ID: message.envelope.id,
    }
    return Outgoing(
        DEAD, queue, short_id(f"{queue}/{message.envelope.id}"), headers, message.body, message.content_type
    )


def dead_bundle(
    queue: Queue, source: str, id: str, bundle: Contract, errors: Sequence[FieldError], parent: Envelope
) -> Outgoing:
    """Just what is refused of a message, as a bundle of its own under `id`: a replay of the same counts once."""
    command = queue.keys[0]
    envelope = Envelope.new(command, source, parent=parent, id=id)
    body = bundle.model_dump_json(exclude_defaults=True).encode()
    raw = RawMessage(envelope, body, command, envelope.to_headers())
    letter = dead_letter(queue.name, raw, errors[0].rule, errors, 1)
    # A second refusal of it must not meet the first one's row in the outbox.
    return replace(letter, id=uuid4().hex)


def _quoted(error: FieldError) -> dict[str, str]:
    """An error as headers can hold it: a sender may give a field a name of a hundred thousand characters."""
    return {**error.model_dump(exclude_none=True), "field": error.field[:FIELD_KEPT]}


def safe_headers(headers: Mapping[str, Any]) -> dict[str, str | int]:
    """The sender's headers as far as they can be sent on: plain values, and little enough for one frame.

    A sender may write any table up to a frame's size; ours on top of it would break the publishing connection.
    """
    kept: dict[str, str | int] = {}
    room = HEADERS_KEPT
    for name, value in headers.items():
        plain = value if isinstance(value, int) and abs(value) < 1 << 63 else str(value)
        room -= len(name.encode()) + len(str(plain).encode(errors="replace"))
        if room > 0 and len(name.encode()) <= SHORT and not _ours_or_the_brokers(name):
            kept[name] = plain if isinstance(plain, int) else plain.encode(errors="replace").decode()
    return kept


def _ours_or_the_brokers(name: str) -> bool:
    return name in OWN_HEADERS or name in ROUTING_HEADERS or name.startswith(BROKERS_HEADERS)


def short_id(id: str) -> str:
    """An id that fits AMQP's `message_id`, 255 bytes; a longer one is replaced by its hash."""
    return id if len(id.encode()) <= SHORT else sha256(id.encode()).hexdigest()
