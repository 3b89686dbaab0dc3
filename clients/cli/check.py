"""`shilian check`: what the platform would answer to a file, without sending it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import typer
from shilian_publisher import Event
from shilian_publisher.message import encode
from shilian_publisher.rows import read_events

from clients.cli.egress import notes
from clients.cli.failing import BAD_INPUT, FAILED, fail, reported
from clients.cli.printing import Format, FormatOption, print_json, print_table
from clients.cli.publish import File, Source, Type
from clients.cli.words import OUTCOMES
from contracts.egress import Outcome, Verdict
from contracts.envelope import Envelope
from contracts.registry import Observation
from contracts.trace import Record
from services.adapters.adapt import adapt
from services.adapters.catering.formats import FORMATS as CATERING
from services.adapters.docking.formats import FORMATS as DOCKING
from services.adapters.market.formats import FORMATS as MARKET
from services.adapters.one_network.formats import FORMATS as ONE_NETWORK

FORMATS: Final = {"market": MARKET, "one_network": ONE_NETWORK, "catering": CATERING, "docking": DOCKING}
HEADS = ("第几条消息 message", "行 record", "结果 outcome", "单号 document", "批次 batches", "原因与标记 errors, flags")


def check(source: Source, file: File, type: Type = None, format: FormatOption = Format.TABLE) -> None:
    """Check a file without a broker: every record's verdict, by the rules that a record alone can break.

    Exit status 1 when a record would be refused.
    """
    if source.split(".")[0] not in FORMATS:
        fail(f"SOURCE {source}: none of {', '.join(FORMATS)} (docking.<system>)", BAD_INPUT)
    with reported():
        verdicts = list(_verdicts(source, read_events(file, type)))
    counts = _counts(verdict for _, verdict in verdicts)
    if format is Format.JSON:
        print_json({"source": source, **counts, "verdicts": [_json(number, v) for number, v in verdicts]})
    else:
        fine = f"可接收 {counts['accepted']}(有标记 {counts['flagged']})"
        print_table(
            f"{counts['records']} 条记录:{fine},拒绝 {counts['rejected']}",
            HEADS,
            (_row(number, verdict) for number, verdict in verdicts),
        )
    if counts["rejected"]:
        raise typer.Exit(FAILED)


def _verdicts(source: str, events: Iterable[Event]) -> Iterator[tuple[int, Verdict]]:
    """The number of each message in the file, from 1, and the verdicts on its records in their order."""
    for number, event in enumerate(events, 1):
        for verdict in sorted(_verdicts_on(source, event), key=lambda verdict: verdict.record):
            yield number, verdict


def _verdicts_on(source: str, event: Event) -> Iterator[Verdict]:
    message = encode(source, event)
    envelope = Envelope.new(event.type, source, id=message.id, time=event.time)
    formats = FORMATS[source.split(".")[0]]
    adapted = adapt(formats, envelope, message.body, source, datetime.now(UTC))
    yield from adapted.refusals
    yield from map(_of_record, adapted.records)
    yield from map(_of_observation, adapted.observations)


def _of_record(record: Record) -> Verdict:
    return Verdict(
        message_id=record.message_id,
        record=record.line,
        outcome=Outcome.ACCEPTED,
        document=record.document,
        event_id=record.id,
        batches=tuple(dict.fromkeys(lot.batch for lot in (*record.outputs, *record.inputs))),
        flags=record.flags,
    )


def _of_observation(seen: Observation) -> Verdict:
    return Verdict(
        message_id=seen.message_id, record=seen.line, outcome=Outcome.ACCEPTED, event_id=seen.id, flags=seen.flags
    )


def _counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    found = Counter(
        name for verdict in verdicts for name in ("records", verdict.outcome.value, "flagged" if verdict.flags else "")
    )
    return {name: found[name] for name in ("records", "accepted", "rejected", "flagged")}


def _json(number: int, verdict: Verdict) -> dict[str, Any]:
    return {"message": number, **verdict.model_dump(mode="json", exclude_none=True)}


def _row(number: int, verdict: Verdict) -> tuple[str, ...]:
    return (
        str(number),
        str(verdict.record or "整条"),
        OUTCOMES[verdict.outcome],
        verdict.document or "",
        "\n".join(verdict.batches),
        "\n".join(notes(verdict.model_dump())),
    )
