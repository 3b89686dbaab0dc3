"""The closed loop on a real broker and database: findings become tasks, tasks are inspected, rectified, re-checked."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from shilian.inspection.v1 import inspection_pb2 as pb

from contracts.topology import EVENTS, INSPECTION_EVENTS
from tests.bus import Bus
from tests.integration.inspection import (
    SITE,
    Client,
    account,
    ahead,
    await_count,
    client,
    failed_test,
    finding,
    known,
    site,
    tell,
    worker,
)
from tests.processes import Process, eventually, set_clock
from tests.stack import Database

__all__ = ["ahead", "client", "worker"]


def opened(bus: Bus, db: Any) -> str:
    """A task that a finding opened, at a site that is known."""
    known(bus, db)
    tell(bus, "trace.findings_changed.v1", findings=[finding()])
    await_count(db.tasks, 1)
    return str(db.tasks.find_one()["_id"])


def test_a_finding_told_three_times_is_one_task(worker: Process, bus: Bus, db: Any) -> None:
    told = bus.listen(EVENTS, "inspection.tasks_changed.v1")
    opened(bus, db)
    for version in (1, 1, 2):
        tell(bus, "trace.findings_changed.v1", findings=[finding(version=version)])
    tell(bus, "trace.findings_changed.v1", findings=[finding("F2"), finding("F2")])
    await_count(db.tasks, 2)
    await_count(db.findings, 1, version=2)
    bus.await_empty(INSPECTION_EVENTS.name, INSPECTION_EVENTS.dead)
    facts = [task for message in (bus.await_message(told), bus.await_message(told)) for task in message.body["tasks"]]
    assert [(task["cause"], task["station"], task["state"]) for task in facts] == [
        ("finding", "匡山监管所", "open")
    ] * 2
    assert not bus.take_all(told)


def test_a_finding_that_closes_cancels_a_task_nobody_started(worker: Process, bus: Bus, db: Any) -> None:
    id = opened(bus, db)
    tell(bus, "trace.findings_changed.v1", findings=[finding(open=False, version=2, closed_at="2026-01-05T02:00:00Z")])
    await_count(db.tasks, 1, state="cancelled")
    assert "闭合" in db.tasks.find_one({"_id": id})["reason"]
    assert db.timers.count_documents({"kind": "task"}) == 0
    tell(bus, "trace.findings_changed.v1", findings=[finding(version=1)])
    tell(bus, "trace.findings_changed.v1", findings=[finding(version=3)])
    await_count(db.tasks, 1, state="open")
    assert db.tasks.count_documents({}) == 2


def test_a_shipment_of_many_lines_is_one_task_until_its_last_finding_closes(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    opened(bus, db)
    paper: dict[str, Any] = {"document": "XS20260105001", "counterparty": "uscc:1"}
    lines = [(f"L{n}", {"batches": [f"B{n}"], "event_id": f"E{n}", **paper}) for n in range(20)]
    for _ in range(3):
        tell(bus, "trace.findings_changed.v1", findings=[finding(id, **told) for id, told in lines[:10]])
        tell(bus, "trace.findings_changed.v1", findings=[finding(id, **told) for id, told in lines[10:]])
    await_count(db.findings, 21)
    bus.await_empty(INSPECTION_EVENTS.name, INSPECTION_EVENTS.dead)
    (task,) = [task for task in client.call("ListTasks").tasks if task.cause_id in dict(lines)]
    assert sorted(each.finding_id for each in task.findings) == sorted(dict(lines))
    closing = [finding(id, open=False, version=2, closed_at="2026-01-05T02:00:00Z", **told) for id, told in lines]
    tell(bus, "trace.findings_changed.v1", findings=closing[:19])
    await_count(db.findings, 19, open=False)
    assert client.call("GetTask", task_id=task.task_id).task.state == pb.TASK_STATE_OPEN
    tell(bus, "trace.findings_changed.v1", findings=closing[19:])
    await_count(db.tasks, 1, state="cancelled")
    assert not any(each.open for each in client.call("GetTask", task_id=task.task_id).task.findings)


def test_a_task_goes_round_the_closed_loop(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    id = opened(bus, db)
    inspect: dict[str, Any] = {"task_id": id, "problem_found": True, "account": account()}
    assert client.refusal("RecordInspection", **inspect)[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "two_inspectors")
    client.call("AssignTask", task_id=id, officers=["王一"])
    assert client.refusal("RecordInspection", **inspect)[1] == "two_inspectors"
    client.call("AssignTask", task_id=id, officers=["王一", "李二"])
    assert client.call("RecordInspection", **inspect).task.state == pb.TASK_STATE_INSPECTED
    assert client.refusal("RecordRecheck", task_id=id, passed=True, account=account())[1] == "task_state"
    ordered = client.call("OrderRectification", task_id=id, items=["补录收货"]).task
    assert ordered.due_time.ToDatetime(UTC) > datetime.now(UTC) + timedelta(days=6)
    client.call("RecordRectification", task_id=id, account=account())
    for officer in ("王一", "李二"):
        refused = client.refusal("RecordRecheck", who=officer, task_id=id, passed=True, account=account())
        assert refused[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "recheck_other_officer")
    closed = client.call("RecordRecheck", who="赵三", task_id=id, passed=True, account=account()).task
    assert closed.state == pb.TASK_STATE_CLOSED
    assert [step.step for step in closed.steps] == ["assign", "assign", "find_problem", "order", "rectify", "pass"]
    assert db.timers.count_documents({"kind": "task"}) == 0
    lines = client.call("ListLedger", officer="李二").entries
    assert [line.action for line in lines] == ["find_problem", "assign"]
    assert (lines[0].location, list(lines[0].evidence)) == ("匡山市场 A-17", ["photo-1"])


def test_overdue_goes_up_by_itself_and_once_after_a_day_down(
    worker: Process, bus: Bus, db: Any, ahead: Path, spawn: Callable[..., Process]
) -> None:
    id = opened(bus, db)
    due = db.tasks.find_one({"_id": id})["due_at"]
    worker.kill()
    set_clock(ahead, timedelta(days=5).total_seconds())
    worker.restart()
    task = eventually(lambda: db.tasks.find_one({"_id": id}), lambda seen: seen["escalations"] == 2)
    steps = [(step["step"], step["at"]) for step in task["taken"]]
    assert steps == [("escalate", due), ("escalate", due + timedelta(days=3))]
    assert task["level"] == "city"
    rows = list(db.ledger.find({"action": "escalate"}).sort("at", 1))
    assert [row["at"] for row in rows] == [due, due + timedelta(days=3)]
    assert all(row["recorded_at"] > row["at"] for row in rows)
    set_clock(ahead, timedelta(days=60).total_seconds())
    eventually(lambda: db.tasks.find_one({"_id": id})["level"], lambda level: level == "province")
    await_count(db.timers, 0, kind="task")


def test_after_downtime_what_was_told_comes_before_what_ran_out(
    worker: Process, bus: Bus, db: Any, ahead: Path
) -> None:
    id = opened(bus, db)
    worker.kill()
    tell(bus, "trace.findings_changed.v1", findings=[finding(open=False, version=2, closed_at="2026-01-05T02:00:00Z")])
    set_clock(ahead, timedelta(days=5).total_seconds())
    worker.restart()
    task = eventually(lambda: db.tasks.find_one({"_id": id}), lambda seen: seen["version"] > 1)
    assert [step["step"] for step in task["taken"]] == ["cancel"]
    await_count(db.timers, 0, kind="task")


def test_worklists_page_by_what_is_due_and_end_at_the_callers_division(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    opened(bus, db)
    tell(bus, "trace.findings_changed.v1", findings=[finding(f"G{n}") for n in range(6)])
    await_count(db.tasks, 7)
    listed: list[pb.Task] = []
    token = ""
    while not listed or token:
        page = client.call("ListTasks", page_size=3, page_token=token, open_only=True, station="匡山监管所")
        listed += page.tasks
        token = page.next_page_token
    assert len({task.task_id for task in listed}) == len(listed) == 7
    assert not client.call("ListTasks", division="370202", open_only=True).tasks
    assert len(client.call("ListTasks", division="370000").tasks) == 7
    get = {"task_id": listed[0].task_id}
    assert client.refusal("GetTask", **get, division=None, role="regulator")[1] == "token_division"
    with_other = {"role": "regulator", "division": "370202"}
    assert client.refusal("GetTask", **get, **with_other)[0] is grpc.StatusCode.NOT_FOUND
    client.call("AssignTask", task_id=listed[3].task_id, officers=["钱四", "孙五"])
    assert [task.task_id for task in client.call("ListTasks", officer="钱四").tasks] == [listed[3].task_id]


def test_a_watch_resumes_where_it_ended(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    request = pb.WatchTasksRequest()
    stream = client.stub.WatchTasks(request, metadata=client.metadata("王一"), timeout=300)
    first = next(stream)
    assert not first.HasField("task")
    id = opened(bus, db)
    # Between tasks a quiet stream says where it is.
    seen = next(told for told in stream if told.HasField("task"))
    assert (seen.task.task_id, seen.task.state) == (id, pb.TASK_STATE_OPEN)
    stream.cancel()
    client.call("AssignTask", task_id=id, officers=["王一", "李二"])
    resumed = client.stub.WatchTasks(
        pb.WatchTasksRequest(resume_token=seen.resume_token),
        metadata=client.metadata("王一"),
        timeout=300,
    )
    missed = next(told for told in resumed if told.HasField("task"))
    assert (missed.task.task_id, list(missed.task.officers)) == (id, ["王一", "李二"])
    resumed.cancel()
    bad = client.stub.WatchTasks(pb.WatchTasksRequest(resume_token="x"), metadata=client.metadata("王一"), timeout=300)
    failures: list[grpc.StatusCode] = []
    try:
        next(bad)
    except grpc.RpcError as error:
        failures.append(error.code())
    assert failures == [grpc.StatusCode.INVALID_ARGUMENT]


def test_a_task_by_hand_is_made_once_and_only_at_a_site_in_reach(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    opened(bus, db)
    fields: dict[str, Any] = {"kind": pb.TASK_KIND_PATROL, "title": "节前巡查", "site_id": SITE, "request_id": "r-1"}
    first = client.call("CreateTask", **fields, officers=["王一", "李二"]).task
    assert client.call("CreateTask", **fields, officers=["王一", "李二"]).task == first
    assert (first.station, first.link, list(first.officers)) == ("匡山监管所", pb.LINK_CIRCULATION, ["王一", "李二"])
    assert (
        client.refusal("CreateTask", **fields | {"request_id": "r-2"}, division="370202")[0]
        is grpc.StatusCode.NOT_FOUND
    )
    assert client.refusal("CreateTask", **fields | {"request_id": "r-3", "title": " "})[1] == "required"


def test_a_task_is_placed_once_its_site_is_known(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    tell(bus, "trace.findings_changed.v1", findings=[finding(division=None)])
    await_count(db.tasks, 1)
    assert not client.call("ListTasks").tasks
    assert len(client.call("ListTasks", division="370000", role="regulator").tasks) == 1
    tell(bus, "registry.sites_changed.v1", sites=[site()])
    (task,) = eventually(lambda: client.call("ListTasks").tasks, lambda tasks: len(tasks) == 1)
    assert task.station == "匡山监管所"
    tell(bus, "registry.sites_changed.v1", sites=[site(station="段店监管所", version=2)])
    eventually(lambda: client.call("ListTasks", station="段店监管所").tasks, lambda tasks: len(tasks) == 1)


@pytest.mark.parametrize("type", ["trace.findings_changed.v1", "inspection.record_tests.v1"])
def test_what_another_worker_learns_meanwhile_places_a_task_too(
    spawn: Callable[..., Process], bus: Bus, mongo: Database, db: Any, type: str
) -> None:
    spawn("tests.integration.raced", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()
    body = {"findings": [finding(division=None)]} if type.startswith("trace") else {"tests": [failed_test()]}
    tell(bus, type, **body)
    await_count(db.tasks, 1, division="370105", station="匡山监管所")
    assert db.cases.count_documents({"areas": "-"}) == db.tests.count_documents({"areas": "-"}) == 0


def test_two_officers_record_one_inspection(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    id = opened(bus, db)
    client.call("AssignTask", task_id=id, officers=["王一", "李二"])
    outcomes: list[str] = []

    def inspect(officer: str) -> None:
        try:
            client.call("RecordInspection", who=officer, task_id=id, problem_found=True, account=account())
            outcomes.append("recorded")
        except grpc.RpcError as error:
            outcomes.append(error.code().name)

    threads = [threading.Thread(target=inspect, args=(officer,)) for officer in ("王一", "李二")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["FAILED_PRECONDITION", "recorded"]
