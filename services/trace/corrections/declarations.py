"""Error declarations: which take effect, which wait for their event, which are refused. Pure.

What a source declares of its own event takes effect. An event not recorded yet may be on its way: the declaration
waits for it. One that was declared wrong stays wrong, however many declarations follow: they may add corrections.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from contracts import rules
from contracts.corrections import DeclaredError, Declarer, ErrorReport
from contracts.egress import FieldError, Outcome, Verdict
from contracts.trace import RecordedEvent
from services.trace.told import Stored


class State(StrEnum):
    """What became of a declaration."""

    APPLIED = "applied"
    PENDING = "pending"
    REFUSED = "refused"


class Declaration(NamedTuple):
    """That an event is wrong, as somebody told it: immutable, and sealed."""

    id: str
    event_id: str
    reason: str
    corrections: tuple[str, ...]
    by: Declarer
    who: str
    subject: str
    at: datetime
    message_id: str = ""
    line: int = 0


class Settled(NamedTuple):
    """A declaration as it stands, and the event it is about once that is known."""

    declaration: Declaration
    state: State
    event: Stored | None


def reported(report: ErrorReport, now: datetime) -> Declaration:
    """What a source declares; a clock of its own that runs ahead makes it no later than now."""
    return Declaration(
        report.id,
        report.event_id,
        report.reason,
        report.corrections,
        Declarer.SOURCE,
        report.source,
        report.source,
        min(report.sent_at, now),
        report.message_id,
        report.line,
    )


def settle(declarations: Iterable[Declaration], events: Mapping[str, Stored]) -> list[Settled]:
    """What becomes of declarations, each given once; `events` by id are those they are about, as far as recorded."""
    return [_settled(each, events.get(each.event_id)) for each in declarations]


def _settled(declaration: Declaration, event: Stored | None) -> Settled:
    if event is None:
        return Settled(declaration, State.PENDING, None)
    foreign = declaration.by is Declarer.SOURCE and event["source"] != declaration.who
    return Settled(declaration, State.REFUSED if foreign else State.APPLIED, event)


def verdict(declaration: Declaration, state: State, known: bool = False) -> Verdict:
    """The answer to a source; `known`: it was declared before."""
    outcome = Outcome.DUPLICATE if known else Outcome.ACCEPTED
    return Verdict(
        message_id=declaration.message_id,
        record=declaration.line,
        outcome=Outcome.REJECTED if state is State.REFUSED else outcome,
        event_id=None if state is State.REFUSED else declaration.id,
        flags=(_fault(declaration, "unknown_event"),) if state is State.PENDING else (),
        errors=(_fault(declaration, "not_own_event"),) if state is State.REFUSED else (),
    )


def _fault(declaration: Declaration, rule: str) -> FieldError:
    return rules.error("event_id", declaration.event_id, rule)


def declared(settled: Sequence[Settled]) -> list[DeclaredError]:
    """What is announced of those that took effect."""
    return [_declared(each, each.event) for each in settled if each.event and each.state is State.APPLIED]


def _declared(settled: Settled, event: Mapping[str, Any]) -> DeclaredError:
    told = settled.declaration
    return DeclaredError(
        id=told.id,
        event=_recorded(event),
        reason=told.reason,
        corrections=told.corrections,
        by=told.by,
        who=told.who,
        declared_at=told.at,
    )


def _recorded(event: Mapping[str, Any]) -> RecordedEvent:
    """What was announced of an event, with its place as it is known now."""
    other = event.get("counterparty", {})
    return RecordedEvent(
        id=event["_id"],
        source=event["source"],
        step=event["step"],
        time=event["time"],
        sent_at=event["sent_at"],
        site=event["site"],
        operator=event["operator"],
        division=event["division"],
        counterparty=other.get("site"),
        categories=event["categories"],
        batches=event["batches"],
        external=other.get("external", False),
        flags=tuple(dict.fromkeys(flag["rule"] for flag in event["flags"])),
    )
