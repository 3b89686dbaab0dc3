"""Tests as they come in: each on record once, and a case with its task for one that failed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from contracts import rules
from contracts.egress import Outcome, Verdict
from contracts.inspection import TaskKind, TestKind, TestResult
from services.inspection import cases, tasks
from services.inspection.cases import Earlier
from services.inspection.decision import Decision, system
from services.inspection.places import Place, Sites, place

_TESTS: Final = {
    TestKind.RESIDUE_QUICK: "农药残留快检不合格",
    TestKind.CLENBUTEROL_QUICK: "瘦肉精快检不合格",
    TestKind.LABORATORY: "监督抽检不合格",
}


def take_tests(
    decision: Decision,
    tests: Iterable[TestResult],
    known: Mapping[str, str],
    sites: Sites,
    earlier: Sequence[tuple[str, Earlier]],
) -> dict[str, list[Verdict]]:
    """Records tests that are new; one that failed opens a case and the task to it. Verdicts are by source.

    `known` are contents of tests on record by id, `earlier` the cases about the same items, by item.
    """
    seen, verdicts = dict(known), dict[str, list[Verdict]]()
    for test in tests:
        content = content_of(test)
        verdicts.setdefault(test.source, []).append(_verdict(test, content, seen.get(test.id)))
        if test.id in seen:
            continue
        seen[test.id] = content
        where = tested_at(test, sites)
        decision.tests.append((test, where))
        if not test.qualified:
            _fail(decision, test, where, [each for item, each in earlier if item == test.item])
    return verdicts


def tested_at(test: TestResult, sites: Sites) -> Place:
    """Where a test was taken."""
    return place(Place(test.site, test.operator, test.site_name, test.division), sites)


def content_of(test: TestResult) -> str:
    """A digest of what the test says; who carried it here and how does not count."""
    told = test.model_dump_json(exclude={"source", "message_id", "line", "flags"})
    return sha256(told.encode()).hexdigest()[:32]


def _verdict(test: TestResult, content: str, before: str | None) -> Verdict:
    told = {"message_id": test.message_id, "record": test.line, "event_id": test.id}
    if before is None:
        return Verdict(**told, outcome=Outcome.ACCEPTED, flags=test.flags)
    if before == content:
        return Verdict(**told, outcome=Outcome.DUPLICATE)
    return Verdict(**told, outcome=Outcome.REJECTED, errors=(rules.error("id", test.id, "id_reused"),))


def _fail(decision: Decision, test: TestResult, where: Place, earlier: Iterable[Earlier]) -> None:
    words = f"{_TESTS[test.kind]}:{test.product or '样品'} {test.item} · {where.site_name or where.site}"
    act = system(decision.now, " ".join(filter(None, (test.batch, test.method, test.value))))
    id = tasks.task_id("test", test.id)
    case = decision.open_case(cases.opened("test", test.id, test.item, where, decision.now, words, id, earlier), act)
    task = tasks.opened(id, TaskKind.SPECIAL, "test", test.id, test.item, where, decision.now, words)
    decision.open_task({**task, "case": case["_id"]}, act)
