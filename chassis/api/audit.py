"""Who looked at what: one row for each audited call, written before the call is answered.

Waiting for a majority's journal costs more than answering, so calls that come while rows are being written share the
next write.
"""

import asyncio
from contextvars import Context
from datetime import UTC, datetime
from typing import Any, Final

import pymongo
from google.protobuf.json_format import MessageToJson, SerializeToJsonError
from google.protobuf.message import Message

from chassis.api.calls import Call
from chassis.api.mongo import Store
from chassis.collections import AUDIT

LONGEST_REQUEST: Final = 2_000
"""Characters of a request's JSON that are kept."""


class Audit:
    """The service's audit collection; one write at a time, with all rows that wait."""

    def __init__(self, store: Store, timeout_s: float) -> None:
        self._rows = store.db[AUDIT]
        self._timeout_s = timeout_s
        self._waiting: list[tuple[dict[str, Any], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    def write(self, call: Call, request: Message) -> asyncio.Future[None]:
        """Done when the call is written; fails with PyMongoError, and then the call must not be answered."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((audit_row(call, request, datetime.now(UTC)), written))
        if self._writer is None:
            # In a context of its own: the deadline of the call that starts the writer is not that of the others.
            self._writer = asyncio.create_task(self._write_waiting(), context=Context())
        return written

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error = await self._insert([row for row, _ in batch])
            for _, written in batch:
                if not written.done():
                    written.set_exception(error) if error else written.set_result(None)
        self._writer = None

    async def _insert(self, rows: list[dict[str, Any]]) -> Exception | None:
        try:
            with pymongo.timeout(self._timeout_s):
                await self._rows.insert_many(rows, ordered=False)
        except Exception as error:
            return error
        return None


def audit_row(call: Call, request: Message, at: datetime) -> dict[str, Any]:
    """The row of a call: who, from where, which RPC with what request, and the correlation id of its logs."""
    return {
        "at": at,
        "caller": call.caller.subject,
        "role": call.caller.role,
        "division": call.caller.division,
        "operator_id": call.caller.operator_id,
        "method": call.method,
        "request": _asked(request)[:LONGEST_REQUEST],
        "peer": call.peer,
        "correlation_id": call.correlation_id,
    }


def _asked(request: Message) -> str:
    """The request as JSON; in protobuf's own text where a time of it is in no calendar."""
    try:
        return MessageToJson(request, preserving_proto_field_name=True, indent=None, ensure_ascii=False)
    except SerializeToJsonError:
        return str(request)
