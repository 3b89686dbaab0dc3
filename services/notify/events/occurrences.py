"""What of the platform's facts is an event that people are told of. No I/O."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from contracts.findings import GAPS, LIVE, TITLES, Finding, FindingKind, FindingsChangedV1
from contracts.inspection import (
    CaseFacts,
    CasesChangedV1,
    CaseState,
    RecallProposal,
    RecallsProposedV1,
    TaskFacts,
    TasksChangedV1,
    TaskState,
    TestResult,
    TestsRecordedV1,
)
from contracts.notices import BulletinPublishedV1
from contracts.recalls import EndedRecall, Recall, RecallChange, RecallsChangedV1, RecallsClosedV1, RecallsOpenedV1
from services.notify.events.events import Occurrence
from services.notify.events.places import division_name, place
from services.notify.events.recalls import Sites, changed, ended, opened, proposed
from services.notify.hours import shown

Body = (
    FindingsChangedV1
    | TasksChangedV1
    | CasesChangedV1
    | TestsRecordedV1
    | RecallsProposedV1
    | RecallsOpenedV1
    | RecallsChangedV1
    | RecallsClosedV1
    | BulletinPublishedV1
)


def sites_named(body: Body) -> set[str]:
    """Sites whose facts and grid a body's occurrences need."""
    return {site for part in _parts(body) for site in _sites_of(part) if site}


def _sites_of(part: Any) -> Iterable[str]:
    if isinstance(part, RecallChange):
        return {each.site for each in part.goods}
    return getattr(part, "sites", None) or [getattr(part, "site", "")]


def occurrences(body: Body, sites: Sites) -> Iterator[Occurrence]:
    """What happened, as far as people are told of it."""
    for part in _parts(body):
        yield from next(tell for kind, tell in _TELL.items() if isinstance(part, kind))(part, sites)


def _parts(body: Body) -> tuple[Any, ...]:
    match body:
        case FindingsChangedV1():
            return body.findings
        case TasksChangedV1():
            return body.tasks
        case CasesChangedV1():
            return body.cases
        case TestsRecordedV1():
            return body.tests
        case RecallsProposedV1():
            return body.proposals
        case RecallsOpenedV1() | RecallsClosedV1():
            return body.recalls
        case RecallsChangedV1():
            return body.changes
    return (body,)


def _finding(finding: Finding, sites: Sites) -> Iterator[Occurrence]:
    kind = {"kind": TITLES[finding.kind]}
    told = {
        "batches": "、".join(finding.batches[:3]) or "—",
        "due": shown(finding.due_at),
        "document": finding.document or "—",
        "allowed": finding.allowed or "—",
        "told": finding.told or "—",
    }
    event = _event(finding.kind, finding.open)
    yield Occurrence(
        cause=f"finding:{finding.id}:{_stamp(finding.opened_at)}:{event}",
        event=event,
        subject=f"finding:{finding.id}",
        version=finding.version,
        facts=_place(finding, sites) | kind | (told if finding.open else {"closed": _shown(finding.closed_at)}),
        site=finding.site,
        operator=finding.operator,
        division=finding.division,
        categories=tuple(finding.categories),
    )


def _event(kind: FindingKind, is_open: bool) -> str:
    """What is missing, what does not look true, and animals on their way are told of apart."""
    if kind in GAPS:
        return "finding_opened" if is_open else "finding_closed"
    if not is_open:
        return "doubt_closed"
    return "quarantine_alert" if kind in LIVE else "doubt_opened"


def _task(task: TaskFacts, sites: Sites) -> Iterator[Occurrence]:
    title = {"title": task.title}
    due = {"due": _shown(task.due_at)}
    if task.state is TaskState.OPEN:
        yield _of_task(task, "task_opened", sites, title | due, "")
    elif task.state is TaskState.RECTIFYING:
        yield _of_task(task, "task_rectify", sites, title | due, _stamp(task.due_at))
    elif task.state is TaskState.CLOSED:
        yield _of_task(task, "task_closed", sites, title | {"closed": _shown(task.closed_at)}, "")
    if task.escalations and task.state not in (TaskState.CLOSED, TaskState.CANCELLED):
        times = str(task.escalations)
        yield _of_task(task, "task_overdue", sites, title | due | {"times": times}, times)


def _of_task(task: TaskFacts, event: str, sites: Sites, told: dict[str, str], which: str) -> Occurrence:
    return Occurrence(
        cause=":".join(filter(None, ("task", task.id, event, which))),
        event=event,
        subject=f"task:{task.id}",
        version=task.version,
        facts=_place(task, sites) | told,
        site=task.site,
        operator=task.operator,
        division=task.division,
        station=task.station,
        officers=task.officers,
    )


def _case(case: CaseFacts, sites: Sites) -> Iterator[Occurrence]:
    is_open = case.state is CaseState.OPEN
    when = {"opened": shown(case.opened_at)} if is_open else {"closed": _shown(case.closed_at)}
    event = "case_opened" if is_open else "case_closed"
    yield Occurrence(
        cause=f"case:{case.id}:{event}",
        event=event,
        subject=f"case:{case.id}",
        version=case.version,
        facts=_place(case, sites) | {"title": case.title} | when,
        site=case.site,
        operator=case.operator,
        division=case.division,
        station=case.station,
    )


def _test(test: TestResult, sites: Sites) -> Iterator[Occurrence]:
    if test.qualified:
        return
    told = {
        "product": test.product or "—",
        "batch": test.batch or "—",
        "item": test.item,
        "tested": shown(test.tested_at),
    }
    yield Occurrence(
        cause=f"test:{test.id}",
        event="test_failed",
        subject=f"test:{test.id}",
        version=1,
        facts=_place(test, sites) | told,
        site=test.site,
        operator=test.operator,
        division=test.division,
        categories=(test.category,),
    )


def _bulletin(bulletin: BulletinPublishedV1, sites: Sites) -> Iterator[Occurrence]:
    told = {"month": bulletin.month, "edition": str(bulletin.version)}
    yield Occurrence(
        cause=f"bulletin:{bulletin.division}:{bulletin.month}:{bulletin.version}",
        event="bulletin",
        subject=f"bulletin:{bulletin.division}:{bulletin.month}",
        version=bulletin.version,
        facts={"division_name": division_name(bulletin.division)} | told,
        division=bulletin.division,
    )


def _place(part: Finding | TaskFacts | CaseFacts | TestResult, sites: Sites) -> dict[str, str]:
    name = getattr(part, "site_name", None) or sites.get(part.site, {}).get("name") or part.site
    return place(name, part.division)


def _shown(time: datetime | None) -> str:
    return shown(time) if time else "—"


def _stamp(time: datetime | None) -> str:
    return time.isoformat(timespec="seconds") if time else ""


_TELL: Final[dict[type, Callable[[Any, Sites], Iterator[Occurrence]]]] = {
    Finding: _finding,
    TaskFacts: _task,
    CaseFacts: _case,
    TestResult: _test,
    RecallProposal: proposed,
    Recall: opened,
    RecallChange: changed,
    EndedRecall: ended,
    BulletinPublishedV1: _bulletin,
}
