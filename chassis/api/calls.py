"""The call being answered: who asked what, and what ties it to logs and messages."""

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from chassis.api.auth import ANONYMOUS
from chassis.caller import Caller
from contracts.envelope import Envelope

CORRELATION_KEY: Final = "x-correlation-id"
TRACE_KEY: Final = "traceparent"

Metadata = Mapping[str, str | bytes]

_CORRELATION: Final = re.compile(r"[\x21-\x7e]{1,128}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `method` is its path, `/package.Service/Method`."""

    method: str
    peer: str
    correlation_id: str
    traceparent: str | None
    caller: Caller = ANONYMOUS

    def by(self, caller: Caller) -> "Call":
        """The same call, once it is known who makes it."""
        return replace(self, caller=caller)

    def envelope(self, source: str) -> Envelope:
        """The call as the parent of the messages it causes; `source` is the service."""
        return Envelope(
            id=self.correlation_id,
            source=source,
            type=self.method,
            time=datetime.now(UTC),
            correlation_id=self.correlation_id,
            traceparent=self.traceparent,
        )


_current: ContextVar[Call] = ContextVar("call")


def current_call() -> Call:
    """The call being answered. Raises LookupError outside of one."""
    return _current.get()


def current_caller() -> Caller:
    """Who makes the call being answered."""
    return _current.get().caller


def set_current(call: Call) -> None:
    """Makes it the current call of this task; every call has a task of its own."""
    _current.set(call)


def correlation_id(metadata: Metadata) -> str:
    """The caller's correlation id when it is printable and short, else a new one."""
    given = metadata.get(CORRELATION_KEY)
    return given if isinstance(given, str) and _CORRELATION.fullmatch(given) else secrets.token_hex(16)


def traceparent(metadata: Metadata) -> str | None:
    """The caller's W3C trace context when it is well formed."""
    given = metadata.get(TRACE_KEY)
    return given if isinstance(given, str) and _TRACEPARENT.fullmatch(given) else None
