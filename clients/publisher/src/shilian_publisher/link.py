"""The way to the broker: connects, and again whenever the connection is lost."""

import logging
import random
from collections.abc import Callable
from typing import Any, Optional, Union

import pika
from pika.adapters.select_connection import IOLoop
from pika.exceptions import ConnectionClosedByClient

log = logging.getLogger("shilian_publisher")

# Seconds.
FIRST_PAUSE, LONGEST_PAUSE, REFUSED_PAUSE = 0.2, 30.0, 5.0


class Link:
    """One channel in confirm mode. All of it happens on the thread that runs `loop`.

    `trouble` says why nothing can be sent at the moment. `opened` is called with each new channel, `resumed` when
    the broker takes messages again after it had asked to hold back (an alarm: its disk or memory is full).
    """

    def __init__(self, url: str, loop: IOLoop, opened: Callable[[Any], None], resumed: Callable[[], None]) -> None:
        self.trouble: Optional[str] = "not connected yet"
        self._parameters = pika.URLParameters(url)
        self._loop, self._opened, self._resumed = loop, opened, resumed
        self._connection: Any = None
        self._channel: Any = None
        self._pause = FIRST_PAUSE
        self._attempting = self._blocked = self._closing = False

    @property
    def channel(self) -> Any:
        """The channel to publish on, None while nothing may be sent."""
        return None if self._blocked else self._channel

    def connect(self) -> None:
        """Begin; it goes on for ever, with growing pauses, until `close`."""
        if not self._closing:
            self._attempting = True
            pika.SelectConnection.create_connection(
                [self._parameters], on_done=self._on_attempted, custom_ioloop=self._loop
            )

    def close(self) -> None:
        """Disconnect and stop the loop."""
        self._closing = True
        # An attempt under way is let finish, which pika limits to 15 s: aborting it in its handshake fails in pika 1.4.
        if self._connection and self._connection.is_open:
            self._connection.close()
        elif not self._connection and not self._attempting:
            self._loop.stop()

    def _on_attempted(self, result: Union[Any, BaseException]) -> None:
        self._attempting = False
        if isinstance(result, BaseException):
            self._connect_later(result)
            return
        self._connection, self._blocked = result, False
        result.add_on_close_callback(self._on_closed)
        result.add_on_connection_blocked_callback(self._on_blocked)
        result.add_on_connection_unblocked_callback(self._on_unblocked)
        if self._closing:
            result.close()
        else:
            result.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self._channel, self._pause, self.trouble = channel, FIRST_PAUSE, None
        channel.add_on_close_callback(self._on_channel_closed)
        self._opened(channel)

    def _on_channel_closed(self, _channel: Any, reason: Exception) -> None:
        self._channel = None
        if self._connection.is_open:
            # The broker refused: no such exchange, or not for this user.
            self.trouble, self._pause = str(reason), REFUSED_PAUSE
            self._connection.close()

    def _on_closed(self, _connection: Any, reason: Exception) -> None:
        self._connection = self._channel = None
        self._connect_later(reason)

    def _connect_later(self, reason: BaseException) -> None:
        if self._closing:
            self._loop.stop()
            return
        if not isinstance(reason, ConnectionClosedByClient):
            self.trouble = _words(reason)
        pause = self._pause * random.uniform(0.5, 1)
        log.warning("not connected (%s), trying again in %.1f s", self.trouble, pause)
        self._loop.call_later(pause, self.connect)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _on_blocked(self, _connection: Any, frame: Any) -> None:
        self._blocked = True
        self.trouble = f"the broker asks to hold back: {frame.method.reason}"
        log.warning(self.trouble)

    def _on_unblocked(self, _connection: Any, _frame: Any) -> None:
        self._blocked, self.trouble = False, None
        self._resumed()


def _words(error: Any) -> str:
    """pika wraps the reason of a failed attempt in the story of the attempt."""
    inner = getattr(error, "exceptions", None) or [getattr(error, "exception", None)]
    return _words(inner[-1]) if inner[-1] else str(error) or type(error).__name__
