"""The thread that owns the connection and brings the spool's messages to the broker, in order.

It never gives up: while the broker is away it tries again with growing pauses. A thread of its own keeps the
heartbeat going however long the program is busy or idle, and hears at once when the broker asks to hold back.
"""

import logging
import random
import sqlite3
import threading
from typing import Any, Optional, Union

import pika
from pika.adapters.select_connection import IOLoop
from pika.exceptions import ConnectionClosedByClient

from shilian_publisher.message import Message
from shilian_publisher.spool import Outcome, Spool
from shilian_publisher.window import Window

log = logging.getLogger("shilian_publisher")

EXCHANGE = "shilian.ingest"

WINDOW = 1000
"""Messages under way without a confirm: ten times the throughput of one confirm per message."""

# Seconds.
FIRST_PAUSE, LONGEST_PAUSE, REFUSED_PAUSE = 0.2, 30.0, 5.0
SETTLE_EVERY = 0.005


class Courier(threading.Thread):
    """Publishes what is in the spool until it is stopped. `trouble` says why it cannot at the moment."""

    def __init__(self, url: str, spool: Spool) -> None:
        super().__init__(name="shilian-publisher", daemon=True)
        self.trouble: Optional[str] = "not connected yet"
        self._parameters = pika.URLParameters(url)
        self._spool = spool
        self._loop = IOLoop()
        self._attempt: Any = None
        self._connection: Any = None
        self._channel: Any = None
        self._pause = FIRST_PAUSE
        self._called = self._settling = self._stopping = False
        self._outcomes: list[Outcome] = []
        self._start_over()

    def run(self) -> None:
        """The thread: connect, then serve the connection's events."""
        self._connect()
        self._loop.start()
        self._settle()
        self._loop.close()

    def call(self) -> None:
        """Say that the spool has something new. From any thread."""
        if not self._called:
            self._called = True
            self._loop.add_callback_threadsafe(self._publish)

    def stop(self, timeout: float = 5) -> None:
        """Close the connection and end the thread."""
        self._loop.add_callback_threadsafe(self._stop)
        self.join(timeout)

    def _start_over(self) -> None:
        """A new channel: nothing of the old one will be confirmed, so all that is still in the spool goes again."""
        self._window = Window()
        self._returned: dict[tuple[str, str], list[str]] = {}
        self._sent = 0
        self._blocked = self._nacked = False

    # Connecting

    def _connect(self) -> None:
        self._attempt = pika.SelectConnection.create_connection(
            [self._parameters], on_done=self._on_attempted, custom_ioloop=self._loop
        )

    def _on_attempted(self, result: Union[Any, BaseException]) -> None:
        self._attempt = None
        if isinstance(result, BaseException):
            self._connect_later(result)
            return
        self._connection = result
        result.add_on_close_callback(self._on_closed)
        result.add_on_connection_blocked_callback(self._on_blocked)
        result.add_on_connection_unblocked_callback(self._on_unblocked)
        result.channel(on_open_callback=self._on_channel)
        if self._stopping:
            result.close()

    def _on_channel(self, channel: Any) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._on_ready(channel))

    def _on_ready(self, channel: Any) -> None:
        self._settle()
        self._start_over()
        self._channel = channel
        self._pause = FIRST_PAUSE
        self.trouble = None
        self._publish()

    def _on_channel_closed(self, _channel: Any, reason: Exception) -> None:
        self._channel = None
        if self._connection.is_open:
            # The broker refused: no such exchange, or not this user's.
            self.trouble = str(reason)
            self._pause = REFUSED_PAUSE
            self._connection.close()

    def _on_closed(self, _connection: Any, reason: Exception) -> None:
        self._connection = self._channel = None
        self._connect_later(reason)

    def _connect_later(self, reason: BaseException) -> None:
        if self._stopping:
            self._loop.stop()
            return
        if not isinstance(reason, ConnectionClosedByClient):
            self.trouble = _words(reason)
        log.warning("not connected (%s), trying again; %d messages wait", self.trouble, self._spool.pending)
        self._loop.call_later(self._pause * random.uniform(0.5, 1), self._reconnect)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _reconnect(self) -> None:
        if not self._stopping:
            self._connect()

    def _stop(self) -> None:
        self._stopping = True
        if self._attempt:
            self._attempt.abort()
        elif self._connection is None:
            self._loop.stop()
        elif self._connection.is_open:
            self._connection.close()

    # Publishing

    def _publish(self) -> None:
        self._called = False
        if not self._channel or self._blocked or self._nacked or len(self._window) > WINDOW // 2:
            return
        for entry in self._spool.after(self._sent, WINDOW - len(self._window)):
            self._window.add(entry)
            self._sent = entry.seq
            _publish(self._channel, entry.message)

    def _on_confirm(self, frame: Any) -> None:
        entries = self._window.settle(frame.method.delivery_tag, frame.method.multiple)
        if isinstance(frame.method, pika.spec.Basic.Nack):
            self._nacked = True
        else:
            self._outcomes += [(entry.seq, self._reason(entry.message)) for entry in entries]
        self._settle_soon(SETTLE_EVERY)

    def _on_returned(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        """An unroutable message comes back before it is confirmed."""
        reasons = self._returned.setdefault((properties.message_id, method.routing_key), [])
        reasons.append(f"{method.reply_code} {method.reply_text}")

    def _reason(self, message: Message) -> Optional[str]:
        reasons = self._returned.get((message.id, message.routing_key))
        return reasons.pop() if reasons else None

    def _settle_soon(self, delay: float) -> None:
        if not self._settling:
            self._settling = True
            self._loop.call_later(delay, self._settle)

    def _settle(self) -> None:
        """One transaction for all confirms of the last few milliseconds."""
        self._settling = False
        try:
            self._spool.settle(self._outcomes)
        except sqlite3.OperationalError as error:
            log.error("the spool cannot be written (%s), trying again", error)
            self._settle_soon(1)
            return
        self._outcomes = []
        self._go_on()

    def _go_on(self) -> None:
        if self._nacked and not self._window:
            # Typically a queue at its limit. What it refused is still in the spool and goes first.
            log.warning("the broker refused messages, sending them again")
            self._loop.call_later(1, self._send_again)
        self._publish()

    def _send_again(self) -> None:
        self._nacked, self._sent = False, 0
        self._publish()

    def _on_blocked(self, _connection: Any, frame: Any) -> None:
        self._blocked = True
        self.trouble = f"the broker asks to hold back: {frame.method.reason}"
        log.warning("%s; %d messages wait", self.trouble, self._spool.pending)

    def _on_unblocked(self, _connection: Any, _frame: Any) -> None:
        self._blocked, self.trouble = False, None
        self._publish()


def _publish(channel: Any, message: Message) -> None:
    properties = pika.BasicProperties(
        message_id=message.id,
        headers=message.headers,
        content_type="application/json",
        delivery_mode=pika.DeliveryMode.Persistent.value,
    )
    channel.basic_publish(EXCHANGE, message.routing_key, message.body, properties, mandatory=True)


def _words(error: BaseException) -> str:
    """pika wraps the reason of a failed attempt in the story of the attempt."""
    while getattr(error, "exceptions", None) or getattr(error, "exception", None):
        error = error.exceptions[-1] if getattr(error, "exceptions", None) else error.exception  # type: ignore[attr-defined]
    return str(error) or type(error).__name__
