"""Events out of a file: JSON lines, or a csv as a spreadsheet writes it."""

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Optional

from shilian_publisher.message import Event, routing_key

Head = tuple[tuple[str, str], ...]


def read_events(path: Path, type_: Optional[str] = None, source: Optional[str] = None) -> Iterator[Event]:
    """The events of a file, UTF-8 or GB18030; `.csv` is a csv, any other name JSON lines.

    A JSON line is an object: the body, of the type given or of its own key `type`; or, where it has a key `data`,
    a CloudEvent (`type`, `data`, and perhaps `id` and `time`). In a csv every row is a body of the type given. A column
    `stall.id` is the field `id` of the part `stall`; columns `lines[].product` make a list, one entry per row, and
    rows that follow each other and differ in nothing else are one message.

    An event that brings no id gets one made of its type and content, so that a file sent twice is recorded once.

    Raises:
        ValueError: A line cannot be read, or its type is not one of this source's; names it.
    """
    if source and type_:
        routing_key(source, type_)
    text = _text(path.read_bytes())
    yield from _csv(text, type_) if path.suffix.lower() == ".csv" else _json_lines(text, type_, source)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030", errors="replace")


def _json_lines(text: str, type_: Optional[str], source: Optional[str]) -> Iterator[Event]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield _event(json.loads(line), type_, source)
            except (ValueError, TypeError) as error:
                raise ValueError(f"line {number}: {error}") from None


def _event(row: Any, type_: Optional[str], source: Optional[str]) -> Event:
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    own = row.get("type") if type_ is None else type_
    if not isinstance(own, str):
        raise ValueError("no type: give one for the whole file, or a key `type` in each line")
    if source:
        routing_key(source, own)
    if "data" in row:
        return _identified(own, row["data"], row.get("id"), row.get("time"))
    body = row if type_ else {key: value for key, value in row.items() if key != "type"}
    return _identified(own, body)


def _identified(type_: str, body: Any, identity: Optional[str] = None, time: Optional[str] = None) -> Event:
    content = json.dumps([type_, body], ensure_ascii=False, sort_keys=True)
    made = hashlib.sha256(content.encode()).hexdigest()[:32]
    # Python before 3.11 reads no Z.
    return Event(type_, body, identity or made, datetime.fromisoformat(time.replace("Z", "+00:00")) if time else None)


def _csv(text: str, type_: Optional[str]) -> Iterator[Event]:
    if type_ is None:
        raise ValueError("a csv has no types in it: give one for the whole file, with --type")
    rows = csv.DictReader(text.splitlines(keepends=True), restval="")
    lists = any("[]." in column for column in rows.fieldnames or ())
    for head, group in groupby(enumerate(rows), lambda numbered: _head(numbered[1], None if lists else numbered[0])):
        yield _identified(type_, _body(head, [row for _, row in group]))


def _head(row: dict[str, str], number: Optional[int]) -> tuple[Head, Optional[int]]:
    """What rows of one message agree in; without lists every row is a message, which its number sees to."""
    if None in row:
        raise ValueError(f"a row has more cells than the header: {row}")
    return tuple((column, cell) for column, cell in row.items() if "[]." not in column), number


def _body(head: tuple[Head, Optional[int]], rows: list[dict[str, str]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for column, cell in head[0]:
        _put(body, column, cell)
    for row in rows:
        entries: dict[str, dict[str, Any]] = {}
        for column, cell in row.items():
            name, mark, field = column.partition("[].")
            if mark:
                _put(entries.setdefault(name, {}), field, cell)
        for name, entry in entries.items():
            body.setdefault(name, []).append(entry)
    return body


def _put(part: dict[str, Any], column: str, cell: str) -> None:
    *path, field = column.strip().split(".")
    for name in path:
        part = part.setdefault(name, {})
    if cell.strip():
        part[field] = cell
