"""A case as its protobuf message."""

from collections.abc import Mapping
from typing import Any

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis.api.times import timestamp
from contracts.inspection import CaseState
from services.inspection.cases import penalties
from services.inspection.cases.gates import GATES, MUSTS, missing_gates
from services.inspection.documents import Case, Penalty, Recall, Settled
from services.inspection.translate import number, placed_fields


def case_message(case: Case) -> pb.Case:
    """A case as its message, with what the law suggests for the facts established so far."""
    is_open = case["state"] == CaseState.OPEN
    return pb.Case(
        case_id=case["_id"],
        state=number(pb.CaseState, "CASE_STATE", case["state"]),
        version=case["version"],
        title=case["title"],
        cause=case["cause"],
        cause_id=case["cause_id"],
        task_id=case["task"] or "",
        **placed_fields(case),
        item=case["item"],
        musts=[_must(case, name) for name in MUSTS],
        gates=[_gate(gate, case["gates"].get(gate)) for gate in GATES],
        handlings=map(_handling, case["handlings"]),
        facts=pb.ActFacts(**case["facts"]),
        suggestions=map(_suggestion, penalties.suggest(case["facts"], case["opened_at"])),
        decision=_decision(case["penalty"]),
        missing=missing_gates(case) if is_open else [],
        open_time=timestamp(case["opened_at"]),
        close_time=timestamp(case["closed_at"]),
        closed_by=case["closed_by"] or "",
        contested=case["contested"],
        rescinded=case["rescinded"],
        recall=_recall(case["recall"]),
    )


def _must(case: Case, name: str) -> pb.MustRecord:
    must, settled = MUSTS[name], case["musts"].get(name)
    waiting = "due" if must.trigger in case["triggers"] else "not_triggered"
    state = settled["state"] if settled else waiting
    return pb.MustRecord(
        must=number(pb.Must, "MUST", name),
        state=number(pb.MustState, "MUST_STATE", state),
        trigger=must.trigger,
        clause=must.clause,
        reason=settled["note"] if settled else "",
        **_by(settled),
    )


def _gate(gate: str, settled: Settled | None) -> pb.GateRecord:
    note = settled["note"] if settled else ""
    name = number(pb.CaseGate, "CASE_GATE", gate)
    return pb.GateRecord(gate=name, passed=settled is not None, note=note, **_by(settled))


def _handling(row: Mapping[str, Any]) -> pb.HandlingRecord:
    return pb.HandlingRecord(
        party=number(pb.Party, "PARTY", row["party"]),
        name=row["name"],
        handling=number(pb.Handling, "HANDLING", row["handling"]),
        held=row["held"] is not None,
        **_by(row["held"]),
    )


def _by(settled: Settled | None) -> dict[str, Any]:
    if settled is None:
        return {}
    return {"who": settled["who"], "time": timestamp(settled["at"]), "evidence": settled["evidence"]}


def _suggestion(row: penalties.Suggestion) -> pb.PenaltySuggestion:
    named = row._asdict() | {"penalty": number(pb.Penalty, "PENALTY", row.penalty)}
    return pb.PenaltySuggestion(**named)


def _decision(penalty: Penalty | None) -> pb.PenaltyDecision | None:
    if penalty is None:
        return None
    return pb.PenaltyDecision(
        penalty=number(pb.Penalty, "PENALTY", penalty["penalty"]),
        amount=penalty["amount"],
        clause=penalty["clause"],
        reason=penalty["reason"],
        persons=penalty["persons"],
        who=penalty["who"],
        time=timestamp(penalty["at"]),
    )


def _recall(recall: Recall | None) -> pb.RecallProposal | None:
    if recall is None:
        return None
    return pb.RecallProposal(
        state=number(pb.RecallState, "RECALL_STATE", recall["state"]),
        batch=recall["batch"],
        product=recall["product"] or "",
        test_id=recall["test"],
        recall_class=recall["recall_class"],
        propose_time=timestamp(recall["proposed_at"]),
        start_by=timestamp(recall["start_by"]),
        finish_days=recall["finish_days"],
    )
