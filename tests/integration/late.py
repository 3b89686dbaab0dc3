"""A broker whose deliveries come late: a relay before the real one that keeps what it delivers for a while."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

DELIVER = b"\x00\x3c\x00\x3c"
"""Class and method of `basic.deliver` (AMQP 0-9-1)."""


@contextmanager
def late_deliveries(url: str, seconds: float) -> Iterator[str]:
    """The address of a broker that answers at once, and keeps every connection's first delivery so long."""
    broker = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server, (broker.hostname, broker.port), seconds), daemon=True).start()
        yield re.sub(r"@[^/]+", f"@127.0.0.1:{server.getsockname()[1]}", url)


def _serve(server: socket.socket, broker: tuple[str, int], seconds: float) -> None:
    with suppress(OSError):
        while True:
            here, _ = server.accept()
            there = socket.create_connection(broker)
            threading.Thread(target=_carry, args=(here, there, 0), daemon=True).start()
            threading.Thread(target=_carry, args=(there, here, seconds), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, seconds: float) -> None:
    with source, target, suppress(OSError):
        while data := source.recv(1 << 16):
            before, deliver, after = data.partition(DELIVER)
            target.sendall(before)
            if deliver:
                time.sleep(seconds)
                seconds = 0
            target.sendall(deliver + after)
