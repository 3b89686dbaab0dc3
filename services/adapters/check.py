"""A vendor's dry run: what the platform would answer, without a broker and without its stores."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from pydantic_core import from_json

from contracts import rules
from contracts.corrections import ErrorReport
from contracts.egress import FieldError, Outcome, Verdict
from contracts.envelope import parse
from contracts.inspection import TestResult
from contracts.registry import Observation
from contracts.trace import Record
from services.adapters.adapt import Adapted, Format, adapt, read_object
from services.adapters.catering.formats import FORMATS as CATERING
from services.adapters.docking.formats import FORMATS as DOCKING
from services.adapters.market.formats import FORMATS as MARKET
from services.adapters.one_network.formats import FORMATS as ONE_NETWORK

FORMATS: Final[Mapping[str, Mapping[str, Format]]] = {
    "market": MARKET,
    "one_network": ONE_NETWORK,
    "catering": CATERING,
    "docking": DOCKING,
}
"""By the first word of a source's name."""


def dry_run(source: str, lines: Iterable[bytes | str], type: str | None = None) -> Iterator[Verdict]:
    """The verdict on every record of JSON lines: each line a body (of `type`, or of its own key `type`), or a
    CloudEvent with `type`, `data` and perhaps `id` and `time`.

    A record that came before in the same lines is a duplicate. What needs the state of registry or trace (an
    unregistered operator, an id used for other content) is not judged. Raises KeyError for an unknown source.
    """
    formats = FORMATS[source.partition(".")[0]]
    seen: set[str] = set()
    for line in lines:
        if not line.strip():
            continue
        for verdict in _check(formats, source, line, type):
            known = verdict.event_id in seen
            seen.update((verdict.event_id,) if verdict.event_id else ())
            yield verdict.model_copy(update={"outcome": Outcome.DUPLICATE}) if known else verdict


def _check(formats: Mapping[str, Format], source: str, line: bytes | str, type: str | None) -> list[Verdict]:
    now = datetime.now(UTC)
    event = read_object(line.encode(errors="replace") if isinstance(line, str) else line)
    if event is None:
        return [Verdict(message_id="", outcome=Outcome.REJECTED, errors=(_unreadable(line),))]
    headers = {f"ce-{name}": event[name] for name in ("id", "time") if event.get(name)}
    headers["ce-type"] = type or event.get("type") or "?"
    data = event["data"] if "data" in event else {name: part for name, part in event.items() if name != "type"}
    envelope, body = parse(headers, json.dumps(data, ensure_ascii=False).encode(), source, None, now)
    return _verdicts(adapt(formats, envelope, body, source, now))


def _unreadable(line: bytes | str) -> FieldError:
    """The fault, with what the reader of JSON says of it and where."""
    fault = rules.error("", None, "unreadable")
    try:
        from_json(line.decode(errors="replace") if isinstance(line, bytes) else line)
        why = "not a JSON object"
    except ValueError as error:
        why = str(error)
    return fault.model_copy(update={"message": f"{fault.message}: {why}"})


def _verdicts(adapted: Adapted) -> list[Verdict]:
    found: tuple[Found, ...] = (*adapted.records, *adapted.observations, *adapted.tests, *adapted.declarations)
    accepted = [*map(_accepted, found)]
    return sorted(accepted + adapted.refusals, key=lambda verdict: verdict.record)


Found = Record | Observation | TestResult | ErrorReport


def _accepted(found: Found) -> Verdict:
    lots = (*found.inputs, *found.outputs) if isinstance(found, Record) else ()
    return Verdict(
        message_id=found.message_id,
        record=found.line,
        outcome=Outcome.ACCEPTED,
        document=found.document if isinstance(found, Record) else None,
        event_id=found.id,
        batches=tuple(dict.fromkeys(lot.batch for lot in lots)),
        flags=() if isinstance(found, ErrorReport) else found.flags,
    )
