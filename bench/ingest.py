"""Ingest: from a full capture queue to all stored and announced."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import from_json

from bench import halves, notes, plain
from bench.child import Child, running
from bench.filling import fill
from bench.ground import Field, Ground
from bench.hearing import Ear
from bench.result import Result, Side, measured
from contracts.trace import Record
from services.trace import store

SINGLE, STOCK, BUNDLED, PER_BUNDLE = 4_000, 1_000, 4_000, 100
CHUNK: Final = 1_000
"""Documents to one `insert_many`: smaller and larger ones were slower."""


@dataclass(frozen=True)
class Load:
    """Events, and the messages that carry them."""

    events: Sequence[Record]
    bodies: Sequence[bytes]

    @classmethod
    def of(cls, count: int, per_message: int = 1) -> "Load":
        """Delivery notes, so many events to a message."""
        events = notes.records(count)
        return cls(events, notes.bodies(events, per_message))


@dataclass(frozen=True)
class Contender:
    """Processes that empty the capture queue; `answers` tells whether they answer the source too."""

    name: str
    args: tuple[str, ...]
    processes: int = 1
    answers: bool = True

    def trial(self, ground: Ground, load: Load) -> float:
        """Events per second from the start of a full queue to the last announcement.

        Raises Wrong when an event was lost or doubled, Died when a process ended.
        """
        with ground.field(store.COLLECTIONS) as field, closing(Ear(field)) as ear, ExitStack() as stack:
            field.db[store.SITES].bulk_write([store.site_changed(site) for site in notes.sites()])
            children = [stack.enter_context(self._process(ground, field, number)) for number in range(self.processes)]
            started = self._start(ear, children, field, load)
            finished = ear.await_events(len(load.events), lambda: _check(children))
            ear.verify((event.id for event in load.events), notes.SOURCE if self.answers else None)
        return len(load.events) / (finished - started)

    def _process(self, ground: Ground, field: Field, number: int) -> Any:
        name = f"{self.name}.{number}"
        return running(
            *self.args, log=ground.log(name), instance=name, amqp_url=field.amqp_url, mongo_url=field.mongo_url
        )

    def _start(self, ear: Ear, children: Sequence[Child], field: Field, load: Load) -> float:
        """Holds the processes, subscribed, while the queue is filled, and lets all go at once; when that was."""
        ear.await_consumers(self.processes, lambda: _check(children))
        for child in children:
            child.hold()
        fill(field.amqp_url, load.bodies, f"{notes.SOURCE}.ingest")
        started = time.monotonic()
        for child in children:
            child.release()
        return started


OURS: Final = Contender("trace", ("services.trace", "worker"))
TWO: Final = Contender("two", ("services.trace", "worker"), processes=2)
RAW_LOOP: Final = Contender("raw_loop", ("bench.raw_loop",))
STOCK_NAMEKO: Final = Contender("stock", ("bench.stock",), answers=False)


def ingest_single(ground: Ground, rounds: int) -> Result:
    """One event to a message: ours, a raw pika loop, stock nameko."""
    load, less = Load.of(SINGLE), Load.of(STOCK)
    return measured(
        "ingest_single",
        "events/s",
        rounds,
        ours=lambda: OURS.trial(ground, load),
        limit=Side("raw pika loop, no checks", lambda: RAW_LOOP.trial(ground, load), 0.6),
        peer=Side("stock nameko @consume, insert_one", lambda: STOCK_NAMEKO.trial(ground, less), 10.0),
    )


def ingest_bundle(ground: Ground, rounds: int) -> Result:
    """A hundred events to a message: ours, and `insert_many` of the same documents with no bus at all."""
    load = Load.of(BUNDLED, PER_BUNDLE)
    return measured(
        "ingest_bundle",
        "events/s",
        rounds,
        ours=lambda: OURS.trial(ground, load),
        limit=Side("insert_many, no bus", lambda: _insert_many(ground, load), 0.35),
    )


def two_workers(ground: Ground, rounds: int) -> Result:
    """Two workers on one queue beside one."""
    load = Load.of(SINGLE)
    return measured(
        "two_workers",
        "events/s",
        rounds,
        ours=lambda: TWO.trial(ground, load),
        limit=Side("one worker", lambda: OURS.trial(ground, load), 1.0),
    )


def _insert_many(ground: Ground, load: Load) -> float:
    """Events per second into the same collection; the documents are made before the clock starts."""
    now = datetime.now(UTC)
    told = [record for body in load.bodies for record in from_json(body)["records"]]
    rows = [plain.event(record, record["id"][1:], record["message_id"], now) for record in told]
    with ground.field(store.COLLECTIONS) as field:
        started = time.monotonic()
        for at in range(0, len(rows), CHUNK):
            field.db[store.EVENTS].insert_many(rows[at : at + CHUNK], ordered=False)
            halves.upsert(field.db, rows[at : at + CHUNK])
        return len(rows) / (time.monotonic() - started)


def _check(children: Sequence[Child]) -> None:
    for child in children:
        child.check()


BENCHMARKS: Final[tuple[Callable[[Ground, int], Result], ...]] = (ingest_single, ingest_bundle, two_workers)
