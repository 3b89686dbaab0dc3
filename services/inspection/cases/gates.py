"""A case's state machine as a table: which step leads where, for whom, past which rules, by which clause. Pure.

S2: four musts 四个必须 that are each done or refused, four gates 四个不放过 that block closing (`cases`).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.inspection import CaseState
from services.inspection.documents import Case
from services.inspection.domain import Act
from services.inspection.rules import Refused


class CaseStep(StrEnum):
    """What is done to a case."""

    ESTABLISH = "establish"
    DO_MUST = "do_must"
    REFUSE_MUST = "refuse_must"
    EVIDENCE = "evidence"
    HANDLE = "handle"
    DECIDE = "decide"
    CLOSE = "close"
    RESCIND = "rescind"


class Must(NamedTuple):
    """One of the four musts: what triggers it, in words, and by which clause."""

    trigger: str
    zh: str
    clause: str


MUSTS: Final = {
    "stop_and_rectify": Must("problem", "发现问题必须责令停止并整改", "食品安全法第126条"),
    "close_and_ban": Must("rectification_failed", "整改不到位必须关停取缔", "食品安全法第126条"),
    "fine": Must("problem", "对责任单位和责任人必须处罚", "食品安全法第122至136条"),
    "to_police": Must("crime_suspected", "涉嫌犯罪必须移送公安机关", "食品安全法第121条"),
}

PEOPLE: Final = "people_not_punished"
GATES: Final = ("cause_not_found", PEOPLE, "lesson_not_given", "measures_not_carried_out")
"""四个不放过, each by the name of the rule that closing meets without it."""


class CaseTransition(NamedTuple):
    """One allowed step; rules are met in this order."""

    start: CaseState
    step: CaseStep
    end: CaseState
    roles: frozenset[str]
    rules: tuple[str, ...]
    clause: str


_FILED, _SHUT = CaseState
_OFFICER: Final = frozenset({"regulator"})
_SYSTEM: Final = frozenset({"system"})
_DECIDING: Final = ("objection_pending", "penalty_decided")
_CLOSING: Final = ("objection_pending", *GATES, "must_open")
_MUST: Final = ("fine_by_decision", "must_not_triggered", "must_resolved")

CASE_TRANSITIONS: Final = (
    CaseTransition(_FILED, CaseStep.ESTABLISH, _FILED, _OFFICER, (), "实施条例第67条"),
    CaseTransition(_FILED, CaseStep.DO_MUST, _FILED, _OFFICER, (*_MUST, "must_evidence"), "S2: 四个必须"),
    CaseTransition(_FILED, CaseStep.REFUSE_MUST, _FILED, _OFFICER, (*_MUST, "must_reason"), "S2: 四个必须"),
    CaseTransition(_FILED, CaseStep.EVIDENCE, _FILED, _OFFICER, ("gate_evidence",), "S2: 四个不放过"),
    CaseTransition(_FILED, CaseStep.HANDLE, _FILED, _OFFICER, ("handling_held", "evidence_required"), "S2: 约谈、问责"),
    CaseTransition(_FILED, CaseStep.DECIDE, _FILED, _OFFICER, _DECIDING, "行政处罚法第57条"),
    CaseTransition(_FILED, CaseStep.CLOSE, _SHUT, _OFFICER, _CLOSING, "S2: 四个不放过"),
    # The system does, when a re-test finds nothing wrong; a penalty that was decided is a person's to take back.
    CaseTransition(_FILED, CaseStep.RESCIND, _SHUT, _SYSTEM, ("penalty_decided",), "行政处罚法第57条：事实不成立"),
)
_CASE_TABLE: Final = {(row.start, row.step): row for row in CASE_TRANSITIONS}

_BLOCKS: Final[Mapping[str, Callable[[Case, Act, str], bool]]] = {
    "fine_by_decision": lambda case, act, target: target == "fine",
    "must_not_triggered": lambda case, act, target: MUSTS[target].trigger not in case["triggers"],
    "must_resolved": lambda case, act, target: target in case["musts"],
    "must_evidence": lambda case, act, target: not act.evidence,
    "must_reason": lambda case, act, target: not act.note,
    # A reasoned decision to punish nobody is evidence, too.
    "gate_evidence": lambda case, act, target: not act.evidence and not (target == PEOPLE and act.note),
    "handling_held": lambda case, act, target: any(
        each["held"] for each in case["handlings"] if each["party"] == target
    ),
    "evidence_required": lambda case, act, target: not act.evidence,
    "objection_pending": lambda case, act, target: case["contested"],
    "penalty_decided": lambda case, act, target: case["penalty"] is not None,
    "must_open": lambda case, act, target: bool(due_musts(case)),
    **{gate: lambda case, act, target, gate=gate: gate not in case["gates"] for gate in GATES},  # type: ignore[misc]
}
"""When a rule stands against a step; `target` is the must, the gate or the party it is about."""


def case_transition(case: Case, step: CaseStep, act: Act, target: str = "") -> CaseTransition:
    """The row for a step of this case. Raises Refused with the first rule that stands against it."""
    row = _CASE_TABLE.get((CaseState(case["state"]), step))
    if row is None:
        raise Refused("case_closed", closed(case))
    if act.role not in row.roles:
        raise Refused("role", {"role": act.role, "step": step})
    for rule in row.rules:
        if _BLOCKS[rule](case, act, target):
            raise Refused(rule, {"missing": ",".join(missing_gates(case)), "musts": ",".join(due_musts(case))})
    return row


def due_musts(case: Case) -> list[str]:
    """Musts that were triggered and are neither done nor refused."""
    return [name for name, must in MUSTS.items() if must.trigger in case["triggers"] and name not in case["musts"]]


def missing_gates(case: Case) -> list[str]:
    """Gates without evidence yet."""
    return [gate for gate in GATES if gate not in case["gates"]]


def closed(case: Case) -> dict[str, str]:
    """Who closed a case and when."""
    at = case["closed_at"]
    return {"by": case["closed_by"] or "", "at": at.isoformat() if at else "", "version": str(case["version"])}
