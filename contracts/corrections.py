"""Error declarations: a record is never overwritten; what was wrong with it is declared (domain: "Corrections")."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from pydantic import Field

from contracts.model import Contract, Whole
from contracts.trace import RecordedEvent


class Declarer(StrEnum):
    """Who may declare an error: the source of an event, the operator whose event it is, a regulator of its division."""

    SOURCE = "source"
    OPERATOR = "operator"
    REGULATOR = "regulator"


class ErrorReport(Contract):
    """One error as a source declares it: the event, why, and the events that stand in its place, which may come later.

    `id` is deterministic (`declaration_id`): what is declared twice is declared once. `line` is its place in the
    source's message.
    """

    id: str
    source: str = Field(max_length=255)
    message_id: str
    line: Whole = 0
    event_id: str
    reason: str
    corrections: tuple[str, ...] = ()
    sent_at: datetime


class DeclareErrorsV1(Contract):
    """`trace.declare_errors.v1`: a bundle, as `trace.capture.v1` is."""

    declarations: tuple[ErrorReport, ...]


class DeclaredError(Contract):
    """An error declaration that took effect: `event` no longer counts. `who` is a source, an operator or a division."""

    id: str
    event: RecordedEvent
    reason: str
    corrections: tuple[str, ...] = ()
    by: Declarer
    who: str
    declared_at: datetime


class ErrorsDeclaredV1(Contract):
    """`trace.errors_declared.v1`: whoever counted these events takes them back; they may be told of only later."""

    errors: tuple[DeclaredError, ...]


def declaration_id(event: str, by: Declarer, who: str, reason: str, corrections: Iterable[str]) -> str:
    """ "D" and 32 hex digits. Who adds a correction later makes another declaration about the same event."""
    return "D" + sha256("\n".join((event, by, who, reason, *sorted(corrections))).encode()).hexdigest()[:32]
