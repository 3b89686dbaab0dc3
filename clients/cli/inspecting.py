"""`shilian worklist` and `shilian inspect`: tasks and their closed loop."""

from typing import Annotated

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli.asking import Division, asks, one_of, value
from clients.cli.task_tables import SHOW_TASK, SHOW_TASK_WHOLE, SHOW_TESTS

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="检查任务。Tasks: inspect, order, rectify, check again."
)

Task = Annotated[str, typer.Argument(help="任务编号。Task id.")]
Officers = Annotated[
    list[str] | None, typer.Option("--officer", help="执法人员，可重复。Subject of an officer's token; repeatable.")
]
Evidence = Annotated[
    list[str] | None,
    typer.Option("--evidence", help="证据编号，可重复。Reference to a photo or paper; repeat for each."),
]
Note = Annotated[str, typer.Option(help="情况说明。What was seen or done.")]
Location = Annotated[str, typer.Option(help="地点。Where it was.")]
Reason = Annotated[str, typer.Option(help="理由。Why.")]


def worklist(
    station: Annotated[str, typer.Option(help="监管所。Of this station.")] = "",
    officer: Annotated[str, typer.Option(help="指派给此人。Assigned to this officer.")] = "",
    division: Division = "",
    site: Annotated[str, typer.Option(help="场所。At this site.")] = "",
    kind: Annotated[str, typer.Option(**one_of(pb.TaskKind))] = "",
    state: Annotated[list[str] | None, typer.Option(**one_of(pb.TaskState), help="可重复。Repeat for more.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="含已办结、已取消。Closed and cancelled ones too.")] = False,
) -> pb.ListTasksRequest:
    """列出待办任务，先到期的在前。List open tasks, what is due first comes first."""
    return pb.ListTasksRequest(
        station=station,
        officer=officer,
        division=division,
        site_id=site,
        kind=value(pb.TaskKind, kind),
        states=[value(pb.TaskState, word) for word in state or ()],
        open_only=not (closed or state),
    )


@asks(app, "show", SHOW_TASK_WHOLE)
def show(task: Task) -> pb.GetTaskRequest:
    """查看任务及经过。Show a task and what was done."""
    return pb.GetTaskRequest(task_id=task)


@asks(app, "create", SHOW_TASK)
def create(
    site: Annotated[str, typer.Option(help="场所编号。Id of the site.")],
    title: Annotated[str, typer.Option(help="事由。What it is about.")],
    kind: Annotated[str, typer.Option(**one_of(pb.TaskKind))] = "daily",
    officers: Officers = None,
    items: Annotated[
        list[str] | None,
        typer.Option("--item", help="检查要点，如 purchase，不填为全部；可重复。Point to go through; all when none."),
    ] = None,
    triggered_by: Annotated[str, typer.Option(help="投诉或线索：有因检查不受三个月限制。The complaint.")] = "",
) -> pb.CreateTaskRequest:
    """新建任务。Open a task by hand."""
    return pb.CreateTaskRequest(
        site_id=site,
        title=title,
        kind=value(pb.TaskKind, kind),
        officers=officers,
        items=items,
        triggered_by=triggered_by,
    )


@asks(app, "assign", SHOW_TASK)
def assign(task: Task, officers: Officers, reason: Reason = "") -> pb.AssignTaskRequest:
    """派员，不少于两人。Name the officers of an open task: two or more."""
    return pb.AssignTaskRequest(task_id=task, officers=officers, reason=reason)


@asks(app, "record", SHOW_TASK)
def record(
    task: Task,
    problem: Annotated[bool, typer.Option("--problem/--no-problem", help="有无问题。Whether one was found.")],
    officers: Officers = None,
    note: Note = "",
    evidence: Evidence = None,
    location: Location = "",
) -> pb.RecordInspectionRequest:
    """登记检查，无问题即办结。Record an inspection; nothing found closes the task."""
    account = pb.Account(note=note, evidence=evidence, location=location)
    return pb.RecordInspectionRequest(task_id=task, officers=officers, problem_found=problem, account=account)


@asks(app, "order", SHOW_TASK)
def order(
    task: Task,
    items: Annotated[
        list[str], typer.Option("--item", help="整改事项，可重复。What is to be put right; repeat for each.")
    ],
    note: Note = "",
    evidence: Evidence = None,
    location: Location = "",
) -> pb.OrderRectificationRequest:
    """责令整改，一周为限。Order rectification: starts the week."""
    account = pb.Account(note=note, evidence=evidence, location=location)
    return pb.OrderRectificationRequest(task_id=task, items=items, account=account)


@asks(app, "rectify", SHOW_TASK)
def rectify(
    task: Task,
    evidence: Evidence = None,
    note: Note = "",
    location: Location = "",
) -> pb.RecordRectificationRequest:
    """登记整改，一月内复查。Record that it was put right: starts the month."""
    return pb.RecordRectificationRequest(
        task_id=task, account=pb.Account(note=note, evidence=evidence, location=location)
    )


@asks(app, "recheck", SHOW_TASK)
def recheck(
    task: Task,
    passed: Annotated[bool, typer.Option("--passed/--failed", help="复查结论。What the re-check says.")],
    officers: Officers = None,
    note: Note = "",
    evidence: Evidence = None,
    location: Location = "",
) -> pb.RecordRecheckRequest:
    """登记复查，须由他人进行。Record a re-check, by another officer than who inspected."""
    account = pb.Account(note=note, evidence=evidence, location=location)
    return pb.RecordRecheckRequest(task_id=task, officers=officers, passed=passed, account=account)


@asks(app, "escalate", SHOW_TASK)
def escalate(task: Task, reason: Reason) -> pb.EscalateTaskRequest:
    """提前上报上一级。Hand a task to the next level before its time is up."""
    return pb.EscalateTaskRequest(task_id=task, reason=reason)


@asks(app, "cancel", SHOW_TASK)
def cancel(task: Task, reason: Reason) -> pb.CancelTaskRequest:
    """取消尚未检查的任务。Call off a task nobody inspected yet."""
    return pb.CancelTaskRequest(task_id=task, reason=reason)


@asks(app, "tests", SHOW_TESTS)
def list_tests(
    division: Division = "",
    site: Annotated[str, typer.Option(help="场所。At this site.")] = "",
    batch: Annotated[str, typer.Option(help="批次。Of this batch.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="仅不合格。Only those that failed.")] = False,
) -> pb.ListTestsRequest:
    """列出检测，新的在前。List tests, newest first."""
    return pb.ListTestsRequest(division=division, site_id=site, batch=batch, failed_only=failed)
