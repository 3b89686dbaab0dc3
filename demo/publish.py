"""One legacy system: publishes its file and writes its own log. A process of its own, with its own broker user.

SHILIAN_AMQP_URL=… python -m demo.publish SOURCE FILE LOG [RECORDS PER SECOND]
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from shilian_publisher import Event, Publisher

from demo.files import read_messages

TIMEOUT_S = 120
WAVE_S = 0.02
"""At a given rate, what is due goes together this often."""


def publish(url: str, source: str, file: Path, log: Path, rate: float | None) -> int:
    """Sends every message of the file and waits for the broker's confirms. Returns how many it has none for."""
    with log.open("a", encoding="utf-8") as lines, Publisher(url, source, log.with_suffix(".spool")) as publisher:
        for wave in _waves(file, rate):
            publisher.send_all(_logged(wave, lines))
        return publisher.flush(TIMEOUT_S) + len(publisher.unroutable())


def _waves(file: Path, rate: float | None) -> Iterator[list[dict[str, Any]]]:
    """All at once, or so many records a second."""
    rows = read_messages(file)
    if rate is None:
        yield list(rows)
        return
    started, records, wave = time.monotonic(), 0, []
    for row in rows:
        wave.append(row)
        records += row["records"]
        early = records / rate - (time.monotonic() - started)
        if early > WAVE_S:
            yield wave
            wave = []
            time.sleep(early)
    yield wave


def _logged(rows: list[dict[str, Any]], log: TextIO) -> Iterator[Event]:
    for row in rows:
        line = {name: row[name] for name in ("id", "records", "duplicates")}
        log.write(json.dumps({**line, "at": datetime.now(UTC).isoformat()}) + "\n")
        yield Event(row["type"], row["body"], row["id"], datetime.fromisoformat(row["time"]))


def main() -> int:
    """Exit status 0 when the broker has all of it."""
    source, file, log, *rate = sys.argv[1:]
    remaining = publish(os.environ["SHILIAN_AMQP_URL"], source, Path(file), Path(log), float(rate[0]) if rate else None)
    if remaining:
        print(f"{source}: {remaining} messages without a confirm", file=sys.stderr)
    return 1 if remaining else 0


if __name__ == "__main__":
    sys.exit(main())
