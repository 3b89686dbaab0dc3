"""What a legacy system calls."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Optional, Union

from shilian_publisher.courier import Courier
from shilian_publisher.message import Body, Event, Message, encode
from shilian_publisher.spool import Spool, Unroutable

BATCH = 500


class Publisher:
    """Publishes a source's events to the platform, whether the broker is there or not.

    Every event is first written to the spool, then sent from there in order, and deleted when the broker has
    confirmed it. After a crash what was sent but not confirmed is sent again with the same id, and the platform
    drops the duplicate: each event is recorded once. Methods may be called from any thread.
    """

    def __init__(self, url: str, source: str, spool: Union[str, Path]) -> None:
        """Open the spool and begin to connect; this does not wait for the broker.

        `url` is `amqp://user:password@host:port/vhost` (`amqps` for TLS), `source` the name the platform gave
        the system, `spool` a file of this publisher alone.

        Raises:
            SpoolInUseError: Another publisher has that spool open.
        """
        self._source = source
        self._spool = Spool(spool)
        self._courier = Courier(url, self._spool)
        self._courier.start()

    def send(self, type: str, body: Body, id: Optional[str] = None, time: Optional[datetime] = None) -> str:
        """Take one event; it is on the disk when this returns. Returns its id.

        Raises:
            ValueError: The event can never be sent (see `Event`, `encode`).
            sqlite3.OperationalError: The spool cannot be written, a full disk for instance.
        """
        message = encode(self._source, Event(type, body, id, time))
        self._append([message])
        return message.id

    def send_all(self, events: Iterable[Event]) -> int:
        """Take many events, 500 to a transaction: on a slow disk far faster than one by one. Returns how many.

        Raises:
            ValueError: An event can never be sent; the batches of 500 before its own are taken.
            sqlite3.OperationalError: The spool cannot be written, a full disk for instance.
        """
        messages = (encode(self._source, event) for event in events)
        count = 0
        while batch := list(islice(messages, BATCH)):
            self._append(batch)
            count += len(batch)
        return count

    def flush(self, timeout: float = 30) -> int:
        """Wait until the broker has confirmed everything, at most `timeout` seconds. Returns how many remain."""
        self._spool.wait_until_empty(timeout)
        return self.pending

    @property
    def pending(self) -> int:
        """How many events wait for the broker."""
        return self._spool.pending

    @property
    def trouble(self) -> Optional[str]:
        """Why nothing is sent at the moment, None when all is well."""
        return self._courier.trouble

    def unroutable(self) -> list[Unroutable]:
        """Events the broker had no queue for: kept, and tried again when the spool is next opened."""
        return self._spool.unroutable()

    def close(self, timeout: float = 10) -> None:
        """Flush for at most `timeout` seconds and disconnect. What remains waits in the spool for the next time."""
        self.flush(timeout)
        self._courier.stop()
        self._spool.close()

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def _append(self, messages: list[Message]) -> None:
        self._spool.append(messages)
        self._courier.call()
