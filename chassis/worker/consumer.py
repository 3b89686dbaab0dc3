"""The batch entrypoint: a nameko `Entrypoint` on pika that loses nothing (design: "Consuming"; ADR 0002).

The *pump* of a queue, a green thread, owns the connection: it fills the window, acks, keeps the heartbeats. Another
one, a *flight*, carries a batch through the handler (`chassis.worker.batch`). Only the pump touches the connection.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import eventlet
import pika
from eventlet.event import Event
from nameko.extensions import Entrypoint
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPError

from chassis import clock, metrics
from chassis.settings import Settings
from chassis.worker.batch import BatchRunner
from chassis.worker.calling import called
from chassis.worker.delivery import Delivery
from chassis.worker.lenient import read_leniently
from chassis.worker.publisher import RECONNECT_S, Publisher
from chassis.worker.window import BATCH_BYTES, Window
from contracts.model import Contract
from contracts.topology import Queue

log = logging.getLogger(__name__)

HEARTBEAT_S = 30
IDLE_S = 1.0
PROBE_S = 2.0
QUICK_S = 5.0
TELLING_S = 2.0
"""How long more may be on the wire after a message, or of what was another worker's after subscribing."""

AWAITED_S = 60.0
"""How long the first of what waited at the broker is awaited; other workers may have taken it all."""

GIVES_WAY_S = 20.0
QUIET_S = 0.5
LOOKS_S = 0.1
"""How long a batch waits for a queue that goes first to be quiet for how long, and how often it looks: there, and at
the wire when its window is full.
"""


class Cancelled(Exception):
    """The broker took the subscription away: the queue went, or its leader moved."""


class Flight:
    """One batch on its way through the handler; `landed` tells whether it may be acked."""

    def __init__(self, deliveries: list[Delivery]) -> None:
        self.deliveries = deliveries
        self.landed = Event()


class Consumer(Entrypoint):  # type: ignore[misc]
    """Gives a service method the messages of one queue, a batch at a time; acks a batch that the method survived."""

    publisher = Publisher()

    def __init__(
        self,
        queue: Queue,
        models: Mapping[str, type[Contract]] | None = None,
        at_once: int = 1,
        after: Queue | None = None,
        most: int | None = None,
        most_bytes: int = BATCH_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.queue = queue
        self.models = models
        self.at_once = at_once
        self.after = after
        self.most = most
        self.most_bytes = most_bytes

    def setup(self) -> None:
        read_leniently()
        self.settings: Settings = self.container.config["settings"]
        self._batch = min(self.most or self.settings.batch_size, self.settings.batch_size)
        self._window = Window(self._batch, self.most_bytes)
        self._flights: deque[Flight] = deque()
        self._connection: BlockingConnection | None = None
        self._stopping = False
        self._stopped = Event()
        self._awaited = False
        self._beat = self._subscribed = time.monotonic()
        self._runner = BatchRunner(self.queue, self.models, self.publisher, self._call, self.settings)

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier=f"consumer {self.queue.name}")

    def stop(self) -> None:
        """Returns when all that was delivered is handled and acked, or given back after `drain_s`."""
        self._stopping = self._runner.stopping = True
        self._wake()
        self._stopped.wait(timeout=self.settings.drain_s)
        if not self._stopped.ready():
            self.publisher.give_up()
            self._stopped.wait(timeout=QUICK_S)

    def problems(self) -> list[str]:
        """What keeps this queue from being consumed; empty when nothing does."""
        if self._runner.holding:
            return [f"{self.queue.name}: holding a batch, {self._runner.holding}"]
        return [] if self._connection else [f"{self.queue.name}: not subscribed"]

    def stalled(self) -> list[str]:
        """Whether the pump has stopped turning."""
        idle = time.monotonic() - self._beat
        return [f"{self.queue.name}: pump silent for {idle:.0f} s"] if idle > 2 * HEARTBEAT_S else []

    def behind(self, by: timedelta) -> bool:
        """Whether a message older than that is not handled yet, or may not be.

        What waits is told by subscribing, and by what came last: a window may be empty while more is on the wire.
        """
        patience = AWAITED_S if self._awaited else TELLING_S
        # A full window leaves on the wire what may be older.
        if not self._connection or self._window.full or time.monotonic() - self._subscribed < patience:
            return True
        here = [delivery for flight in self._flights for delivery in flight.deliveries] + list(self._window)
        if not here and self._window.latest and time.monotonic() - self._window.arrived < TELLING_S:
            here = [self._window.latest]
        late = clock.now() - by
        return any(delivery.raw.envelope.time < late for delivery in here)

    def _run(self) -> None:
        attempt = 0
        while not self._stopping:
            try:
                if self._session():
                    attempt = 0
                else:
                    self._wait_until_well()
            except (AMQPError, OSError, Cancelled) as error:
                log.warning("subscription lost", extra={"queue": self.queue.name, "error": repr(error)})
                self._forget()
                eventlet.sleep(RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)])
                attempt += 1
        self._stopped.send(None)

    def _session(self) -> bool:
        """Consumes until told to stop (true) or until a batch could not be handled for `hold_s` (false)."""
        connection = BlockingConnection(self._parameters())
        channel = connection.channel()
        # One batch gathers here while the others are in flight.
        channel.basic_qos(prefetch_count=(1 + self.at_once) * self._batch)
        self._awaited = channel.queue_declare(self.queue.name, passive=True).method.message_count > 0
        tag = channel.basic_consume(self.queue.name, self._on_delivery)
        self._connection, self._subscribed = connection, time.monotonic()
        self._runner.forget_troubles()
        while not self._stopping:
            if not self._advance(channel):
                connection.close()
                self._forget()
                return False
            self._listen(connection)
            self._check(channel)
        self._drain(connection, channel, tag)
        return True

    def _advance(self, channel: BlockingChannel, flush: bool = False) -> bool:
        """Acks batches that have landed, launches those that are due; false when one was given up.

        Acks are in the order of delivery, for each settles all before it: a batch that lands early waits.
        """
        while self._flights and self._flights[0].landed.ready():
            if not self._flights[0].landed.wait():
                return False
            channel.basic_ack(self._flights.popleft().deliveries[-1].tag, multiple=True)
        while self._window and len(self._flights) < self.at_once and (flush or self._due()):
            self._launch()
        return True

    def _due(self) -> bool:
        """Whether a batch is full, or has waited long enough where nothing else is in flight."""
        lingered = time.monotonic() - self._window.since >= self.settings.linger_ms / 1000
        return (self._window.has_batch or (lingered and not self._flights)) and not self._gives_way()

    def _gives_way(self) -> bool:
        """Whether the queue that goes first has messages here, or just had; nothing waits for ever."""
        now = time.monotonic()
        if not self.after or now - self._window.since > GIVES_WAY_S:
            return False
        others = (found for found in self.container.entrypoints if isinstance(found, Consumer))
        first = [other for other in others if other.queue is self.after]
        return any(other._window or other._flights or now - other._window.arrived < QUIET_S for other in first)

    def _launch(self) -> None:
        flight = Flight(self._window.take())
        self._flights.append(flight)
        self.container.spawn_managed_thread(partial(self._fly, flight), identifier=f"batch {self.queue.name}")

    def _fly(self, flight: Flight) -> None:
        with metrics.BATCH_SECONDS.labels(self.queue.name).time():
            landed = self._runner.run(flight.deliveries)
        flight.landed.send(landed)
        self._wake()

    def _listen(self, connection: BlockingConnection) -> None:
        """Reads on; where enough is here, only what keeps the connection alive, and the rest stays on the wire."""
        if not self._window.full:
            connection.process_data_events(time_limit=self._patience())
            return
        if self._flights:
            self._flights[0].landed.wait(timeout=LOOKS_S)
        else:
            eventlet.sleep(LOOKS_S)
        connection.process_data_events(time_limit=0)

    def _patience(self) -> float:
        """Seconds the pump may wait for the broker before it must look at the batches again."""
        if not self._window or self._flights:
            return IDLE_S
        if self._gives_way():
            return LOOKS_S
        return max(0.0, self._window.since + self.settings.linger_ms / 1000 - time.monotonic())

    def _drain(self, connection: BlockingConnection, channel: BlockingChannel, tag: str) -> None:
        """Stops clean: no acks, so the broker's window fills and falls silent; then cancel; then finish and ack all.

        Cancelling first would send back what is on the wire (measured: up to a window in most stops).
        """
        quiet = self.settings.quiet_ms / 1000
        began = time.monotonic()
        while time.monotonic() - max(began, self._window.arrived) < quiet:
            connection.process_data_events(time_limit=quiet)
        channel.basic_cancel(tag)
        while self._flights or self._window:
            if not self._advance(channel, flush=True):
                break
            connection.process_data_events(time_limit=IDLE_S if self._flights else 0)
        connection.close()
        self._forget()

    def _on_delivery(self, _channel: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self._awaited = False
        come = method.delivery_tag, method.exchange, method.routing_key
        self._window.add(Delivery(*come, properties, body, method.redelivered, time.monotonic()))

    def _check(self, channel: BlockingChannel) -> None:
        self._beat = time.monotonic()
        if not channel.consumer_tags:
            raise Cancelled(self.queue.name)

    def _wake(self) -> None:
        """Ends the pump's wait for the broker, from another green thread."""
        if self._connection and self._connection.is_open:
            self._connection.add_callback_threadsafe(lambda: None)

    def _forget(self) -> None:
        """After a lost connection the broker delivers again; batches still in flight are waited for, not acked."""
        self._connection = None
        self._window.clear()
        while self._flights:
            self._flights.popleft().landed.wait()

    def _wait_until_well(self) -> None:
        log.warning("subscription dropped until the store and the broker answer", extra={"queue": self.queue.name})
        while not self._stopping and self._troubles():
            self._beat = time.monotonic()
            eventlet.sleep(PROBE_S)

    def _troubles(self) -> list[str]:
        stores = [found for found in self.container.dependencies if hasattr(found, "problems")]
        return [trouble for part in (self.publisher, *stores) for trouble in part.problems()]

    def _call(self, messages: list[Any]) -> None:
        """Raises what the service method raised."""
        raised = called(self, messages)
        try:
            if raised:
                raise raised
        finally:
            # The error refers to this frame: if the frame referred to it, all that is in hand would be kept.
            del raised

    def _parameters(self) -> pika.URLParameters:
        parameters = pika.URLParameters(self.settings.amqp_url)
        parameters.heartbeat = HEARTBEAT_S
        parameters.client_properties = {"connection_name": f"{self.settings.instance} {self.queue.name}"}
        return parameters


Handler = TypeVar("Handler", bound=Callable[..., None])


def consume(
    queue: Queue,
    models: Mapping[str, type[Contract]] | None = None,
    at_once: int = 1,
    after: Queue | None = None,
    most: int | None = None,
    most_bytes: int = BATCH_BYTES,
) -> Callable[[Handler], Handler]:
    """With models a method gets `list[Message]`, without any `list[RawMessage]`.

    `at_once` batches are carried out side by side: while one waits for the store, the next one computes. A batch
    gives way, for a while, to those of the queue `after` which it comes. `most` messages make a batch at most, and
    it ends with the one that fills `most_bytes`: read into models, messages are ten times as large.
    """
    decorate: Callable[[Handler], Handler] = Consumer.decorator(queue, models, at_once, after, most, most_bytes)
    return decorate
