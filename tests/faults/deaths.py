"""One service whose workers are killed, each one step further on the way of the same work (`tests.faults.killed`)."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from chassis.collections import OUTBOX, TIMERS
from chassis.outgoing import UNLEASED
from contracts.topology import RETRY_LADDER, Queue
from tests.bus import Bus
from tests.processes import Process, eventually, set_clock
from tests.stack import Database, Infra

Document = dict[str, Any]

A_WHILE_S = 130.0
"""By which the next worker's clock is later: a timer's lease has run out, and a delivery may be looked at again."""


class Deaths:
    """Starts workers that die; what they had leased runs out; the last one is the plain service and finishes."""

    def __init__(self, service: str, bus: Bus, db: Any, spawn: Callable[..., Process], **settings: Any) -> None:
        self.service = service
        self.bus = bus
        self.db = db
        self._spawn = spawn
        self._settings = settings
        self.ahead(0)

    def ahead(self, seconds: float) -> None:
        """Sets the clock of rules and timers."""
        self._seconds = seconds
        set_clock(self._settings["clock_file"], seconds)

    def later(self, seconds: float) -> None:
        """Moves it on."""
        self.ahead(self._seconds + seconds)

    def at(self, *steps: str) -> None:
        """Has one worker after the other die, each at its step."""
        for step in steps:
            # Only who is to die publishing looks for what its forerunners left in the outbox.
            scan_s = 0.2 if step.startswith("publish") else 3600
            more = {"kill_at": step, "relay_scan_s": scan_s}
            worker = self._spawn("tests.faults.killed", self.service, "worker", **self._settings, **more)
            assert worker.ended() == -signal.SIGKILL, f"not at {step}:\n{worker.tail()}"
            self._time_passes()

    def finish(self, number: int = 1) -> list[Process]:
        """The plain service, so many workers of it, once nothing waits to be announced any more."""
        again = {**self._settings, "relay_scan_s": 0.2}
        workers = [self._spawn(self.service, "worker", **again) for _ in range(number)]
        for worker in workers:
            worker.wait_ready()
        eventually(lambda: self.db[OUTBOX].count_documents({}), lambda rows: rows == 0)
        return workers

    def settle(self, workers: list[Process], *queues: Queue) -> None:
        """Stops the last workers: nothing waits anywhere, nothing was refused, nothing failed."""
        self.bus.await_empty(*(queue.name for queue in queues))
        for worker in workers:
            assert worker.stop() == 0, worker.tail()
            assert "timer failed" not in worker.log.read_text()
        names = [name for queue in queues for name in (queue.name, queue.dead)]
        assert {name: held for name in (*names, *RETRY_LADDER) if (held := self.bus.ready(name))} == {}
        assert self.db[OUTBOX].count_documents({}) == 0

    def counts(self, *names: str) -> list[int]:
        """How many documents collections hold."""
        return [self.db[name].count_documents({}) for name in names]

    def announced(self, heard: str) -> list[Document]:
        """What a queue heard, each message once: told again it has the same id and says the same."""
        told: dict[str, Document] = {}
        for taken in self.bus.take_all(heard):
            assert told.setdefault(taken.headers["ce-id"], taken.body) == taken.body
        return list(told.values())

    def announced_once(self, heard: str, key: str) -> list[Document]:
        """The items of all messages with such a list; no item of one id and version was in two of them."""
        found = [item for body in self.announced(heard) for item in body.get(key, ())]
        names = [str(each.get("id") or each.get("site") or each.get("cell")) for each in found]
        ids = [(name, each.get("version")) for name, each in zip(names, found, strict=True)]
        assert len(ids) == len({*ids}), ids
        return found

    def _time_passes(self) -> None:
        """As after two minutes: leases have run out, and the server has ended the transaction that was open."""
        self.db.client.admin.command("killAllSessions", [{"user": self.db.name, "db": self.db.name}])
        for name in (OUTBOX, TIMERS, "deliveries"):
            self.db[name].update_many({"lease_until": {"$gt": UNLEASED}}, {"$set": {"lease_until": UNLEASED}})
        self.bus.connection.process_data_events(0)  # Its heartbeats are nobody else's to send.
        self.later(A_WHILE_S)


@pytest.fixture
def deaths(
    stack: Infra, bus: Bus, mongo: Database, spawn: Callable[..., Process], tmp_path: Path
) -> Iterator[Callable[..., Deaths]]:
    """Makes the `Deaths` of a service."""
    # The administrator's: only it may end the sessions of the dead.
    with MongoClient[Document](stack.mongod.root_url, tz_aware=True) as root:
        settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "clock_file": tmp_path / "clock", "timer_s": 0.1}
        yield lambda service, **more: Deaths(service, bus, root[mongo.name], spawn, **settings, **more)
