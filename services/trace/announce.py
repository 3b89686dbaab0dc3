"""What trace tells the bus of a decision: the announcement, the answers, and what it refused. Pure."""

from collections.abc import Mapping

from chassis.message import RawMessage, dead_letter
from chassis.outgoing import Outgoing, outgoing
from contracts.egress import Verdict, VerdictsV1
from contracts.envelope import Envelope
from contracts.topology import TRACE_CAPTURE
from contracts.trace import CaptureV1, EventsRecordedV1
from services.trace.domain import Decision, Refusal, recorded

SOURCE = "trace"
CAPTURE = "trace.capture.v1"


def announcements(decision: Decision, parents: Mapping[str, Envelope]) -> list[Outgoing]:
    """Messages of a decision about one batch; `parents` are the envelopes of the bundles, by record id."""
    parent = next(iter(parents.values()))
    answers = [_answer(source, verdicts, parent) for source, verdicts in decision.verdicts.items()]
    refused = [_dead_letter(refusal, parents[refusal.record.id]) for refusal in decision.refusals]
    if not decision.entries:
        return [*answers, *refused]
    events = EventsRecordedV1(events=tuple(map(recorded, decision.entries)))
    return [outgoing("trace.events_recorded.v1", events, source=SOURCE, parent=parent), *answers, *refused]


def _answer(source: str, verdicts: list[Verdict], parent: Envelope) -> Outgoing:
    body = VerdictsV1(source=source, verdicts=tuple(verdicts))
    return outgoing("egress.verdicts.v1", body, source=SOURCE, parent=parent, key=source)


def _dead_letter(refusal: Refusal, parent: Envelope) -> Outgoing:
    """A bundle of just the refused record. Its id is the record's, message and line, so that a replay counts once."""
    record = refusal.record
    envelope = Envelope.new(CAPTURE, record.source, parent=parent, id=f"{record.message_id}#{record.line}/{record.id}")
    body = CaptureV1(records=(record,)).model_dump_json(exclude_defaults=True).encode()
    raw = RawMessage(envelope, body, CAPTURE, envelope.to_headers())
    return dead_letter(TRACE_CAPTURE.name, raw, refusal.error.rule, (refusal.error,), 1)
