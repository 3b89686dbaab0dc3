"""Header tables that pika cannot read count as empty.

A sender may write what the broker passes on and pika raises at: a time beyond year 9999, arrays nested a thousand
deep. It would raise in the thread that reads the connection, and so end the worker, again after every restart, until
the broker had given up the message and all its innocent neighbours in the window.
"""

import logging
import struct
from collections.abc import Callable
from typing import Any

from pika import data

log = logging.getLogger(__name__)

_decode: Callable[[bytes, int], tuple[dict[str, Any], int]] = data.decode_table


def decode_table(encoded: bytes, offset: int) -> tuple[dict[str, Any], int]:
    """As pika's own: the table that begins at `offset`, and where it ends."""
    try:
        return _decode(encoded, offset)
    except Exception as error:
        log.warning("header table cannot be read", extra={"error": type(error).__name__})
        (length,) = struct.unpack_from(">I", encoded, offset)
        return {}, offset + 4 + length


def read_leniently() -> None:
    """Makes pika read this way in this process."""
    data.decode_table = decode_table
