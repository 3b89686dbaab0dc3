"""From a legacy message to records, observations and refusals. Pure; nothing a sender can write raises."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from contracts import checks, rules
from contracts.corrections import ErrorReport
from contracts.egress import FieldError, Outcome, Verdict
from contracts.envelope import Envelope
from contracts.inspection import TestResult
from contracts.registry import Observation
from contracts.trace import Party, Record
from contracts.wire import MAX_LINES, Wire
from contracts.words import present, words
from services.adapters.parts import Origin, code_doubts

MAX_BYTES: Final = 1 << 20
ENCODINGS: Final = ("utf-8-sig", "gb18030")
_LOT: Final = re.compile(r"(inputs|outputs)\[(\d+)\]\.batch")


class Format(NamedTuple):
    """How a type of message is read: its model, its mapping (one line at a time), its word for a record's site."""

    model: type[Wire]
    line: Callable[[Origin, Any, Any], Record | Observation | TestResult | ErrorReport]
    site: str = "site"


@dataclass(frozen=True, slots=True)
class Adapted:
    """What became of one message; every record of it is in exactly one of the five.

    An unreadable message counts as one refused record.
    """

    records: list[Record] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    tests: list[TestResult] = field(default_factory=list)
    declarations: list[ErrorReport] = field(default_factory=list)
    refusals: list[Verdict] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many of the message's records are refused."""
        return len(self.refusals)


class _WholeRefused(Exception):
    """The message is refused with all its records, whose numbers are given."""

    def __init__(self, errors: Sequence[FieldError], numbers: Sequence[int] = (0,)) -> None:
        super().__init__(errors[0].rule)
        self.errors = errors
        self.numbers = numbers


def adapt(
    formats: Mapping[str, Format], envelope: Envelope, body: bytes, source: str, received_at: datetime
) -> Adapted:
    """Reads a message of `source`, as its routing key tells, in one of the `formats`."""
    adapted = Adapted()
    try:
        chosen = _format_of(formats, envelope.type)
        data = _read(body)
        _adapt_lines(chosen, data, envelope, source, received_at, adapted)
    except _WholeRefused as whole:
        for number in whole.numbers:
            _refuse(adapted, envelope.id, number, whole.errors)
    return adapted


def _format_of(formats: Mapping[str, Format], name: str) -> Format:
    if found := formats.get(name):
        return found
    kind = name.rpartition(".")[0]
    known = any(other.rpartition(".")[0] == kind for other in formats)
    raise _WholeRefused([rules.error("type", name, "unknown_version" if known else "unknown_kind")])


def _read(body: bytes) -> dict[str, Any]:
    """The message's fields that say something. Raises _WholeRefused when it cannot be read."""
    if len(body) > MAX_BYTES:
        raise _WholeRefused([rules.error("", len(body), "too_large")])
    data = read_object(body)
    if data is None:
        raise _WholeRefused([rules.error("", None, "unreadable")])
    return present(data)


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in UTF-8 or else GB18030; None when it is none."""
    for encoding in ENCODINGS:
        try:
            data = from_json(body.decode(encoding))
        except ValueError:
            continue
        return data if isinstance(data, dict) else None
    return None


def _adapt_lines(
    chosen: Format, data: dict[str, Any], envelope: Envelope, source: str, received_at: datetime, into: Adapted
) -> None:
    key = _word("lines", data)
    message, numbers, wrong = _validate(chosen.model, data, key)
    for number, errors in wrong.items():
        _refuse(into, envelope.id, number, errors)
    for number, line in zip(numbers, message.lines if message else (), strict=True):
        found = chosen.line(Origin(envelope, source, number), message, line)
        if isinstance(found, Observation):
            _judge_observation(found, received_at, into)
            continue
        if isinstance(found, ErrorReport):
            into.declarations.append(found)
            continue
        errors, flags = _judged(found, received_at)
        if errors:
            told = [_as_sent(fault, chosen.site, data, data[key][number - 1]) for fault in _causes(errors)]
            _refuse(into, envelope.id, number, told, getattr(message, "document_no", None))
        else:
            flags += tuple(code_doubts(line))
            _keep(found.model_copy(update={"flags": found.flags + flags}) if flags else found, into)


def _judged(found: Record | TestResult, received_at: datetime) -> checks.Judgement:
    return checks.judge(found, received_at) if isinstance(found, Record) else checks.judge_test(found, received_at)


def _keep(found: Record | TestResult, into: Adapted) -> None:
    if isinstance(found, Record):
        into.records.append(found)
    else:
        into.tests.append(found)


def _validate(
    model: type[Wire], data: dict[str, Any], key: str
) -> tuple[Any | None, list[int], Mapping[int, Sequence[FieldError]]]:
    """The message without its wrong lines, the numbers of those that are left, and what is wrong with the others.

    Raises _WholeRefused when something is wrong outside the lines.
    """
    lines = data.get(key)
    numbers = list(range(1, len(lines) + 1)) if isinstance(lines, list) else []
    if lines == []:
        raise _WholeRefused([rules.error(key, None, "required")])
    if len(numbers) > MAX_LINES:
        raise _WholeRefused([rules.error(key, len(numbers), "too_large")])
    try:
        return model.model_validate(data), numbers, {}
    except ValidationError as invalid:
        wrong = _by_line(invalid, key, numbers)
    numbers = [number for number in numbers if number not in wrong]
    rest = {**data, key: [lines[number - 1] for number in numbers]} if lines else {}
    return model.model_validate(rest) if numbers else None, numbers, wrong


def _by_line(invalid: ValidationError, key: str, numbers: Sequence[int]) -> dict[int, list[FieldError]]:
    head: list[FieldError] = []
    wrong: dict[int, list[FieldError]] = defaultdict(list)
    for found, fault in zip(invalid.errors(), rules.validation_errors(invalid), strict=True):
        match found["loc"]:
            case (word, int(place), *rest) if word == key:
                wrong[place + 1].append(fault.model_copy(update={"field": ".".join(map(str, rest)) or key}))
            case _:
                head.append(fault)
    if head:
        raise _WholeRefused(head, numbers or (0,))
    return dict(sorted(wrong.items()))


def _judge_observation(seen: Observation, received_at: datetime, into: Adapted) -> None:
    """A clock that runs ahead must not make an observation the latest for years: none is later than its arrival."""
    # Whatever identifies a site identifies an operator as well (`contracts.identity`).
    if not seen.site:
        _refuse(into, seen.message_id, seen.line, [rules.error("id", None, "no_site")])
        return
    party = Party(uscc=seen.uscc, licence=seen.licence, division=seen.division)
    flags = tuple(checks.party_faults("site", party))
    into.observations.append(
        seen.model_copy(update={"flags": flags, "observed_at": min(seen.observed_at, received_at)})
    )


def _causes(errors: Sequence[FieldError]) -> Sequence[FieldError]:
    """Without those that only follow from another: a batch number of a site unknown makes no batch."""
    no_site = any(fault.rule == "no_site" for fault in errors)
    return [fault for fault in errors if not (no_site and fault.rule == "no_batch")]


def _as_sent(fault: FieldError, site: str, head: Mapping[str, Any], line: Mapping[str, Any]) -> FieldError:
    """The fault under the field name and with the value that the sender wrote, not the canonical record's."""
    lot = _LOT.fullmatch(fault.field)
    if lot and isinstance(parts := line.get(side := _word(lot[1], line)), list):
        return _quoted(fault, "batch_no", parts[int(lot[2])], prefix=f"{side}.{lot[2]}.")
    if lot or fault.field == "batch":
        return _quoted(fault, "batch_no", line)
    return _quoted(fault, site if fault.field == "site" else fault.field, head, line)


def _quoted(fault: FieldError, name: str, *parts: Mapping[str, Any], prefix: str = "") -> FieldError:
    word = _word(name, *parts)
    value = next((part[word] for part in parts if word in part), None)
    told = str(value)[: rules.MAX_VALUE] if isinstance(value, str | int | float) else fault.value
    return fault.model_copy(update={"field": prefix + word, "value": told})


def _word(name: str, *parts: Mapping[str, Any]) -> str:
    """The word for a field that is used in one of the parts, else the documented one."""
    return next((word for part in parts for word in words(name) if word in part), name)


def _refuse(
    into: Adapted, message_id: str, number: int, errors: Sequence[FieldError], document: str | None = None
) -> None:
    verdict = Verdict(
        message_id=message_id, record=number, outcome=Outcome.REJECTED, document=document, errors=tuple(errors)
    )
    into.refusals.append(verdict)
