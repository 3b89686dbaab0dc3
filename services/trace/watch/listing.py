"""Findings as callers ask for them and see them: filters with the caller's scope inside, messages."""

from collections.abc import Sequence
from typing import Final

from shilian.trace.v1 import trace_pb2 as pb

from chassis.api.errors import InvalidArgument
from chassis.api.times import timestamp
from chassis.caller import Caller
from contracts import rules
from contracts.divisions import scope_prefix
from contracts.findings import Finding, FindingKind
from services.trace.domain import Facts
from services.trace.pages import Position, older
from services.trace.privacy import OPERATOR, SYSTEM
from services.trace.queries import within_or_nowhere
from services.trace.told import Stored

NEWEST_FIRST: Final = (("opened_at", -1), ("_id", -1))


def scope(caller: Caller) -> Stored:
    """Filter of the findings a caller may see. A province looks after sites of which no division is known."""
    if caller.role == OPERATOR:
        return {"operator": caller.operator_id}
    if caller.role == SYSTEM:
        return {}
    return within_or_nowhere(caller.division or "-")


def one(request: pb.GetFindingRequest, caller: Caller) -> Stored:
    """Filter of one finding."""
    return {"$and": [{"_id": request.finding_id}, scope(caller)]}


def asked(request: pb.ListFindingsRequest, sites: Sequence[str], caller: Caller, after: Position | None) -> Stored:
    """Filter of the caller's findings after the last one seen; `sites` are all ids of the site asked for.

    Raises InvalidArgument for a kind there is not.
    """
    if request.kind and request.kind not in [*FindingKind]:
        raise InvalidArgument([rules.error("kind", request.kind, "invalid_value")])
    clauses = [
        scope(caller),
        {"kind": request.kind} if request.kind else {},
        {"open": request.open} if request.HasField("open") else {},
        {"site": {"$in": list(sites)}} if sites else {},
        {"batches": request.batch} if request.batch else {},
        within_or_nowhere(scope_prefix(request.division)) if request.division else {},
        older("opened_at", after),
    ]
    return {"$and": clauses}


def message(finding: Finding, facts: Facts) -> pb.Finding:
    """A finding as the wire shows it; `facts` are the registry's of its sites."""
    return pb.Finding(
        finding_id=finding.id,
        kind=finding.kind,
        open=finding.open,
        version=finding.version,
        site_id=finding.site,
        operator_id=finding.operator or "",
        division=finding.division or "",
        link=finding.link or "",
        counterparty_site_id=finding.counterparty or "",
        event_id=finding.event_id or "",
        batches=finding.batches,
        categories=finding.categories,
        due_time=timestamp(finding.due_at),
        opened_time=timestamp(finding.opened_at),
        closed_time=timestamp(finding.closed_at) if finding.closed_at else None,
        provisional=finding.provisional,
        document=finding.document or "",
        evidence_event_ids=finding.events,
        allowed=finding.allowed or "",
        told=finding.told or "",
        tolerance=finding.tolerance or "",
        site_name=_name(finding.site, facts),
        counterparty_name=_name(finding.counterparty, facts),
    )


def _name(site: str | None, facts: Facts) -> str:
    known = facts.get(site or "")
    return known.name if known else ""
