"""What the registry decides: documents and a command in, a decision out. Pure.

Every command gets whole components (`store.load`): all documents that share an id with what it is about.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from contracts import rules
from contracts.egress import FieldError, Outcome, Verdict
from contracts.registry import Observation, OperatorState
from services.registry.claims import MOST_CLAIMS, SELF, age, claimed
from services.registry.decision import By, Change, Decision, Draft, change, slot
from services.registry.documents import Claim, Edit, Merge, Operator
from services.registry.standing import LIVELY, NOTHING, World

LISTED, REGISTERED, ACTIVATED, ON_CHAIN, ACTIVE, INACTIVE, SUSPENDED, REVOKED, DEREGISTERED = OperatorState


class Step(StrEnum):
    """What changes an operator's state."""

    REGISTER = "register"
    ACTIVATE = "activate"
    RECORD = "record"
    LAPSE = "lapse"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    DEREGISTER = "deregister"


class Transition(NamedTuple):
    """One allowed change; `roles` may make it, `clause` is why it exists."""

    start: OperatorState
    step: Step
    end: OperatorState
    roles: frozenset[str]
    clause: str


_OWN: Final = frozenset({"operator", "regulator"})
_APP: Final = _OWN | {"system"}
_REGULATOR: Final = frozenset({"regulator"})
_SYSTEM: Final = frozenset({"system"})
_S4, _LICENSING = "S4: register and activate", "行政许可法第70条"
_USE, _WINDOW = "S4: used on the chain", "活跃度: 30 days"
_ORDER, _PENALTY = "食品安全法第126条", "食品安全法第122至136条"

TRANSITIONS: Final = (
    Transition(LISTED, Step.REGISTER, REGISTERED, _APP, _S4),
    Transition(REGISTERED, Step.ACTIVATE, ACTIVATED, _OWN, _S4),
    # An accepted event on a day without one so far; `standing.life` says the same of events in any order.
    Transition(ACTIVATED, Step.RECORD, ON_CHAIN, _SYSTEM, _USE),
    *(Transition(start, Step.RECORD, ACTIVE, _SYSTEM, _USE) for start in (ON_CHAIN, ACTIVE, INACTIVE)),
    *(Transition(start, Step.LAPSE, INACTIVE, _SYSTEM, _WINDOW) for start in (ON_CHAIN, ACTIVE)),
    *(Transition(start, Step.SUSPEND, SUSPENDED, _REGULATOR, _ORDER) for start in LIVELY),
    Transition(SUSPENDED, Step.RESUME, ACTIVATED, _REGULATOR, _ORDER),
    *(Transition(start, Step.REVOKE, REVOKED, _REGULATOR, _PENALTY) for start in (REGISTERED, *LIVELY, SUSPENDED)),
    *(Transition(start, Step.DEREGISTER, DEREGISTERED, _OWN, _LICENSING) for start in (LISTED, REGISTERED, *LIVELY)),
    # Whoever is under a penalty does not end it by leaving.
    *(Transition(start, Step.DEREGISTER, DEREGISTERED, _REGULATOR, _LICENSING) for start in (SUSPENDED, REVOKED)),
)
_TABLE: Final = {(row.start, row.step): row for row in TRANSITIONS}

EDITABLE: Final = {
    ("operator", "name"): _OWN,
    ("operator", "contact"): _OWN,
    ("operator", "phone"): _OWN,
    ("operator", "wechat"): _OWN,
    ("site", "name"): _OWN,
    ("site", "address"): _OWN,
    # What an operator owes and who supervises it is not the operator's to say.
    ("site", "division"): _REGULATOR,
    ("site", "link"): _REGULATOR,
    ("site", "unit_kind"): _REGULATOR,
}
"""Fields that people may set in an update, and which roles."""


class NotAllowed(Exception):
    """`reason`: `state` when the operator's state forbids the step, `role` when it is not the caller's to make."""

    def __init__(self, reason: str, state: OperatorState, step: Step) -> None:
        super().__init__(f"an operator that is {state} cannot {step} ({reason})")
        self.reason, self.state, self.step = reason, state, step


class Full(Exception):
    """An operator of whom no more can be told (`claims.MOST_CLAIMS`)."""

    def __init__(self, operator: str) -> None:
        super().__init__(f"{operator} has {MOST_CLAIMS} sites and ids on record, and no more are taken")
        self.operator = operator


def following(state: OperatorState, step: Step, role: str) -> OperatorState:
    """The state after a step. Raises NotAllowed."""
    row = _TABLE.get((state, step))
    if row is None:
        raise NotAllowed("state", state, step)
    if role not in row.roles:
        raise NotAllowed("role", state, step)
    return row.end


def observe(
    operators: Iterable[Operator],
    known: Iterable[str],
    observations: Iterable[Observation],
    now: datetime,
    world: World = NOTHING,
) -> tuple[Decision, dict[str, list[Verdict]]]:
    """Takes in what sources see; `known` are the ids of observations recorded before. Verdicts are by source.

    A repeated observation, by its id or by its content, is a duplicate. What was observed earlier never replaces
    what was observed later. An app's observation of an operator registers it.
    """
    draft, seen = Draft.of(operators, world), set(known)
    verdicts: dict[str, list[Verdict]] = {}
    for observation in observations:
        claim, by = claimed(observation), By(observation.source, "system", f"message {observation.message_id}")
        current = draft.claims.get(slot(claim))
        repeated = observation.id in seen or (current is not None and current["told"] == claim["told"])
        seen.add(observation.id)
        taken = _take(draft, claim, by)
        if taken and not repeated:
            draft.changes.append(_change(observation.id, "observed", by, now, claim))
        told = _verdict(observation, claim, repeated) if taken else _refused(observation)
        verdicts.setdefault(observation.source, []).append(told)
    return draft.settle(By(SELF, "system", "observed"), now), verdicts


def register(
    operators: Iterable[Operator], claims: Sequence[Claim], by: By, now: datetime, world: World = NOTHING
) -> Decision:
    """Registers an operator with the sites its claims name.

    Raises NotAllowed when it was revoked or deregistered, Full when it has too many sites.
    """
    draft = Draft.of(operators, world)
    for claim in claims:
        state = draft.states.get(claim["operator"], LISTED)
        if state in (REVOKED, DEREGISTERED):
            raise NotAllowed("state", state, Step.REGISTER)
        if not _take(draft, claim, by):
            raise Full(claim["operator"])
        draft.changes.append(_change(f"registered:{claim['site']}:{now.isoformat()}", "registered", by, now, claim))
    return draft.settle(by, now)


def take_step(
    operators: Iterable[Operator], operator: Operator, step: Step, by: By, now: datetime, world: World = NOTHING
) -> Decision:
    """Changes the state of an operator, from what it is among `operators`. Raises NotAllowed."""
    draft = Draft.of(operators, world)
    end = following(draft.states[operator["_id"]], step, by.role)
    draft.states |= dict.fromkeys(operator["ids"], end)
    if step is Step.ACTIVATE:
        draft.activated |= dict.fromkeys(operator["ids"], now)
    return draft.settle(by, now)


def update(
    operators: Iterable[Operator], edits: Sequence[Edit], by: By, now: datetime, world: World = NOTHING
) -> Decision:
    """Sets fields by a person's word."""
    draft = Draft.of(operators, world)
    for edit in edits:
        draft.edit(edit)
        place = f"{edit['of']}:{edit['target']}:{edit['field']}"
        # Contacts and phones are personal: the row says that they changed, not to what.
        draft.changes.append(change(f"updated:{place}:{now.isoformat()}", "updated", by, now, detail={"field": place}))
    return draft.settle(by, now)


def merge(
    operators: Iterable[Operator], keep: str, merged: str, by: By, now: datetime, world: World = NOTHING
) -> Decision:
    """Makes two sites one by a person's word; nothing happens when they are one already."""
    draft = Draft.of(operators, world)
    if keep != merged and (keep, merged) not in draft.merges:
        draft.merges[keep, merged] = Merge(keep=keep, merge=merged, at=now, who=by.who, why=by.why)
        row = change(f"merged:{merged}:{now.isoformat()}", "merged", by, now, site=keep, detail={"merged": merged})
        draft.changes.append(row)
    return draft.settle(by, now)


def look_again(operators: Iterable[Operator], by: By, now: datetime, world: World) -> Decision:
    """What the world makes of operators now: nobody told anything new of them, but a day, an event or the grid did."""
    return Draft.of(operators, world).settle(by, now)


def _take(draft: Draft, claim: Claim, by: By) -> bool:
    """Adds a claim, unless a later one of the same source stands; False when there is no room for it."""
    current = draft.claims.get(slot(claim))
    if (current is None or age(claim) > age(current)) and not draft.tell(claim):
        return False
    for id in (claim["operator"], claim["site"], claim["key"] or claim["site"]):
        draft.causes.setdefault(id, by)
    return True


def _change(id: str, kind: str, by: By, now: datetime, claim: Claim) -> Change:
    return change(id, kind, by, now, operator=claim["operator"], site=claim["site"])


def _verdict(observation: Observation, claim: Claim, repeated: bool) -> Verdict:
    return Verdict(
        message_id=observation.message_id,
        record=observation.line,
        outcome=Outcome.DUPLICATE if repeated else Outcome.ACCEPTED,
        event_id=observation.id,
        flags=tuple(FieldError.model_validate(flag) for flag in claim["flags"]),
    )


def _refused(observation: Observation) -> Verdict:
    return Verdict(
        message_id=observation.message_id,
        record=observation.line,
        outcome=Outcome.REJECTED,
        errors=(rules.error("operator", observation.operator, "too_many_sites"),),
    )
