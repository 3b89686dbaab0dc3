"""JSON logs on stderr; every line carries the correlation id and trace context of the work at hand."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pymongo.errors import BulkWriteError, OperationFailure

from contracts.envelope import Envelope

LONGEST_NAMED = 300
"""Characters of an exception's own words."""

LONGEST_STACK = 4_000
"""Characters of a stack, its innermost calls."""

_context: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=MappingProxyType({}))

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@contextmanager
def log_context(**fields: str | None) -> Iterator[None]:
    """Adds fields to every log line written inside the block."""
    present = {key: value for key, value in fields.items() if value}
    token = _context.set({**_context.get(), **present})
    try:
        yield
    finally:
        _context.reset(token)


def envelope_context(envelope: Envelope) -> dict[str, str | None]:
    """The fields of a message that its log lines carry."""
    return {"correlation_id": envelope.correlation_id, "traceparent": envelope.traceparent}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, context, and what `extra=` gave."""

    def __init__(self, instance: str) -> None:
        super().__init__()
        self.instance = instance

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "instance": self.instance,
            "logger": record.name,
            "message": record.getMessage(),
            **_context.get(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = exception_text(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def named(error: BaseException) -> str:
    """An exception in a few words; of MongoDB's and pydantic's only kind and code, for they quote whole documents and
    with them names and phones."""
    if isinstance(error, BulkWriteError):
        return f"BulkWriteError {sorted({write['code'] for write in error.details['writeErrors']})}"
    if isinstance(error, OperationFailure | ValidationError):
        return f"{type(error).__name__} {getattr(error, 'code', '')}".rstrip()
    return repr(error)[:LONGEST_NAMED]


def exception_text(error: BaseException) -> str:
    """An exception as `named`, after those that led to it, each with the end of its stack."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    stack = "".join(traceback.format_tb(error.__traceback__))[-LONGEST_STACK:]
    return (exception_text(earlier) + "\n" if earlier else "") + f"Traceback:\n{stack}{named(error)}"


def setup_logs(instance: str, level: str) -> None:
    """Sends all logs of this process to stderr as JSON; libraries below WARNING stay silent."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(instance))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("chassis", "services", "contracts"):
        logging.getLogger(name).setLevel(level)
