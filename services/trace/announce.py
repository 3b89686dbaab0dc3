"""What trace tells the bus of a decision: the announcement, the answers, and what it refused. Pure."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from chassis.message import dead_bundle
from chassis.outgoing import Outgoing, outgoing
from contracts.corrections import ErrorsDeclaredV1
from contracts.egress import ReceiptProposedV1, Verdict, VerdictsV1
from contracts.envelope import Envelope
from contracts.findings import FindingsChangedV1
from contracts.topology import TRACE_CAPTURE
from contracts.trace import CaptureV1, EventsRecordedV1, Record
from services.trace.corrections.declarations import Settled, declared
from services.trace.domain import Decision, Refusal
from services.trace.entry import recorded
from services.trace.watch.findings import Change

SOURCE: Final = "trace"


def announcements(decision: Decision, parents: Mapping[str, Envelope]) -> list[Outgoing]:
    """Messages of a decision about one batch; `parents` are the envelopes of the bundles, by record id."""
    parent = next(iter(parents.values()))
    answers = [answer(source, verdicts, parent) for source, verdicts in decision.verdicts.items()]
    refused = [_dead_letter(refusal, parents[refusal.record.id]) for refusal in decision.refusals]
    if not decision.entries:
        return [*answers, *refused]
    events = EventsRecordedV1(events=tuple(map(recorded, decision.entries)))
    return [outgoing("trace.events_recorded.v1", events, source=SOURCE, parent=parent), *answers, *refused]


def answer(source: str, verdicts: Sequence[Verdict], parent: Envelope) -> Outgoing:
    """Verdicts on their way to a source."""
    body = VerdictsV1(source=source, verdicts=tuple(verdicts))
    return outgoing("egress.verdicts.v1", body, source=SOURCE, parent=parent, key=source)


def _dead_letter(refusal: Refusal, parent: Envelope) -> Outgoing:
    """A bundle of just the refused record. Message, line and content are its id, so that a replay counts once."""
    record = refusal.record
    id = f"{record.message_id}#{record.line}/{_content_of(record)}"
    return dead_bundle(TRACE_CAPTURE, record.source, id, CaptureV1(records=(record,)), (refusal.error,), parent)


def _content_of(record: Record) -> str:
    """Tells the same line with other content apart, in 8 hex digits; fields at their defaults are left out."""
    told = record.model_dump_json(exclude=_TOLD_OTHERWISE, exclude_defaults=True)
    return sha256(told.encode()).hexdigest()[:8]


_TOLD_OTHERWISE: Final = {"id", "source", "message_id", "line", "sent_at", "flags"}


def proposal(body: ReceiptProposedV1, parent: Envelope) -> Outgoing:
    """A proposed receipt on its way to one of the receiver's systems."""
    return outgoing("egress.receipt_proposed.v1", body, source=SOURCE, parent=parent, key=body.source)


def errors_declared(settled: Sequence[Settled], parent: Envelope) -> list[Outgoing]:
    """The declarations that took effect; nothing when none did."""
    errors = tuple(declared(settled))
    body = ErrorsDeclaredV1(errors=errors)
    return [outgoing("trace.errors_declared.v1", body, source=SOURCE, parent=parent)] if errors else []


def findings_changed(changes: Sequence[Change], parent: Envelope | None = None) -> list[Outgoing]:
    """The findings as they are now; nothing when none changed."""
    if not changes:
        return []
    body = FindingsChangedV1(findings=tuple(change.after for change in changes))
    return [outgoing("trace.findings_changed.v1", body, source=SOURCE, parent=parent)]
