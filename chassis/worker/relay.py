"""The outbox relay: what was committed is published, and once confirmed it is deleted.

Its own worker's rows come straight from `commit`; a change stream tells of rows that an api wrote; a scan takes
what a crashed process left. A row may be published twice, never not at all.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.queue import Empty, LightQueue
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from chassis import metrics
from chassis.outgoing import UNLEASED, Outgoing
from chassis.settings import Settings
from chassis.worker.publisher import BrokerAway, Publisher

log = logging.getLogger(__name__)

CLAIM_AT_MOST = 500
CLAIM_LEASE = timedelta(seconds=15)
RETRY_S = 0.5
WATCH_AWAIT_MS = 1_000


class Relay:
    """Publishes the outbox of one database; any number of workers may relay the same one."""

    def __init__(self, rows: Collection[dict[str, Any]], publisher: Publisher, settings: Settings) -> None:
        self._rows = rows
        self._publisher = publisher
        self._settings = settings
        self._offers: LightQueue = LightQueue()
        self._stopping = False
        self._stopped = Event()

    def offer(self, messages: Sequence[Outgoing]) -> None:
        """Takes messages whose rows this process has just committed under its own lease."""
        if messages:
            self._offers.put(messages)

    def run(self) -> None:
        """Relays until stopped, and what was offered before that; outlives errors of store and broker."""
        next_scan = 0.0
        while not (self._stopping and self._offers.empty()):
            offered, told = self._take()
            try:
                self._relay(offered)
                if told or time.monotonic() >= next_scan:
                    self._relay_left_over()
                    next_scan = time.monotonic() + self._settings.relay_scan_s
            except (PyMongoError, BrokerAway) as error:
                log.warning("relay waits", extra={"error": repr(error)[:300]})
                eventlet.sleep(RETRY_S)
        self._stopped.send(None)

    def stop(self) -> None:
        """Returns when all that was offered is published, or left to the scan of the next process."""
        self._stopping = True
        self._offers.put(())
        self._stopped.wait(timeout=self._settings.drain_s)

    def watch(self) -> None:
        """Wakes the relay when an api, which has none of its own, writes an outbox row."""
        unleased = [{"$match": {"operationType": "insert", "fullDocument.lease_until": UNLEASED}}]
        while not self._stopping:
            try:
                with self._rows.watch(unleased, max_await_time_ms=WATCH_AWAIT_MS) as stream:
                    while not self._stopping:
                        if stream.try_next():
                            self._offers.put(())
            except PyMongoError as error:
                log.warning("relay lost its change stream; its scan goes on", extra={"error": repr(error)[:300]})
                eventlet.sleep(RETRY_S)

    def _take(self) -> tuple[list[Outgoing], bool]:
        """All offered messages, and whether somebody told of rows beside them."""
        messages: list[Outgoing] = []
        told = False
        try:
            offer = self._offers.get(timeout=self._settings.relay_scan_s)
            while True:
                messages.extend(offer)
                told = told or not offer
                offer = self._offers.get_nowait()
        except Empty:
            return messages, told

    def _relay(self, messages: Sequence[Outgoing]) -> None:
        if messages:
            self._publisher.publish(messages)
            self._rows.delete_many({"_id": {"$in": [message.id for message in messages]}})

    def _relay_left_over(self) -> None:
        """Rows whose lease ran out (or never ran): claimed first, so that one relay in all takes each."""
        while claimed := self._claim():
            self._relay([Outgoing.from_row(row) for row in claimed])
        metrics.OUTBOX_PENDING.set(self._rows.estimated_document_count())

    def _claim(self) -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        free = {"lease_until": {"$lt": now}}
        ids = [row["_id"] for row in self._rows.find(free, {"_id": 1}).sort("lease_until", 1).limit(CLAIM_AT_MOST)]
        if not ids:
            return []
        owner = uuid.uuid4().hex
        claim = {"$set": {"lease_until": now + CLAIM_LEASE, "owner": owner}}
        self._rows.update_many({"_id": {"$in": ids}, **free}, claim)
        return list(self._rows.find({"_id": {"$in": ids}, "owner": owner}))
