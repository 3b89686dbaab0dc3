"""A message as a handler sees it, and as a dead letter."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chassis.outgoing import Outgoing
from contracts.egress import FieldError
from contracts.envelope import Envelope
from contracts.topology import DEAD

T = TypeVar("T")

ROUTING_KEY = "x-shilian-routing-key"
ATTEMPT = "x-shilian-attempt"
QUEUE = "x-shilian-queue"
REASON = "x-shilian-reason"
ERRORS = "x-shilian-errors"
RECORDS = "x-shilian-records"
MESSAGE_ID = "x-shilian-message-id"

OWN_HEADERS = (ROUTING_KEY, ATTEMPT, QUEUE, REASON, ERRORS, RECORDS, MESSAGE_ID)


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
    told = json.dumps([error.model_dump(exclude_none=True) for error in errors], ensure_ascii=False)
    kept = {key: value for key, value in message.headers.items() if key not in OWN_HEADERS}
    headers = {
        **kept,
        QUEUE: queue,
        ROUTING_KEY: message.routing_key,
        REASON: reason,
        ERRORS: told,
        RECORDS: records,
        MESSAGE_ID: message.envelope.id,
    }
    return Outgoing(DEAD, queue, f"{queue}/{message.envelope.id}", headers, message.body, message.content_type)
