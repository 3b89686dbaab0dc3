"""Lanes of blocks (ADR 13): each batch in flight has one of its own, so that none waits for another.

A lane is a row that a process holds for as long as it uses it. Who was killed leaves its lanes to whoever needs one
next; a lane is made only when none is free, so there are about as many as batches were ever in flight at once. The
lease saves waiting, no more: two that hold one lane collide on the block's number, and the slower reads on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.trace.evidence import blocks, sealing
from services.trace.evidence.blocks import Block, Row, Sealed

LEASE: Final = timedelta(minutes=2)


class Lane:
    """A lane in use; `head` is its last block, None in a new one, and `sure` whether it still is."""

    def __init__(self, id: str, until: datetime, head: Block | None) -> None:
        self.id, self.until, self.head = id, until, head
        self.sure = True
        self._next: Block | None = None

    def seal(self, rows: Sequence[Row], at: datetime) -> Sealed | None:
        """What to store for these rows; None for none. The last block sealed is the lane's next."""
        sealed = blocks.seal(self.id, self.head, rows, at) if rows else None
        self._next = sealed and sealed.block
        return sealed

    def advance(self) -> None:
        """What was sealed is stored."""
        self.head, self._next, self.sure = self._next or self.head, None, True


class Lanes:
    """The lanes that this process holds."""

    def __init__(self) -> None:
        self._free: list[Lane] = []
        self._holder = uuid4().hex

    @contextmanager
    def one(self, db: Database[dict[str, Any]]) -> Iterator[Lane]:
        """A lane for one batch. After an error nobody is sure whether its last block was stored."""
        lane = self._held(db) or self._claimed(db)
        lane.sure = False
        try:
            yield lane
            lane.advance()
        finally:
            self._free.append(lane)

    def _held(self, db: Database[dict[str, Any]]) -> Lane | None:
        while self._free:
            lane = self._free.pop()
            if self._renewed(lane, db):
                lane.head = lane.head if lane.sure else head(db, lane.id)
                return lane
        return None

    def _renewed(self, lane: Lane, db: Database[dict[str, Any]]) -> bool:
        """Whether the lane is still this process's, with half of its lease at least."""
        now = datetime.now(UTC)
        if lane.until - now > LEASE / 2:
            return True
        mine = {"_id": lane.id, "holder": self._holder}
        lane.until = now + LEASE
        return db[sealing.LANES].find_one_and_update(mine, self._lease(now)) is not None

    def _claimed(self, db: Database[dict[str, Any]]) -> Lane:
        now = datetime.now(UTC)
        row = db[sealing.LANES].find_one_and_update({"lease_until": {"$lte": now}}, self._lease(now))
        id = row["_id"] if row else self._made(db, now)
        return Lane(id, now + LEASE, head(db, id))

    def _made(self, db: Database[dict[str, Any]], now: datetime) -> str:
        """A new lane, of the first number from how many there are that nobody else has."""
        number = db[sealing.LANES].count_documents({}) + 1
        while True:
            try:
                db[sealing.LANES].insert_one({"_id": str(number), **self._lease(now)["$set"]})
            except DuplicateKeyError:
                number += 1
            else:
                return str(number)

    def _lease(self, now: datetime) -> dict[str, dict[str, Any]]:
        return {"$set": {"holder": self._holder, "lease_until": now + LEASE}}


def head(db: Database[dict[str, Any]], lane: str) -> Block | None:
    """The last block of a lane."""
    row = db[sealing.BLOCKS].find_one(sealing.blocks_of(lane), sort=sealing.LAST_FIRST)
    return sealing.block(row) if row else None
