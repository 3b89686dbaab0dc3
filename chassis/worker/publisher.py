"""Publishing from a worker: pipelined confirms on kombu's py-amqp, owned by one green thread.

py-amqp reads its socket inside `basic_publish`, so nobody else may read it: publishing, confirms, heartbeats and
`connection.blocked` all happen on the one thread, and callers wait for its word.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import eventlet
from amqp.exceptions import AMQPError
from eventlet.event import Event
from eventlet.queue import Empty, Queue
from kombu import Connection
from nameko.extensions import DependencyProvider, SharedExtension

from chassis import metrics
from chassis.outgoing import Outgoing
from chassis.settings import Settings
from contracts.topology import EVENTS

log = logging.getLogger(__name__)

HEARTBEAT_S = 30
IDLE_S = 1.0
CONFIRM_POLL_S = 0.005
RECONNECT_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class BrokerAway(Exception):
    """The broker did not confirm: away, too slow, or refusing. What was sent may or may not have arrived."""


class _Job:
    """Messages that one caller waits for."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        self.unconfirmed = len(messages)
        self.sent_at = 0.0
        self.done = Event()

    def confirm(self) -> None:
        self.unconfirmed -= 1
        if not self.unconfirmed and not self.done.ready():
            self.done.send(None)

    def fail(self, reason: str) -> None:
        if not self.done.ready():
            self.done.send_exception(BrokerAway(reason))


class Publisher(SharedExtension):  # type: ignore[misc]
    """The publishing connection of a worker process; `publish` returns when every message is confirmed."""

    def setup(self) -> None:
        self.settings: Settings = self.container.config["settings"]
        self._jobs: Queue = Queue()
        self._pending: dict[int, _Job] = {}
        self._tag = 0
        self._stopping = False
        self._connected = False
        self._blocked = False

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="publisher")

    def stop(self) -> None:
        self._stopping = True
        # A broker that blocks its publishers does not read, and so never answers a close.
        if not self._blocked:
            self._thread.wait()

    def give_up(self) -> None:
        """Fails what waits for a confirm, and all that comes after: a broker may block for hours, and we must end."""
        self._stopping = True
        self._fail_jobs("stopping")

    def problems(self) -> list[str]:
        """What keeps this connection from publishing; empty when nothing does."""
        if not self._connected:
            return ["broker: publisher not connected"]
        return ["broker: publishers are blocked (connection.blocked)"] if self._blocked else []

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publishes and waits for every confirm, however long the broker blocks its publishers.

        Raises BrokerAway when the connection breaks, a message is refused or unroutable, or the process is stopping:
        all must be sent again.
        """
        if messages and self._stopping:
            raise BrokerAway("stopping")
        if messages:
            job = _Job(messages)
            self._jobs.put(job)
            job.done.wait()

    def _run(self) -> None:
        attempt = 0
        while not self._stopping:
            try:
                with self._connect() as connection:
                    attempt = 0
                    self._pump(connection)
            except (AMQPError, OSError) as error:
                log.warning("publisher lost the broker", extra={"error": repr(error)})
                self._fail_all(repr(error))
                eventlet.sleep(RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)])
                attempt += 1
        self._fail_all("stopping")

    def _connect(self) -> Connection:
        connection = Connection(
            self.settings.amqp_url,
            heartbeat=HEARTBEAT_S,
            connect_timeout=5,
            transport_options={"on_blocked": self._on_blocked, "on_unblocked": self._on_unblocked},
        )
        connection.connect()
        channel = connection.default_channel
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        self._tag, self._connected = 0, True
        return connection

    def _pump(self, connection: Connection) -> None:
        next_beat = time.monotonic() + IDLE_S
        while not (self._stopping and self._jobs.empty() and not self._pending):
            for job in self._take():
                self._send(connection.default_channel, job)
            self._drain(connection)
            if time.monotonic() > next_beat:
                connection.heartbeat_check(rate=2)
                self._check_overdue()
                next_beat = time.monotonic() + IDLE_S

    def _take(self) -> Iterator[_Job]:
        """All queued jobs; waits for one only while no confirm is outstanding."""
        try:
            yield self._jobs.get(block=not self._pending, timeout=IDLE_S)
            while True:
                yield self._jobs.get_nowait()
        except Empty:
            return

    def _send(self, channel: Any, job: _Job) -> None:
        job.sent_at = time.monotonic()
        for message in job.messages:
            self._tag += 1
            self._pending[self._tag] = job
            prepared = channel.prepare_message(
                message.body,
                content_type=message.content_type,
                headers=dict(message.headers),
                properties={"delivery_mode": 2, "message_id": message.id},
            )
            # An event without a subscriber is no error; anything else must reach a queue.
            channel.basic_publish(
                prepared,
                exchange=message.exchange,
                routing_key=message.key,
                mandatory=message.exchange != EVENTS,
            )
            metrics.PUBLISHED.labels(message.exchange).inc()

    def _drain(self, connection: Connection) -> None:
        try:
            connection.drain_events(timeout=CONFIRM_POLL_S if self._pending else 0)
        except (TimeoutError, BlockingIOError):
            return

    def _check_overdue(self) -> None:
        oldest = next(iter(self._pending.values()), None)
        if oldest and not self._blocked and time.monotonic() - oldest.sent_at > self.settings.confirm_timeout_s:
            raise TimeoutError(f"no confirm in {self.settings.confirm_timeout_s} s")

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for job in self._settled(tag, multiple):
            job.confirm()

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for job in self._settled(tag, multiple):
            job.fail("the broker refused a message (nack): its queue is full or failing")

    def _settled(self, tag: int, multiple: bool) -> Iterator[_Job]:
        if not multiple:
            if job := self._pending.pop(tag, None):
                yield job
            return
        while self._pending and (first := next(iter(self._pending))) <= tag:
            yield self._pending.pop(first)

    def _on_return(self, _error: Exception, exchange: str, key: str, message: Any) -> None:
        returned = message.properties.get("message_id")
        log.error("message reaches no queue", extra={"exchange": exchange, "routing_key": key, "id": returned})
        for job in self._pending.values():
            if any(sent.id == returned for sent in job.messages):
                job.fail(f"no queue for {exchange} {key}")

    def _on_blocked(self, reason: str) -> None:
        log.warning("the broker blocks publishers", extra={"reason": reason})
        self._blocked = True
        metrics.PUBLISH_BLOCKED.set(1)

    def _on_unblocked(self) -> None:
        self._blocked = False
        metrics.PUBLISH_BLOCKED.set(0)

    def _fail_all(self, reason: str) -> None:
        self._connected = False
        self._on_unblocked()
        self._fail_jobs(reason)

    def _fail_jobs(self, reason: str) -> None:
        for job in self._pending.values():
            job.fail(reason)
        self._pending.clear()
        while not self._jobs.empty():
            self._jobs.get_nowait().fail(reason)


class Bus(DependencyProvider):  # type: ignore[misc]
    """What a handler without a store publishes with: `self.bus.publish([...])`, confirmed when it returns."""

    publisher = Publisher()

    def get_dependency(self, worker_ctx: Any) -> Publisher:
        publisher: Publisher = self.publisher
        return publisher
