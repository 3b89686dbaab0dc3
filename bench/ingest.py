"""Ingest: from a full capture queue to all stored and announced."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Final

from pydantic_core import from_json

from bench import halves, notes, plain
from bench.child import Child
from bench.filling import fill
from bench.ground import Field, Ground
from bench.hearing import Ear
from bench.result import Result, Side, measured
from contracts.trace import Record
from services.trace import replica, store

SINGLE, STOCK, BUNDLED, PER_BUNDLE = 40_000, 4_000, 60_000, 100
CHUNK: Final = 1_000
"""Documents to one `insert_many`."""

SOAK_S, SOAK_ENDS = 600.0, 3
"""How long a soak lasts, and how many loads make its start and its end."""


@dataclass(frozen=True)
class Load:
    """Events, and the messages that carry them."""

    events: Sequence[Record]
    bodies: Sequence[bytes]

    @classmethod
    def of(cls, count: int, per_message: int = 1, first: int = 0) -> "Load":
        """Delivery notes from a number on, so many events to a message."""
        events = notes.records(count, first)
        return cls(events, notes.bodies(events, per_message))


@dataclass(frozen=True)
class Line:
    """Processes that consume the capture queue, and an ear for what they say."""

    field: Field
    ear: Ear
    children: Sequence[Child]
    answers: bool

    def rate(self, load: Load) -> float:
        """Events per second from the start of a full queue to the last announcement.

        The processes are subscribed before, and held while the queue is filled. Raises Wrong when an event was lost
        or doubled, Died when a process ended.
        """
        for child in self.children:
            child.hold()
        fill(self.field.amqp_url, load.bodies, f"{notes.SOURCE}.ingest")
        started = time.monotonic()
        for child in self.children:
            child.release()
        finished = self.ear.await_events(len(load.events), self._run)
        self.ear.verify([event.id for event in load.events], notes.SOURCE if self.answers else None)
        return len(load.events) / (finished - started)

    def await_subscribed(self) -> None:
        """Returns once all of them consume."""
        self.ear.await_consumers(len(self.children), self._run)

    def _run(self) -> bool:
        return all(child.runs() for child in self.children)


@dataclass(frozen=True)
class Contender:
    """What empties the capture queue; `answers` tells whether it answers the source too."""

    name: str
    args: tuple[str, ...]
    processes: int = 1
    answers: bool = True

    def trial(self, ground: Ground, load: Load) -> float:
        """`Line.rate` of fresh processes on a fresh field."""
        with self.running(ground) as line:
            return line.rate(load)

    @contextmanager
    def running(self, ground: Ground) -> Iterator[Line]:
        """Its processes, subscribed; all sites are known to them."""
        with ground.field(store.COLLECTIONS) as field, closing(Ear(field)) as ear, ExitStack() as stack:
            tell_sites(field)
            urls = {"amqp_url": field.amqp_url, "mongo_url": field.mongo_url}
            names = [f"{self.name}.{number}" for number in range(self.processes)]
            children = [ground.running(name, self.args, **urls) for name in names]
            line = Line(field, ear, [*map(stack.enter_context, children)], self.answers)
            line.await_subscribed()
            yield line


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


def soak(ground: Ground, _: int) -> Result:
    """One worker for ten minutes: its last loads beside its first."""
    rates: list[float] = []
    with OURS.running(ground) as line:
        until = time.monotonic() + SOAK_S
        while time.monotonic() < until:
            rates.append(line.rate(Load.of(SINGLE, first=len(rates) * SINGLE)))
    end, start = median(rates[-SOAK_ENDS:]), median(rates[:SOAK_ENDS])
    return Result("soak", "events/s", end, start, "its own first loads", end / start, 0.8)


def tell_sites(field: Field) -> None:
    """Has trace know the sites of all notes, as if the registry had told of them."""
    field.db[store.SITES].bulk_write([replica.site_changed(site) for site in notes.sites()])


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
