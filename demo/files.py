"""What passes between the generator and the publishers: messages to send, and the logs of what was sent."""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from demo.generator import Message


class Sent(NamedTuple):
    """A line of a publisher's log: `at` is when it handed the message over; records count."""

    id: str
    at: datetime
    records: int
    duplicates: int


def write_messages(path: Path, messages: Iterable[Message]) -> None:
    """One JSON object a line; a body that is not UTF-8 in base64."""
    with path.open("w", encoding="utf-8") as lines:
        for message in messages:
            lines.write(json.dumps(_row(message), ensure_ascii=False) + "\n")


def read_messages(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file; `body` as bytes."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            encoded = row.pop("body_base64", None)
            yield {**row, "body": base64.b64decode(encoded) if encoded else row["body"].encode()}


def read_log(path: Path) -> list[Sent]:
    """What a publisher says it sent."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Sent(row["id"], datetime.fromisoformat(row["at"]), row["records"], row["duplicates"]) for row in rows]


def _row(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "type": message.type,
        "time": message.sent.isoformat(),
        "records": message.records,
        "duplicates": message.duplicates,
        **_body(message.data),
    }


def _body(data: bytes) -> dict[str, str]:
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(data).decode()}
