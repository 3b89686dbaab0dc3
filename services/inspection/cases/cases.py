"""Cases: opened once for a cause, settled must by must and gate by gate, closed by one officer. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from contracts.inspection import CaseFacts, CaseState
from services.inspection.cases import penalties
from services.inspection.cases.gates import CaseStep, case_transition, missing_gates
from services.inspection.cases.handlings import Earlier, called_for, parties, within_a_year
from services.inspection.documents import Case, Document, Settled, Task
from services.inspection.domain import Act
from services.inspection.places import Place, placed
from services.inspection.rules import Refused
from services.inspection.tasks.tasks import cause_id, order


def case_id(cause: str, of: str) -> str:
    """One cause, one case."""
    return "C" + cause_id("case", cause, of)


def root(task: Task) -> tuple[str, str]:
    """The cause of a task's case: the test that led to both, else the task itself."""
    if task["cause"] == "test" and task["cause_id"]:
        return "test", task["cause_id"]
    return "task", task["_id"]


def again(task: Task) -> tuple[str, str]:
    """The cause of a new case of a task whose first one is closed already: the step that calls for it."""
    return "recheck", f"{task['_id']}:{task['version']}"


def opened(
    cause: str, of: str, item: str, place: Place, at: datetime, words: str, task: str | None, earlier: Iterable[Earlier]
) -> Case:
    """A new case. What was found is the trigger of the first must and of the third, which names who answers for it."""
    id = case_id(cause, of)
    earlier = [*earlier]
    again = within_a_year(parties(place)["unit"], at, earlier)
    return {
        "_id": id,
        "state": CaseState.OPEN.value,
        "version": 1,
        "title": words,
        "cause": cause,
        "cause_id": of,
        "task": task,
        "item": item,
        **placed(place),
        "triggers": ["problem"],
        "musts": {},
        "gates": {},
        "handlings": called_for(place, at, earlier),
        "facts": {**penalties.FACTS, "same_within_year": again},
        "penalty": None,
        "contested": False,
        "rescinded": False,
        "recall": None,
        "order": order(at, id),
        "opened_at": at,
        "closed_at": None,
        "closed_by": None,
    }


def trigger(case: Case, what: str) -> Case:
    """The case with one more trigger; the same case when it has it or is closed."""
    if case["state"] != CaseState.OPEN or what in case["triggers"]:
        return case
    return {**case, "version": case["version"] + 1, "triggers": [*case["triggers"], what]}


def establish(case: Case, act: Act, facts: Document) -> Case:
    """What is established about the act; a suspected crime triggers the fourth must, which is not undone."""
    after = _after(case, CaseStep.ESTABLISH, act)
    known = {**penalties.FACTS, **facts}
    crime = ["crime_suspected"] if known["crime_suspected"] and "crime_suspected" not in case["triggers"] else []
    after |= {"facts": known, "triggers": [*case["triggers"], *crime]}
    return after


def resolve_must(case: Case, act: Act, must: str, done: bool) -> Case:
    """A must that is done, or refused with a reason. Raises Refused."""
    after = _after(case, CaseStep.DO_MUST if done else CaseStep.REFUSE_MUST, act, must)
    after["musts"] = {**case["musts"], must: _settled(act, "done" if done else "refused")}
    return after


def record_gate(case: Case, act: Act, gate: str) -> Case:
    """Evidence for a gate; later evidence replaces earlier. Raises Refused."""
    after = _after(case, CaseStep.EVIDENCE, act, gate)
    after["gates"] = {**case["gates"], gate: _settled(act, "passed")}
    return after


def record_handling(case: Case, act: Act, party: str) -> Case:
    """The interview or accountability of a party was held. Raises Refused."""
    after = _after(case, CaseStep.HANDLE, act, party)
    after["handlings"] = [
        {**each, "held": _settled(act, "held")} if each["party"] == party else each for each in case["handlings"]
    ]
    return after


def decide(case: Case, act: Act, penalty: str, amount: str, clause: str, persons: Sequence[str]) -> Case:
    """A person's decision. It settles the third must: an exemption or no penalty refuses it. Raises Refused."""
    after = _after(case, CaseStep.DECIDE, act)
    punished = penalty not in ("exempt", "none")
    if penalty == "fine" and not _is_amount(amount):
        raise Refused("amount_required")
    if punished and not persons and not act.note:
        raise Refused("persons_required")
    suggestions = penalties.suggest(case["facts"], case["opened_at"])
    if not act.note and not penalties.follows(penalty, amount, suggestions):
        raise Refused("penalty_reason", {"suggested": ",".join(each.penalty for each in suggestions)})
    after["penalty"] = {
        "penalty": penalty,
        "amount": amount,
        "clause": clause or next((each.clause for each in suggestions if each.penalty == penalty), ""),
        "reason": act.note,
        "persons": list(persons),
        "who": act.who,
        "at": act.at,
    }
    after["musts"] = {**case["musts"], "fine": _settled(act, "done" if punished else "refused")}
    return after


def close(case: Case, act: Act) -> Case:
    """Closed by one officer, once every gate has evidence and every triggered must is settled. Raises Refused."""
    after = _after(case, CaseStep.CLOSE, act)
    after |= {"state": CaseState.CLOSED.value, "closed_at": act.at, "closed_by": act.who}
    return after


def rescind(case: Case, act: Act) -> Case:
    """Closed because there was nothing wrong. Raises Refused."""
    after = _after(case, CaseStep.RESCIND, act)
    after |= {"state": CaseState.CLOSED.value, "closed_at": act.at, "closed_by": act.who, "rescinded": True}
    return after


def contested(case: Case, so: bool) -> Case:
    """The case while a re-test is to decide, or after it; the same case when it is closed."""
    if not is_open(case) or case["contested"] == so:
        return case
    return {**case, "version": case["version"] + 1, "contested": so}


def is_open(case: Case) -> bool:
    """Whether something can still be done about it."""
    return case["state"] == CaseState.OPEN


def _after(case: Case, step: CaseStep, act: Act, target: str = "") -> Case:
    case_transition(case, step, act, target)
    return {**case, "version": case["version"] + 1}


def _settled(act: Act, state: str) -> Settled:
    return {"state": state, "who": act.who, "at": act.at, "note": act.note, "evidence": list(act.evidence)}


def _is_amount(amount: str) -> bool:
    try:
        return (yuan := Decimal(amount)).is_finite() and yuan > 0
    except InvalidOperation:
        return False


def facts(case: Case) -> CaseFacts:
    """What is announced of it."""
    told = {name: case.get(name) for name in CaseFacts.model_fields}
    missing = missing_gates(case) if case["state"] == CaseState.OPEN else []
    return CaseFacts.model_validate(told | {"id": case["_id"], "task_id": case["task"], "missing": tuple(missing)})
