"""`shilian check`: what the platform would answer to a file, without sending it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
from shilian_publisher.rows import read_events

from clients.cli import words
from clients.cli.egress import notes
from clients.cli.failing import BAD_INPUT, FAILED, fail, reported
from clients.cli.printing import Format, FormatOption, print_json, print_table
from clients.cli.publish import File, Source, Type
from contracts.egress import Verdict
from services.adapters.check import FORMATS, dry_run

HEADS = ("消息 line", "记录 record", "结果 outcome", "单号 document", "批次 batches", "原因与标记 errors, flags")

OUTCOMES = words.OUTCOMES | {"accepted": "可接收"}
"""Nothing is taken in a dry run."""

Found = tuple[int, Verdict]


def check(source: Source, file: File, type: Type = None, format: FormatOption = Format.TABLE) -> None:
    """试跑：不连平台，逐条给出结论。Check a file without a broker: every record's verdict.

    Exit status 1 when a record would be refused.
    """
    if source.partition(".")[0] not in FORMATS:
        fail(f"来源有误 SOURCE {source}: is none of {', '.join(FORMATS)} (docking.<system>)", BAD_INPUT)
    with reported():
        found = list(_verdicts(source, file, type))
    counts = _counts(verdict for _, verdict in found)
    if format is Format.JSON:
        print_json({"source": source, **counts, "verdicts": [_json(line, verdict) for line, verdict in found]})
    else:
        print_table(_summary(counts), HEADS, (_row(line, verdict) for line, verdict in found))
    if counts["rejected"]:
        raise typer.Exit(FAILED)


def _verdicts(source: str, file: Path, type: str | None) -> Iterator[Found]:
    """Verdicts, each with the number of the line in the file, or of the message in a csv."""
    reading = 0

    def lines() -> Iterator[bytes | str]:
        nonlocal reading
        for number, line in enumerate(_lines(file, type), 1):
            reading = number
            yield line

    for verdict in dry_run(source, lines(), type):
        yield reading, verdict


def _lines(file: Path, type: str | None) -> Iterable[bytes | str]:
    if file.suffix.lower() != ".csv":
        return file.read_bytes().split(b"\n")
    return (json.dumps({"id": event.id, "data": event.body}) for event in read_events(file, type))


def _counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    found = Counter[str]()
    for verdict in verdicts:
        found.update(("records", verdict.outcome.value, *(("flagged",) if verdict.flags else ())))
    return {name: found[name] for name in ("records", "accepted", "duplicate", "rejected", "flagged")}


def _summary(counts: dict[str, int]) -> str:
    fine = f"可接收 {counts['accepted']}，重复 {counts['duplicate']}，拒绝 {counts['rejected']}"
    return f"{counts['records']} 条记录：{fine}；有标记 {counts['flagged']}"


def _json(line: int, verdict: Verdict) -> dict[str, Any]:
    return {"line": line, **verdict.model_dump(mode="json", exclude_none=True)}


def _row(line: int, verdict: Verdict) -> tuple[str, ...]:
    return (
        str(line),
        str(verdict.record or "整条"),
        OUTCOMES[verdict.outcome],
        verdict.document or "",
        "\n".join(verdict.batches),
        "\n".join(notes(verdict.model_dump())),
    )
