"""What an adapter sends on for one consumed batch: bundles, answers and dead letters. Pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from chassis.message import RawMessage, dead_letter
from chassis.outgoing import Outgoing, outgoing
from contracts.corrections import DeclareErrorsV1, ErrorReport
from contracts.egress import Verdict, VerdictsV1
from contracts.inspection import RecordTestsV1, TestResult
from contracts.model import Contract
from contracts.registry import Observation, ObserveV1
from contracts.topology import Queue, source_of
from contracts.trace import CaptureV1, Record
from services.adapters.adapt import Adapted, Format, adapt

T = TypeVar("T")

MAX_ITEMS: Final = 5_000
MAX_BYTES: Final = 4 << 20
"""What is beyond either goes out as two messages: a bundle is one transaction downstream."""


def bundles(
    queue: Queue, formats: Mapping[str, Format], messages: Sequence[RawMessage], received_at: datetime
) -> list[Outgoing]:
    """One `trace.capture.v1` of all records, one `registry.observe.v1` of all observations, one
    `inspection.record_tests.v1` of all tests, one `trace.declare_errors.v1` of all error declarations, one
    `egress.verdicts.v1` per source with its refusals, and a dead letter per message that has some.

    A bundle's envelope continues the first message's trace and names it as cause; each record keeps its own
    message's id.
    """
    records: list[Record] = []
    observations: list[Observation] = []
    tests: list[TestResult] = []
    declarations: list[ErrorReport] = []
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    dead: list[Outgoing] = []
    for message in messages:
        source = source_of(message.routing_key)
        adapted = adapt(formats, message.envelope, message.body, source, received_at)
        records += adapted.records
        observations += adapted.observations
        tests += adapted.tests
        declarations += adapted.declarations
        if adapted.refusals:
            verdicts[source] += adapted.refusals
            dead.append(_dead(queue, message, adapted))

    def sent(name: str, body: Contract, key: str | None = None) -> Outgoing:
        return outgoing(name, body, source=queue.name, parent=messages[0].envelope, key=key)

    def answered(source: str, some: Sequence[Verdict]) -> Outgoing:
        return sent("egress.verdicts.v1", VerdictsV1(source=source, verdicts=tuple(some)), source)

    return [
        *_split(records, lambda some: sent("trace.capture.v1", CaptureV1(records=tuple(some)))),
        *_split(observations, lambda some: sent("registry.observe.v1", ObserveV1(observations=tuple(some)))),
        *_split(tests, lambda some: sent("inspection.record_tests.v1", RecordTestsV1(tests=tuple(some)))),
        *_split(declarations, lambda some: sent("trace.declare_errors.v1", DeclareErrorsV1(declarations=tuple(some)))),
        *(answer for source, told in verdicts.items() for answer in _split(told, partial(answered, source))),
        *dead,
    ]


def _dead(queue: Queue, message: RawMessage, adapted: Adapted) -> Outgoing:
    errors = [error for verdict in adapted.refusals for error in verdict.errors]
    return dead_letter(queue.name, message, errors[0].rule, errors, adapted.refused)


def _split(items: Sequence[T], pack: Callable[[Sequence[T]], Outgoing]) -> list[Outgoing]:
    """The items in as few messages as the limits allow: halved until each fits."""
    if not items:
        return []
    half = len(items) // 2
    if len(items) <= MAX_ITEMS and (len((whole := pack(items)).body) <= MAX_BYTES or not half):
        return [whole]
    return [*_split(items[:half], pack), *_split(items[half:], pack)]
