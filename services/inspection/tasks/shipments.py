"""What trace finds, as tasks: one for each shipment or receipt, which lists its findings. Pure.

Trace's findings are about one batch each, so a delivery of twenty lines that nobody received has twenty.
"""

from collections.abc import Generator, Iterable
from typing import Final

from contracts.findings import Finding, FindingKind
from contracts.inspection import TaskKind, TaskState
from services.inspection.decision import Decision, system
from services.inspection.documents import Cited, FindingRow, Task
from services.inspection.domain import ENDED, Step
from services.inspection.places import Place, Sites, place
from services.inspection.tasks import tasks

CLOSED_BY_ITSELF: Final = "所列问题已自行闭合，任务取消"

SHORTEST_NUMBER: Final = 6
"""Characters of a document's number; a shorter one starts again every day (as in `contracts.identity`)."""


def take_findings(decision: Decision, findings: Iterable[Finding], sites: Sites) -> None:
    """Puts a finding that opens on its shipment's task, and cancels a task nobody began when its last one closes.

    A higher version wins, so that neither order nor repetition matters.
    """
    for finding in findings:
        known = decision.findings.get(finding.id)
        if known is None or known["version"] < finding.version:
            _take(decision, finding, known, sites)


def shipment(finding: Finding, sites: Sites) -> str:
    """One shipment or receipt at one site: parties and paper, else the event; a site's silence stands for itself."""
    if finding.kind is FindingKind.SILENT_SITE:
        return tasks.cause_id(finding.id)
    numbered = len(finding.document or "") >= SHORTEST_NUMBER
    paper = finding.document if numbered else finding.event_id
    return tasks.cause_id(finding.kind, _where(finding, sites).site, finding.counterparty or "", paper or finding.id)


def asked_tasks(shipments: Iterable[str]) -> Generator[list[str], list[Task], list[Task]]:
    """The tasks of shipments, the last one of each included: yields ids, and is sent those that are there."""
    found: list[Task] = []
    wanted = {_task_id(name, 1): (name, 1) for name in shipments}
    while wanted:
        told = yield [*wanted]
        found += told
        ended = [wanted[task["_id"]] for task in told if task["state"] in ENDED]
        wanted = {_task_id(name, number + 1): (name, number + 1) for name, number in ended}
    return found


def _task_id(shipment: str, number: int) -> str:
    return tasks.task_id("finding", shipment, number)


def _take(decision: Decision, finding: Finding, known: FindingRow | None, sites: Sites) -> None:
    was_open = known is not None and known["open"]
    task = decision.tasks.get(known["task"]) if known and known["task"] else None
    if finding.open and not was_open and finding.kind not in tasks.UNTASKED:
        task = _join(decision, finding, task, sites)
    elif was_open and not finding.open and task:
        _leave(decision, finding, task)
    row: FindingRow = {
        "_id": finding.id, "version": finding.version, "open": finding.open, "task": task["_id"] if task else ""
    }  # fmt: skip
    decision.findings.put(row)


def _join(decision: Decision, finding: Finding, before: Task | None, sites: Sites) -> Task:
    """Onto the task it was on, if that still runs, else onto its shipment's; a new one when that has ended."""
    if before and before["state"] not in ENDED:
        return decision.tasks.put(_cite(before, finding))
    name, number = shipment(finding, sites), 1
    while (task := decision.tasks.get(_task_id(name, number))) and task["state"] in ENDED:
        number += 1
    if task:
        return decision.tasks.put(_cite(task, finding))
    where = _where(finding, sites)
    id = _task_id(name, number)
    new = tasks.opened(id, TaskKind.DAILY, "finding", finding.id, finding.kind, where, decision.now)
    return decision.open_task({**new, "findings": [_cited(finding)]}, system(decision.now, _words(finding)))


def _leave(decision: Decision, finding: Finding, task: Task) -> None:
    if task["state"] in ENDED:
        return
    task = decision.tasks.put(_cite(task, finding))
    if task["state"] == TaskState.OPEN and not any(each["open"] for each in task["findings"]):
        decision.step(task, Step.CANCEL, system(decision.now, CLOSED_BY_ITSELF))


def _cite(task: Task, finding: Finding) -> Task:
    others = [each for each in task["findings"] if each["id"] != finding.id]
    return {**task, "version": task["version"] + 1, "findings": [*others, _cited(finding)]}


def _cited(finding: Finding) -> Cited:
    return {"id": finding.id, "open": finding.open, "batches": list(finding.batches)}


def _where(finding: Finding, sites: Sites) -> Place:
    return place(Place(finding.site, finding.operator, None, finding.division, finding.link), sites)


def _words(finding: Finding) -> str:
    if finding.kind is FindingKind.SILENT_SITE:
        return "静默"
    told = "、".join((*finding.batches, *filter(None, [finding.counterparty, finding.document])))
    return f"{told}；应为 {finding.allowed}，实为 {finding.told}" if finding.told else told
