"""Who looked at what: one row for each audited call, written before the call is answered."""

from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from chassis.api.calls import Call
from chassis.api.mongo import Store
from chassis.collections import AUDIT

LONGEST_REQUEST: Final = 2_000
"""Characters of a request's JSON that are kept."""


class Audit:
    """The service's audit collection."""

    def __init__(self, store: Store) -> None:
        self._rows = store.db[AUDIT]

    async def record(self, call: Call, request: Message) -> None:
        """Writes one call; raises PyMongoError when it cannot, and then the call must not be answered."""
        await self._rows.insert_one(audit_row(call, request, datetime.now(UTC)))


def audit_row(call: Call, request: Message, at: datetime) -> dict[str, Any]:
    """The row of a call: who, from where, which RPC with what request, and the correlation id of its logs."""
    caller = call.caller
    return {
        "at": at,
        "caller": caller.subject,
        "role": caller.role,
        "division": caller.division,
        "operator_id": caller.operator_id,
        "method": call.method,
        "request": MessageToJson(request, preserving_proto_field_name=True, indent=None)[:LONGEST_REQUEST],
        "peer": call.peer,
        "correlation_id": call.correlation_id,
    }
