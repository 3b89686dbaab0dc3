"""Header tables that pika cannot read count as empty, and those that hold nothing but text are read at once.

A sender may write what the broker passes on and pika raises at: a time beyond year 9999, arrays nested a thousand
deep. It would raise in the thread that reads the connection, and so end the worker, again after every restart, until
the broker had given up the message and all its innocent neighbours in the window.
"""

import logging
import struct
from collections.abc import Callable
from typing import Any, Final

from pika import data

log = logging.getLogger(__name__)

_decode: Callable[[bytes, int], tuple[dict[str, Any], int]] = data.decode_table
_length: Final = struct.Struct(">I").unpack_from
_TEXT: Final = ord("S")


def decode_table(encoded: bytes, offset: int) -> tuple[dict[str, Any], int]:
    """As pika's own: the table that begins at `offset`, and where it ends."""
    try:
        return _texts(encoded, offset) or _decode(encoded, offset)
    except Exception as error:
        log.warning("header table cannot be read", extra={"error": type(error).__name__})
        return {}, offset + 4 + _length(encoded, offset)[0]


def _texts(encoded: bytes, offset: int) -> tuple[dict[str, Any], int] | None:
    """A table whose values are all text, as CloudEvents' are, in half the time; None when it is another one.

    A name is a byte of length and so much UTF-8, text four bytes of length and so much UTF-8 (AMQP 0-9-1, 4.2.5).
    """
    table: dict[str, Any] = {}
    at, end = offset + 4, offset + 4 + _length(encoded, offset)[0]
    while at < end:
        kind = at + 1 + encoded[at]
        if encoded[kind] != _TEXT:
            return None
        value = kind + 5
        after = value + _length(encoded, kind + 1)[0]
        try:
            table[encoded[at + 1 : kind].decode()] = encoded[value:after].decode()
        except UnicodeDecodeError:
            return None
        at = after
    return (table, end) if at == end else None


def read_leniently() -> None:
    """Makes pika read this way in this process."""
    data.decode_table = decode_table
