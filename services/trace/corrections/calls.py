"""Error declarations as callers make them, ask for them and see them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from shilian.trace.v1 import evidence_pb2 as pb

from chassis.api.errors import InvalidArgument
from chassis.api.times import timestamp
from chassis.caller import Caller
from contracts import rules
from contracts.corrections import Declarer, declaration_id
from contracts.divisions import scope_prefix
from services.trace import queries
from services.trace.corrections.declarations import Declaration, State
from services.trace.pages import Position, older
from services.trace.privacy import OPERATOR, SYSTEM
from services.trace.told import Stored

MOST_CORRECTIONS: Final = 50
LONGEST_REASON: Final = 500
LONGEST_ID: Final = 128

LATEST: Final = (("at", -1), ("_id", -1))


def declaration(request: pb.DeclareErrorRequest, caller: Caller, now: datetime) -> Declaration:
    """What the caller declares. Raises InvalidArgument for no reason, or too many words or corrections."""
    reason, corrections = request.reason.strip(), tuple(dict.fromkeys(request.correction_ids))
    if not reason:
        raise InvalidArgument([rules.error("reason", None, "required")])
    if len(reason) > LONGEST_REASON:
        raise InvalidArgument([rules.error("reason", reason, "too_large")])
    if len(corrections) > MOST_CORRECTIONS or any(len(id) > LONGEST_ID for id in corrections):
        raise InvalidArgument([rules.error("correction_ids", len(corrections), "too_large")])
    by = Declarer.OPERATOR if caller.role == OPERATOR else Declarer.REGULATOR
    who = (caller.operator_id if caller.role == OPERATOR else caller.division) or ""
    id = declaration_id(request.event_id, by, who, reason, corrections)
    return Declaration(id, request.event_id, reason, corrections, by, who, caller.subject, now)


def own_event(event: str, caller: Caller) -> Stored:
    """Filter of the event, where it is the caller's to declare wrong: its own, or one of its division's."""
    own = {"operator": caller.operator_id} if caller.role == OPERATOR else queries.scope(caller)
    return {"$and": [{"_id": event}, own]}


def asked(request: pb.ListDeclarationsRequest, caller: Caller, after: Position | None) -> Stored:
    """Filter of the caller's declarations after the last one seen. Raises InvalidArgument for a state there is not."""
    if request.state and request.state not in [*State]:
        raise InvalidArgument([rules.error("state", request.state, "invalid_value")])
    clauses = [
        _scope(caller),
        {"event_id": request.event_id} if request.event_id else {},
        {"state": request.state} if request.state else {},
        queries.within(scope_prefix(request.division)) if request.division else {},
        older("at", after),
    ]
    return {"$and": clauses}


def _scope(caller: Caller) -> Stored:
    """Filter of the declarations a caller may see. A province sees those whose event is not known yet."""
    if caller.role in (OPERATOR, SYSTEM):
        return queries.scope(caller)
    return queries.within_or_nowhere(caller.division or "-")


def messages(rows: Iterable[Mapping[str, Any]]) -> list[pb.Declaration]:
    """Declarations about one event, the first one first."""
    return [message(row) for row in sorted(rows, key=lambda row: (row["recorded_at"], row["_id"]))]


def message(row: Mapping[str, Any]) -> pb.Declaration:
    """A declaration as the wire shows it."""
    return pb.Declaration(
        declaration_id=row["_id"],
        event_id=row["event_id"],
        reason=row["reason"],
        correction_ids=row["corrections"],
        declarer=row["by"],
        declared_by=row["who"],
        declared_time=timestamp(row["at"]),
        recorded_time=timestamp(row["recorded_at"]),
        state=row["state"],
        division=row.get("division") or "",
        operator_id=row.get("operator") or "",
    )
