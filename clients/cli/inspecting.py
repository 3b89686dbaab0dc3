"""`shilian worklist` and `shilian inspect`: tasks and their closed loop."""

from typing import Annotated

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli.answers import Json, in_turn, listing
from clients.cli.asking import Division, asks, one_of, value
from clients.cli.printing import local_time
from clients.cli.words import LEVELS, TASK_KINDS, TASK_STATES, TASK_STEPS, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Tasks: inspect, order, rectify, check again.")

HEADS = ("任务 task", "类别 kind", "状态 state", "标题 title", "场所 site", "区划 division", "监管所 station",
         "人员 officers", "层级 level", "期限 due", "案件 case")  # fmt: skip
STEP_HEADS = ("步骤 step", "时间 time", "谁 who", "人员 officers", "说明 note", "证据 evidence", "地点 location")
TEST_HEADS = ("检测 test", "项目 item", "结果 result", "场所 site", "批次 batch", "品名 product", "时间 time")

Task = Annotated[str, typer.Argument(help="Task id.")]
Officers = Annotated[
    list[str] | None, typer.Option("--officer", help="Subject of an officer's token; repeat for each.")
]
Evidence = Annotated[
    list[str] | None, typer.Option("--evidence", help="Reference to a photo or paper; repeat for each.")
]
Note = Annotated[str, typer.Option(help="What was seen or done.")]
Location = Annotated[str, typer.Option(help="Where it was.")]
Reason = Annotated[str, typer.Option(help="Why.")]


def _row(task: Json) -> tuple[str, ...]:
    return (
        task["task_id"],
        zh(TASK_KINDS, task["kind"]),
        zh(TASK_STATES, task["state"]),
        task["title"],
        task["site_name"] or task["site_id"],
        divisions.path(task["division"]),
        task["station"],
        "、".join(task["officers"]),
        zh(LEVELS, task["level"]),
        local_time(task.get("due_time", "")) + ("(暂定)" if task["due_provisional"] else ""),
        task["case_id"],
    )


def _step_row(step: Json) -> tuple[str, ...]:
    account = step.get("account", {})
    return (
        zh(TASK_STEPS, step["step"]),
        local_time(step.get("time", "")),
        step["who"],
        "、".join(step["officers"]),
        account.get("note", ""),
        "\n".join(account.get("evidence", ())),
        account.get("location", ""),
    )


def _test_row(test: Json) -> tuple[str, ...]:
    return (
        test["test_id"],
        test["item"],
        f"{'合格' if test['qualified'] else '不合格'} {test['value']}".strip(),
        test["site_name"] or test["site_id"],
        test["batch"],
        test["product"],
        local_time(test.get("test_time", "")),
    )


def _show_steps(answer: Json) -> None:
    listing("steps", "经过 steps", STEP_HEADS, _step_row)(answer["task"])


SHOW_TASK = listing("task", "任务 task", HEADS, _row)
SHOW_TASKS = listing("tasks", "任务 worklist", HEADS, _row)


def worklist(
    station: Annotated[str, typer.Option(help="Of this station.")] = "",
    officer: Annotated[str, typer.Option(help="Assigned to this officer.")] = "",
    division: Division = "",
    site: Annotated[str, typer.Option(help="At this site.")] = "",
    kind: Annotated[str, typer.Option(**one_of(pb.TaskKind))] = "",
    state: Annotated[list[str] | None, typer.Option(**one_of(pb.TaskState), help="Repeat for more.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed and cancelled ones too.")] = False,
) -> pb.ListTasksRequest:
    """List open tasks, what is due first comes first."""
    return pb.ListTasksRequest(
        station=station,
        officer=officer,
        division=division,
        site_id=site,
        kind=value(pb.TaskKind, kind),
        states=[value(pb.TaskState, word) for word in state or ()],
        open_only=not (closed or state),
    )


@asks(app, "show", in_turn(SHOW_TASK, _show_steps))
def show(task: Task) -> pb.GetTaskRequest:
    """Show a task and what was done."""
    return pb.GetTaskRequest(task_id=task)


@asks(app, "create", SHOW_TASK)
def create(
    site: Annotated[str, typer.Option(help="Id of the site.")],
    title: Annotated[str, typer.Option(help="What it is about.")],
    kind: Annotated[str, typer.Option(**one_of(pb.TaskKind))] = "daily",
    officers: Officers = None,
) -> pb.CreateTaskRequest:
    """Open a task by hand."""
    return pb.CreateTaskRequest(site_id=site, title=title, kind=value(pb.TaskKind, kind), officers=officers)


@asks(app, "assign", SHOW_TASK)
def assign(task: Task, officers: Officers, reason: Reason = "") -> pb.AssignTaskRequest:
    """Name the officers of an open task: two or more."""
    return pb.AssignTaskRequest(task_id=task, officers=officers, reason=reason)


@asks(app, "record", SHOW_TASK)
def record(
    task: Task,
    problem: Annotated[bool, typer.Option("--problem/--no-problem", help="Whether one was found.")],
    officers: Officers = None,
    note: Note = "",
    evidence: Evidence = None,
    location: Location = "",
) -> pb.RecordInspectionRequest:
    """Record an inspection; nothing found closes the task."""
    account = pb.Account(note=note, evidence=evidence, location=location)
    return pb.RecordInspectionRequest(task_id=task, officers=officers, problem_found=problem, account=account)


@asks(app, "order", SHOW_TASK)
def order(
    task: Task,
    items: Annotated[list[str], typer.Option("--item", help="What is to be put right; repeat for each.")],
    note: Note = "",
    evidence: Evidence = None,
    location: Location = "",
) -> pb.OrderRectificationRequest:
    """Order rectification: starts the week."""
    account = pb.Account(note=note, evidence=evidence, location=location)
    return pb.OrderRectificationRequest(task_id=task, items=items, account=account)


@asks(app, "rectify", SHOW_TASK)
def rectify(
    task: Task,
    evidence: Evidence = None,
    note: Note = "",
    location: Location = "",
) -> pb.RecordRectificationRequest:
    """Record that it was put right: starts the month."""
    return pb.RecordRectificationRequest(
        task_id=task, account=pb.Account(note=note, evidence=evidence, location=location)
    )


@asks(app, "recheck", SHOW_TASK)
def recheck(
    task: Task,
    passed: Annotated[bool, typer.Option("--passed/--failed", help="What the re-check says.")],
    officers: Officers = None,
    note: Note = "",
    evidence: Evidence = None,
    location: Location = "",
) -> pb.RecordRecheckRequest:
    """Record a re-check, by another officer than who inspected."""
    account = pb.Account(note=note, evidence=evidence, location=location)
    return pb.RecordRecheckRequest(task_id=task, officers=officers, passed=passed, account=account)


@asks(app, "escalate", SHOW_TASK)
def escalate(task: Task, reason: Reason) -> pb.EscalateTaskRequest:
    """Hand a task to the next level before its time is up."""
    return pb.EscalateTaskRequest(task_id=task, reason=reason)


@asks(app, "cancel", SHOW_TASK)
def cancel(task: Task, reason: Reason) -> pb.CancelTaskRequest:
    """Call off a task nobody inspected yet."""
    return pb.CancelTaskRequest(task_id=task, reason=reason)


@asks(app, "tests", listing("tests", "检测 tests", TEST_HEADS, _test_row))
def list_tests(
    division: Division = "",
    site: Annotated[str, typer.Option(help="At this site.")] = "",
    batch: Annotated[str, typer.Option(help="Of this batch.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
) -> pb.ListTestsRequest:
    """List tests, newest first."""
    return pb.ListTestsRequest(division=division, site_id=site, batch=batch, failed_only=failed)
