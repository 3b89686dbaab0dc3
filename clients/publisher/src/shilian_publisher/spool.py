"""The journal between `send` and the broker: a message is a row from before its first try until its confirm."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Optional, Union

from shilian_publisher.message import Message

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    unroutable TEXT
)
"""


Outcome = tuple[int, Optional[str]]
"""A message's place, and the reason why it was unroutable; None when it was delivered."""


class SpoolInUseError(Exception):
    """Another process has this spool open; two of them would send everything twice."""


class Entry(NamedTuple):
    """A message and its place in the order of sending."""

    seq: int
    message: Message


class Unroutable(NamedTuple):
    """A message the broker had no queue for; it is kept until it is tried again or discarded."""

    id: str
    routing_key: str
    reason: str


class Spool:
    """Messages on disk in the order they were sent. Safe to share between threads, not between processes."""

    def __init__(self, path: Union[str, Path]) -> None:
        """Open or make the file.

        Raises:
            SpoolInUseError: Another process, or another publisher of this one, has it open.
            OSError: The file cannot be written, or is no spool.
        """
        self._changed = threading.Condition()
        self._db = _open(path)
        self.pending = self._count()
        """How many wait for the broker, unroutable ones apart."""

    def append(self, messages: Iterable[Message]) -> None:
        """Write messages in one transaction; they are on the disk when this returns."""
        rows = [(m.id, m.routing_key, json.dumps(m.headers), m.body) for m in messages]
        with self._changed, self._db:
            self._db.executemany("INSERT INTO message (id, routing_key, headers, body) VALUES (?, ?, ?, ?)", rows)
            self.pending += len(rows)

    def after(self, seq: int, limit: int) -> list[Entry]:
        """The next messages behind `seq`."""
        query = (
            "SELECT seq, id, routing_key, headers, body FROM message"
            " WHERE seq > ? AND unroutable IS NULL ORDER BY seq LIMIT ?"
        )
        with self._changed:
            rows = self._db.execute(query, (seq, limit)).fetchall()
        return [Entry(seq, Message(id_, key, json.loads(headers), body)) for seq, id_, key, headers, body in rows]

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Forget what the broker has; set aside, with the reason, what it had no queue for."""
        delivered = [(seq,) for seq, reason in outcomes if reason is None]
        aside = [(reason, seq) for seq, reason in outcomes if reason is not None]
        with self._changed, self._db:
            self._db.executemany("DELETE FROM message WHERE seq = ?", delivered)
            self._db.executemany("UPDATE message SET unroutable = ? WHERE seq = ?", aside)
            self.pending -= len(delivered) + len(aside)
            self._changed.notify_all()

    def unroutable(self) -> list[Unroutable]:
        """What was set aside, oldest first."""
        query = "SELECT id, routing_key, unroutable FROM message WHERE unroutable IS NOT NULL ORDER BY seq"
        with self._changed:
            return [Unroutable(*row) for row in self._db.execute(query)]

    def wait_until_empty(self, timeout: float) -> bool:
        """Wait until nothing is pending, at most `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.pending, timeout)

    def close(self) -> None:
        """Let go of the file; nothing else may be called afterwards."""
        with self._changed:
            self._db.close()

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM message").fetchone()[0])


def _open(path: Union[str, Path]) -> sqlite3.Connection:
    try:
        return _opened(sqlite3.connect(str(path), timeout=1, check_same_thread=False), path)
    except sqlite3.DatabaseError as error:
        raise OSError(f"spool {path}: {error}") from None


def _opened(db: sqlite3.Connection, path: Union[str, Path]) -> sqlite3.Connection:
    try:
        # One process only; and a write-ahead log that needs no shared memory, so a network drive will do.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        with db:
            db.execute(SCHEMA)
            # What was unroutable last time may have a queue by now.
            db.execute("UPDATE message SET unroutable = NULL WHERE unroutable IS NOT NULL")
    except sqlite3.DatabaseError as error:
        with closing(db):
            if "locked" in str(error):
                raise SpoolInUseError(f"{path} is in use by another publisher") from None
            raise
    return db
