"""Processes that empty the capture queue, and what they stored, announced and answered."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Final

from bench import notes
from bench.child import Child
from bench.filling import Sent, fill
from bench.ground import Field, Ground
from bench.hearing import Ear, compare
from contracts.topology import COMMANDS, TRACE_CAPTURE, egress_queue
from contracts.trace import Record
from services.trace import replica, store

RECORDED: Final = "trace.events_recorded.v1"
EVENT: Final = b'"step":'
"""Once in every event of an announcement."""


@dataclass(frozen=True)
class Load:
    """Events, and the messages that carry them."""

    events: Sequence[Record]
    bodies: Sequence[bytes]

    @classmethod
    def of(cls, count: int, per_message: int = 1, first: int = 0) -> "Load":
        """Delivery notes from a number on, so many events to a message."""
        return cls.carrying(notes.records(count, first), per_message)

    @classmethod
    def carrying(cls, events: Sequence[Record], per_message: int = 1) -> "Load":
        """These events, so many to a message."""
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
        fill(self.field.amqp_url, map(_capture, load.bodies), f"{notes.SOURCE}.ingest")
        started = time.monotonic()
        for child in self.children:
            child.release()
        finished = self.ear.await_items(len(load.events), self._run)
        self._verify(Counter(event.id for event in load.events))
        return len(load.events) / (finished - started)

    def await_subscribed(self) -> None:
        """Returns once all of them consume."""
        self.ear.await_consumers([TRACE_CAPTURE], len(self.children), self._run)

    def _verify(self, ids: Counter[str]) -> None:
        """Raises Wrong unless each event is stored, announced and (by who answers) answered exactly once."""
        rows = self.field.db[store.EVENTS]
        found = rows.find({"_id": {"$in": list(ids)}}, {"_id": 1})
        compare("stored", Counter(row["_id"] for row in found), ids)
        said = [event["id"] for body in self.ear.heard() for event in json.loads(body)["events"]]
        compare("announced", Counter(said), ids)
        if self.answers:
            compare("answered", Counter(self._answered(ids.total())), ids)

    def _answered(self, count: int) -> list[str]:
        told: list[str] = []

        def all_told() -> bool:
            for body in self.ear.read(egress_queue(notes.SOURCE)):
                told.extend(verdict["event_id"] for verdict in json.loads(body)["verdicts"])
            return len(told) >= count

        self.ear.await_true(all_told, self._run, f"answered {count} events")
        return told

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
        with (
            ground.field(store.COLLECTIONS) as field,
            closing(Ear(field, RECORDED, EVENT)) as ear,
            ExitStack() as stack,
        ):
            tell_sites(field)
            urls = {"amqp_url": field.amqp_url, "mongo_url": field.mongo_url}
            names = [f"{self.name}.{number}" for number in range(self.processes)]
            children = [ground.running(name, self.args, **urls) for name in names]
            line = Line(field, ear, [*map(stack.enter_context, children)], self.answers)
            line.await_subscribed()
            yield line


def tell_sites(field: Field) -> None:
    """Has trace know the sites of all notes, as if the registry had told of them."""
    field.db[store.SITES].bulk_write([replica.site_changed(site) for site in notes.sites()])


def _capture(body: bytes) -> Sent:
    return Sent("trace.capture.v1", body, TRACE_CAPTURE.keys[0], COMMANDS)
