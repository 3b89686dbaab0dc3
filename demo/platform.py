"""What the demo may see of the platform from outside: queues by the broker's management API, stores, dead letters."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.database import Database

from clients.cli import bus
from clients.cli.letters import Letter, letter
from contracts.topology import CONSUMED, DOCKED, EGRESS, RETRY_LADDER, SYSTEMS
from demo.counting import elsewhere
from deploy.local.stack import Stack

WORKING = frozenset({*(queue.name for queue in CONSUMED), *RETRY_LADDER})
"""Queues whose messages still have to be worked on; dead letters and answers stay where they are."""

LOOK_S, PATIENCE_S = 0.2, 300.0
"""How often to look, and how long to wait while nothing moves."""

STATISTICS_S = 6.0
"""A quorum queue tells its statistics every 5 s: only what they say for longer than that is true of now."""

EVERY = 100_000
"""Messages of a queue that are looked at: all."""

Json = dict[str, Any]

SERVICES = ("registry", "trace", "inspection", "notify", "reporting")
"""Those with a store."""


class Platform:
    """One run's view: `run` is what the ids of its messages begin with.

    Raises RuntimeError when the stores hold an earlier run: their clock is past the month.
    """

    def __init__(self, stack: Stack, run: str) -> None:
        self.addresses: dict[str, Any] = stack.description()
        self._prefix = f"{run}-"
        self.stores = {name: self._database(name) for name in SERVICES}
        self._trace, self._registry = self.stores["trace"], self.stores["registry"]
        self._before = {dead.id for dead in self._letters()}
        if self.recorded():
            raise RuntimeError("the databases hold an earlier run, and its clock is past the month: empty them")

    def await_accounted(self, records: int, seen: Callable[[int], object]) -> None:
        """Returns once so many records are stored or dead, or nothing is on its way any more.

        `seen` is told how many are stored, again and again. Raises TimeoutError.
        """
        self._await(lambda: self.recorded() + sum(dead.records for dead in self.dead_letters()) >= records, seen)

    def await_quiet(self, seen: Callable[[int], object]) -> None:
        """Returns once nothing is on its way any more: no message ready or unacked, no outbox row. As above."""
        self._await(lambda: False, seen)

    def await_rest(self, by: datetime, say: Callable[[str], object]) -> None:
        """Returns once no timer has anything to do that was due by then, and nothing is on its way. As above."""
        moved, before = time.monotonic(), 0
        while due := self._due(by):
            say(f"{due} timers are due")
            if due != before:
                moved, before = time.monotonic(), due
            if time.monotonic() - moved > PATIENCE_S:
                raise TimeoutError(f"{due} timers that were due by {by} did not fire within {PATIENCE_S:.0f} s")
            time.sleep(LOOK_S)
        self.await_quiet(lambda _: None)
        if self._due(by):
            self.await_rest(by, say)

    def _due(self, by: datetime) -> int:
        return sum(store.timers.count_documents({"due_at": {"$lte": by}}) for store in self.stores.values())

    def _await(self, enough: Callable[[], bool], seen: Callable[[int], object]) -> None:
        now = idle_since = moved = time.monotonic()
        before: object = None
        while now - idle_since < STATISTICS_S:
            time.sleep(LOOK_S)
            ready, unsent, stored = self._ready(), self._unsent(), self.recorded()
            idle = not ready and not unsent
            seen(stored)
            if idle and enough():
                return
            now = time.monotonic()
            if not idle or self._held():
                idle_since = now
            if before != (ready, unsent, stored):
                moved, before = now, (ready, unsent, stored)
            if now - moved > PATIENCE_S:
                raise TimeoutError(f"nothing moved for {PATIENCE_S:.0f} s, yet {self._ready() | self._held()} wait")

    def recorded(self) -> int:
        """Records in the stores: trace's events, the observations that the registry took in, inspection's tests."""
        observed = self._registry.changes.count_documents({"kind": "observed"})
        tests = self.stores["inspection"].tests.count_documents({})
        return self._trace.events.count_documents({}) + observed + tests

    def recorded_at(self) -> Iterator[tuple[str, datetime]]:
        """Message and time (aware UTC) of every event's recording."""
        for row in self._trace.events.find({}, {"message_id": 1, "recorded_at": 1, "_id": 0}):
            yield row["message_id"], row["recorded_at"]

    def dead_letters(self) -> list[Letter]:
        """Those of this run's messages, one for each message id; they stay in their queues."""
        return list({dead.id: dead for dead in self._letters() if dead.id.startswith(self._prefix)}.values())

    def dead_elsewhere(self) -> list[Letter]:
        """What died since the run began and is no sender's fault, in whatever queue."""
        return elsewhere(dead for dead in self._letters() if dead.id not in self._before)

    @contextmanager
    def overheard(self, type: str) -> Iterator[Callable[[], list[Json]]]:
        """Gives a function that tells what the sources were told since, by messages of one type."""
        with bus.channel(self.addresses["amqp"]["shilian"]) as channel:
            name = channel.queue_declare("", exclusive=True).method.queue
            for source in (*SYSTEMS, *DOCKED):
                channel.queue_bind(name, EGRESS, source)
            told: list[Json] = []

            def heard() -> list[Json]:
                found = bus.take(channel, name, EVERY)
                told.extend(json.loads(taken.body) for taken in found if taken.headers.get("ce-type") == type)
                return told

            yield heard

    def _letters(self) -> Iterator[Letter]:
        with bus.channel(self.addresses["amqp"]["shilian"]) as channel:
            for queue in CONSUMED:
                for taken in bus.take(channel, queue.dead, EVERY):
                    yield letter(queue.name, taken.properties.message_id, taken.headers)

    def findings(self) -> dict[str, dict[str, int]]:
        """How many findings of each kind are open, and how many closed by themselves."""
        found: dict[str, dict[str, int]] = {}
        for row in self._trace.findings.find({}, {"kind": 1, "open": 1}):
            counts = found.setdefault(row["kind"], {"open": 0, "closed": 0})
            counts["open" if row["open"] else "closed"] += 1
        return dict(sorted(found.items()))

    def close(self) -> None:
        """Lets go of the stores."""
        for database in self.stores.values():
            database.client.close()

    def _ready(self) -> dict[str, int]:
        """Messages that wait in queues, at this moment."""
        with bus.channel(self.addresses["amqp"]["shilian"]) as channel:
            counts = {name: channel.queue_declare(name, passive=True).method.message_count for name in WORKING}
        return {name: count for name, count in counts.items() if count}

    def _held(self) -> dict[str, int]:
        """Messages in queues, delivered and unacked ones too, as the last statistics have it."""
        vhost = self.addresses["amqp"]["shilian"].rpartition("/")[2]
        url = f"{self.addresses['management']}/api/queues/{vhost}"
        answer = httpx.get(url, params={"disable_stats": "true", "enable_queue_totals": "true"}, trust_env=False)
        held = {queue["name"]: queue.get("messages", 0) for queue in answer.raise_for_status().json()}
        return {name: count for name, count in held.items() if count and name in WORKING}

    def _unsent(self) -> int:
        return sum(database.outbox.count_documents({}) for database in self.stores.values())

    def _database(self, service: str) -> Database[dict[str, Any]]:
        client: MongoClient[dict[str, Any]] = MongoClient(self.addresses["mongo"][service], tz_aware=True)
        return client.get_default_database()
