"""The thread that brings the spool's messages to the broker, in order.

A thread of its own keeps the heartbeat going however long the program is busy or idle.
"""

import logging
import sqlite3
import threading
from typing import Any, Optional

import pika
from pika.adapters.select_connection import IOLoop

from shilian_publisher.link import Link
from shilian_publisher.message import Message
from shilian_publisher.spool import Outcome, Spool
from shilian_publisher.window import Window

log = logging.getLogger("shilian_publisher")

EXCHANGE = "shilian.ingest"

WINDOW = 1000
"""Messages under way without a confirm: ten times the throughput of one confirm per message."""

# Seconds.
SETTLE_EVERY, SEND_AGAIN_AFTER, RECORD_AGAIN_AFTER, STOP_WITHIN = 0.005, 1.0, 1.0, 20.0


class Courier(threading.Thread):
    """Publishes what is in the spool until it is stopped."""

    def __init__(self, url: str, spool: Spool) -> None:
        super().__init__(name="shilian-publisher", daemon=True)
        self._spool = spool
        self._loop = IOLoop()
        self._link = Link(url, self._loop, opened=self._on_channel, resumed=self._publish)
        self._called = self._settling = False
        self._outcomes: list[Outcome] = []
        self._start_over()

    @property
    def trouble(self) -> Optional[str]:
        """Why nothing can be sent at the moment; None when all is well."""
        return self._link.trouble if self.is_alive() else "the publishing thread has ended"

    def run(self) -> None:
        """The thread."""
        self._link.connect()
        self._loop.start()
        self._record()
        self._loop.close()

    def call(self) -> None:
        """Say that the spool has something new. From any thread."""
        if not self._called:
            self._called = True
            self._loop.add_callback_threadsafe(self._publish)

    def stop(self) -> None:
        """Close the connection and wait for the end of the thread. From any other thread; again is harmless."""
        if self.is_alive():
            self._loop.add_callback_threadsafe(self._link.close)
            self.join(STOP_WITHIN)

    def _on_channel(self, channel: Any) -> None:
        self._record()
        self._start_over()
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(self._on_confirm)
        self._publish()

    def _start_over(self) -> None:
        """What an earlier channel left without a confirm is still in the spool, and goes again."""
        self._window = Window()
        self._returned: dict[tuple[str, str], list[str]] = {}
        self._sent, self._nacked = 0, False

    def _publish(self) -> None:
        self._called = False
        channel = self._link.channel
        if not channel or self._nacked or len(self._window) > WINDOW // 2:
            return
        for entry in self._spool.after(self._sent, WINDOW - len(self._window)):
            self._window.add(entry)
            self._sent = entry.seq
            _publish(channel, entry.message)

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
        """One transaction for all confirms of the last few milliseconds, and on with the rest."""
        self._settling = False
        if not self._record():
            self._settle_soon(RECORD_AGAIN_AFTER)
            return
        if self._nacked and not self._window:
            log.warning("the broker refused messages (a full queue?), sending them again")
            self._loop.call_later(SEND_AGAIN_AFTER, self._send_again)
        self._publish()

    def _record(self) -> bool:
        try:
            self._spool.settle(self._outcomes)
        except sqlite3.OperationalError as error:
            log.error("the spool cannot be written (%s)", error)
            return False
        self._outcomes = []
        return True

    def _send_again(self) -> None:
        if self._nacked and not self._window:
            self._nacked, self._sent = False, 0
            self._publish()


def _publish(channel: Any, message: Message) -> None:
    properties = pika.BasicProperties(
        message_id=message.id,
        headers=message.headers,
        content_type="application/json",
        delivery_mode=pika.DeliveryMode.Persistent.value,
    )
    channel.basic_publish(EXCHANGE, message.routing_key, message.body, properties, mandatory=True)
