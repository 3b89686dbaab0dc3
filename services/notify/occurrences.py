"""What of the platform's facts is an event that people are told of. No I/O."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from contracts import divisions
from contracts.findings import Finding, FindingKind, FindingsChangedV1
from contracts.inspection import (
    CaseFacts,
    CasesChangedV1,
    CaseState,
    TaskFacts,
    TasksChangedV1,
    TaskState,
    TestResult,
    TestsRecordedV1,
)
from contracts.notices import BulletinPublishedV1
from services.notify.events import Occurrence
from services.notify.hours import shown

_FINDINGS: Final = {
    FindingKind.OVERDUE_SHIPMENT: "发货逾期无人收货",
    FindingKind.UNKNOWN_SOURCE: "收货来源不明",
    FindingKind.SILENT_SITE: "长期未上传",
}


Body = FindingsChangedV1 | TasksChangedV1 | CasesChangedV1 | TestsRecordedV1 | BulletinPublishedV1
SiteNames = Mapping[str, str]


def sites_named(body: Body) -> set[str]:
    """Sites whose facts and grid a body's occurrences need."""
    parts: list[Any] = [*_parts(body)]
    return {part.site for part in parts if not isinstance(part, BulletinPublishedV1)}


def occurrences(body: Body, names: SiteNames) -> Iterator[Occurrence]:
    """What happened, as far as people are told of it."""
    for part in _parts(body):
        match part:
            case Finding():
                yield _finding(part, names)
            case TaskFacts():
                yield from _task(part, names)
            case CaseFacts():
                yield _case(part, names)
            case TestResult() if not part.qualified:
                yield _test(part, names)
            case BulletinPublishedV1():
                yield _bulletin(part)


def _parts(body: Body) -> tuple[Finding | TaskFacts | CaseFacts | TestResult | BulletinPublishedV1, ...]:
    match body:
        case FindingsChangedV1():
            return body.findings
        case TasksChangedV1():
            return body.tasks
        case CasesChangedV1():
            return body.cases
        case TestsRecordedV1():
            return body.tests
    return (body,)


def _finding(finding: Finding, names: SiteNames) -> Occurrence:
    kind = {"kind": _FINDINGS[finding.kind]}
    told = {"batches": "、".join(finding.batches[:3]) or "—", "due": shown(finding.due_at)}
    event = "finding_opened" if finding.open else "finding_closed"
    return Occurrence(
        cause=f"finding:{finding.id}:{_stamp(finding.opened_at)}:{event}",
        event=event,
        subject=f"finding:{finding.id}",
        version=finding.version,
        facts=_place(finding, names) | kind | (told if finding.open else {"closed": _shown(finding.closed_at)}),
        site=finding.site,
        operator=finding.operator,
        division=finding.division,
        categories=tuple(finding.categories),
    )


def _task(task: TaskFacts, names: SiteNames) -> Iterator[Occurrence]:
    title = {"title": task.title}
    due = {"due": _shown(task.due_at)}
    if task.state is TaskState.OPEN:
        yield _of_task(task, "task_opened", names, title | due, "")
    elif task.state is TaskState.RECTIFYING:
        yield _of_task(task, "task_rectify", names, title | due, _stamp(task.due_at))
    elif task.state is TaskState.CLOSED:
        yield _of_task(task, "task_closed", names, title | {"closed": _shown(task.closed_at)}, "")
    if task.escalations and task.state not in (TaskState.CLOSED, TaskState.CANCELLED):
        times = str(task.escalations)
        yield _of_task(task, "task_overdue", names, title | due | {"times": times}, times)


def _of_task(task: TaskFacts, event: str, names: SiteNames, told: dict[str, str], which: str) -> Occurrence:
    return Occurrence(
        cause=":".join(filter(None, ("task", task.id, event, which))),
        event=event,
        subject=f"task:{task.id}",
        version=task.version,
        facts=_place(task, names) | told,
        site=task.site,
        operator=task.operator,
        division=task.division,
        station=task.station,
        officers=task.officers,
    )


def _case(case: CaseFacts, names: SiteNames) -> Occurrence:
    is_open = case.state is CaseState.OPEN
    when = {"opened": shown(case.opened_at)} if is_open else {"closed": _shown(case.closed_at)}
    event = "case_opened" if is_open else "case_closed"
    return Occurrence(
        cause=f"case:{case.id}:{event}",
        event=event,
        subject=f"case:{case.id}",
        version=case.version,
        facts=_place(case, names) | {"title": case.title} | when,
        site=case.site,
        operator=case.operator,
        division=case.division,
        station=case.station,
    )


def _test(test: TestResult, names: SiteNames) -> Occurrence:
    told = {
        "product": test.product or "—",
        "batch": test.batch or "—",
        "item": test.item,
        "tested": shown(test.tested_at),
    }
    return Occurrence(
        cause=f"test:{test.id}",
        event="test_failed",
        subject=f"test:{test.id}",
        version=1,
        facts=_place(test, names) | told,
        site=test.site,
        operator=test.operator,
        division=test.division,
        categories=(test.category,),
    )


def _bulletin(bulletin: BulletinPublishedV1) -> Occurrence:
    told = {"month": bulletin.month, "edition": str(bulletin.version)}
    return Occurrence(
        cause=f"bulletin:{bulletin.division}:{bulletin.month}:{bulletin.version}",
        event="bulletin",
        subject=f"bulletin:{bulletin.division}:{bulletin.month}",
        version=bulletin.version,
        facts={"division_name": _division_name(bulletin.division)} | told,
        division=bulletin.division,
    )


def _place(part: Finding | TaskFacts | CaseFacts | TestResult, names: SiteNames) -> dict[str, str]:
    name = getattr(part, "site_name", None) or names.get(part.site) or part.site
    return place(name, part.division)


def place(name: str, division: str | None) -> dict[str, str]:
    """The fields that say where."""
    return {"site_name": name, "division_name": _division_name(division)}


def _division_name(division: str | None) -> str:
    return (division and (divisions.path(division) or division)) or "—"


def _shown(time: datetime | None) -> str:
    return shown(time) if time else "—"


def _stamp(time: datetime | None) -> str:
    return time.isoformat(timespec="seconds") if time else ""
