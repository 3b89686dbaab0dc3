"""What opens tasks and cases by itself: findings of trace, and tests that failed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from contracts import rules
from contracts.egress import Outcome, Verdict
from contracts.findings import Finding, FindingKind
from contracts.inspection import TaskKind, TaskState, TestKind, TestResult
from services.inspection import cases, tasks
from services.inspection.cases import Earlier
from services.inspection.decision import Decision, system
from services.inspection.documents import FindingRow
from services.inspection.domain import Step
from services.inspection.places import Place, Sites, place

CLOSED_BY_ITSELF: Final = "断链已自行闭合,任务取消"

_TESTS: Final = {
    TestKind.RESIDUE_QUICK: "农药残留快检不合格",
    TestKind.CLENBUTEROL_QUICK: "瘦肉精快检不合格",
    TestKind.LABORATORY: "监督抽检不合格",
}


def take_findings(decision: Decision, findings: Iterable[Finding], sites: Sites) -> None:
    """Opens a task when a finding opens, cancels it when the finding closes before anybody looked.

    A higher version wins, so that neither order nor repetition matters; one that opens again is a new cause.
    """
    for finding in findings:
        known = decision.findings.get(finding.id)
        if known is None or known["version"] < finding.version:
            _take_finding(decision, finding, known, sites)


def finding_task(finding: str, openings: int) -> str:
    """The id of the task for a finding's so-manyeth opening."""
    return tasks.task_id("finding", finding, openings)


def _take_finding(decision: Decision, finding: Finding, known: FindingRow | None, sites: Sites) -> None:
    openings = known["openings"] if known else 0
    opens = finding.open and not (known and known["open"])
    openings += opens
    id = finding_task(finding.id, openings)
    row: FindingRow = {
        "_id": finding.id, "version": finding.version, "open": finding.open, "openings": openings, "task": id
    }  # fmt: skip
    decision.findings.put(row)
    if opens:
        told = Place(finding.site, finding.operator, None, finding.division, finding.link)
        where = place(told, sites)
        new = tasks.opened(id, TaskKind.DAILY, "finding", finding.id, finding.kind, where, decision.now)
        decision.open_task(new, system(decision.now, _words(finding)))
    elif not finding.open and (task := decision.tasks.get(id)) and task["state"] == TaskState.OPEN:
        decision.step(task, Step.CANCEL, system(decision.now, CLOSED_BY_ITSELF))


def _words(finding: Finding) -> str:
    if finding.kind is FindingKind.SILENT_SITE:
        return "静默"
    return "、".join((*finding.batches, *filter(None, [finding.counterparty])))


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
