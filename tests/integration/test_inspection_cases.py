"""Cases, tests and samples on a real broker and database: from a failed quick test to a closed case."""

import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from shilian.inspection.v1 import inspection_pb2 as pb

from contracts.topology import EGRESS, EVENTS, INGEST, INSPECTION_FACTS, INSPECTION_TESTS
from tests.bus import Bus
from tests.contracts.golden import Golden
from tests.integration.inspection import (
    OPERATOR,
    SITE,
    Client,
    account,
    ahead,
    await_count,
    client,
    failed,
    failed_test,
    finding,
    known,
    site,
    tell,
    worker,
)
from tests.processes import Process, eventually, set_clock

__all__ = ["ahead", "client", "worker"]

GATES = (
    pb.CASE_GATE_CAUSE_NOT_FOUND,
    pb.CASE_GATE_PEOPLE_NOT_PUNISHED,
    pb.CASE_GATE_LESSON_NOT_GIVEN,
    pb.CASE_GATE_MEASURES_NOT_CARRIED_OUT,
)


def settle(client: Client, case: str, gates: int = 4) -> None:
    """Both triggered musts, and so many of the gates."""
    client.call("ResolveMust", case_id=case, must=pb.MUST_STOP_AND_RECTIFY, done=True, evidence=["责令改正通知书"])
    client.call("DecidePenalty", case_id=case, penalty=pb.PENALTY_WARNING, persons=["王秀兰"])
    for gate in GATES[:gates]:
        client.call("RecordGate", case_id=case, gate=gate, evidence=["材料"])


def test_a_failed_quick_test_becomes_a_case_and_a_task(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    answers, told = bus.listen(EGRESS, "market"), bus.listen(EVENTS, "inspection.*.v1")
    id = failed(bus, db)
    assert bus.await_message(answers).body["verdicts"][0]["outcome"] == "accepted"
    types = sorted(bus.await_message(told).headers["ce-type"] for _ in range(3))
    assert types == [f"inspection.{what}.v1" for what in ("cases_changed", "tasks_changed", "tests_recorded")]
    tell(bus, "inspection.record_tests.v1", tests=[failed_test(), failed_test()])
    outcomes = [verdict["outcome"] for verdict in bus.await_message(answers).body["verdicts"]]
    assert outcomes == ["duplicate", "duplicate"]
    tell(bus, "inspection.record_tests.v1", tests=[failed_test(value="5%", qualified=True)])
    assert bus.await_message(answers).body["verdicts"][0]["errors"][0]["rule"] == "id_reused"
    assert bus.await_message(INSPECTION_TESTS.dead).headers["x-shilian-reason"] == "id_reused"
    assert (db.tests.count_documents({}), db.cases.count_documents({}), db.tasks.count_documents({})) == (1, 1, 1)

    (task,) = client.call("ListTasks", open_only=True).tasks
    assert (task.case_id, task.kind, task.cause) == (id, pb.TASK_KIND_SPECIAL, "test")
    for opened in (client.call("OpenCase", task_id=task.task_id), client.call("OpenCase", test_id="Q1")):
        assert opened.case.case_id == id
    (test,) = client.call("ListTests", failed_only=True).tests
    assert (test.test_id, test.batch, test.site_id) == ("Q1", "B1", SITE)
    assert client.call("ListCases", state=pb.CASE_STATE_OPEN).cases[0].operator_id == OPERATOR


def test_a_sheet_of_the_markets_test_point_becomes_a_case(
    worker: Process, bus: Bus, db: Any, spawn: Callable[..., Process]
) -> None:
    spawn("services.adapters.market", "worker", amqp_url=bus.vhost.url).wait_ready()
    answers = bus.listen(EGRESS, "market")
    golden = Golden("market.residue_test.v1", "sheet")
    for _ in range(2):
        bus.publish(INGEST, golden.type, golden.body, ce_id="m-1", ce_type=golden.type)
    (case,) = eventually(lambda: list(db.cases.find()), lambda found: len(found) == 1)
    assert (case["site"], case["division"], case["item"]) == (SITE, "370105", "有机磷和氨基甲酸酯类农药残留")
    outcomes: list[str] = []
    while len(outcomes) < 4:
        outcomes += [verdict["outcome"] for verdict in bus.await_message(answers).body["verdicts"]]
    assert sorted(outcomes) == ["accepted"] * 2 + ["duplicate"] * 2
    assert (db.tests.count_documents({}), db.tasks.count_documents({})) == (2, 1)


def test_a_case_closes_through_every_gate_only(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    id = failed(bus, db)
    settle(client, id, gates=3)
    code, rule, told = client.refusal("CloseCase", case_id=id)
    assert (code, rule) == (grpc.StatusCode.FAILED_PRECONDITION, "measures_not_carried_out")
    assert told["missing"] == "measures_not_carried_out"
    case = client.call("RecordGate", case_id=id, gate=GATES[3], evidence=["整改照片"]).case
    assert client.refusal("CloseCase", case_id=id, version=case.version - 1)[:2] == (
        grpc.StatusCode.ABORTED,
        "version_changed",
    )
    closed = client.call("CloseCase", case_id=id, version=case.version).case
    assert (closed.state, closed.closed_by, list(closed.missing)) == (pb.CASE_STATE_CLOSED, "王一", [])
    actions = [line.action for line in client.call("ListLedger", subject=id, officer="王一").entries]
    assert len(actions) == 7
    assert actions[0] == "close"


def test_two_officers_close_one_case_and_the_other_learns_why(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    id = failed(bus, db)
    settle(client, id)
    outcomes: dict[str, Any] = {}

    def close(officer: str) -> None:
        try:
            outcomes[officer] = client.call("CloseCase", who=officer, case_id=id).case.closed_by
        except grpc.RpcError as error:
            outcomes[officer] = error.code()

    threads = [threading.Thread(target=close, args=(officer,)) for officer in ("王一", "李二")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [officer for officer, outcome in outcomes.items() if outcome == officer]
    (loser,) = {"王一", "李二"} - {winner}
    assert outcomes[loser] is grpc.StatusCode.FAILED_PRECONDITION
    _, rule, told = client.refusal("CloseCase", who=loser, case_id=id)
    assert (rule, told["by"]) == ("case_closed", winner)
    assert told["at"]
    assert db.ledger.count_documents({"subject": id, "action": "close"}) == 1


def test_musts_are_done_or_refused_with_a_reason(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    id = failed(bus, db)
    must: dict[str, Any] = {"case_id": id, "must": pb.MUST_STOP_AND_RECTIFY}
    assert client.refusal("ResolveMust", **must, done=True)[1] == "must_evidence"
    assert client.refusal("ResolveMust", **must, done=False)[1] == "must_reason"
    police: dict[str, Any] = {"case_id": id, "must": pb.MUST_TO_POLICE, "done": True, "evidence": ["移送书"]}
    assert client.refusal("ResolveMust", **police)[1] == "must_not_triggered"
    fine: dict[str, Any] = {"case_id": id, "must": pb.MUST_FINE, "done": False, "reason": "不罚"}
    assert client.refusal("ResolveMust", **fine)[1] == "fine_by_decision"
    for gate in GATES:
        client.call("RecordGate", case_id=id, gate=gate, note="经集体讨论不予处分", evidence=["记录"])
    assert client.refusal("CloseCase", case_id=id)[1] == "must_open"
    established = client.call("EstablishFacts", case_id=id, facts=pb.ActFacts(crime_suspected=True, value="30000")).case
    assert {each.penalty for each in established.suggestions} >= {pb.PENALTY_SUSPENSION, pb.PENALTY_REVOCATION}
    assert {each.must for each in established.musts if each.state == pb.MUST_STATE_DUE} == {
        pb.MUST_STOP_AND_RECTIFY,
        pb.MUST_FINE,
        pb.MUST_TO_POLICE,
    }
    client.call("ResolveMust", **police)
    client.call("ResolveMust", **must, done=False, reason="已自行停止销售")
    assert client.refusal("DecidePenalty", case_id=id, penalty=pb.PENALTY_NONE)[1] == "penalty_reason"
    assert client.refusal("DecidePenalty", case_id=id, penalty=pb.PENALTY_FINE, persons=["王"])[1] == "amount_required"
    client.call("DecidePenalty", case_id=id, penalty=pb.PENALTY_SUSPENSION, persons=["王秀兰"])
    assert client.refusal("DecidePenalty", case_id=id, penalty=pb.PENALTY_WARNING)[1] == "penalty_decided"
    assert client.call("CloseCase", case_id=id).case.state == pb.CASE_STATE_CLOSED


def test_a_re_check_that_fails_is_a_case_with_its_second_must(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    known(bus, db)
    tell(bus, "trace.findings_changed.v1", findings=[finding()])
    await_count(db.tasks, 1)
    id = str(db.tasks.find_one()["_id"])
    assert client.refusal("OpenCase", task_id=id)[1] == "no_problem"
    client.call("AssignTask", task_id=id, officers=["王一", "李二"])
    client.call("RecordInspection", task_id=id, problem_found=True, account=account())
    client.call("OrderRectification", task_id=id, items=["补录"])
    client.call("RecordRectification", task_id=id, account=account())
    failed = client.call("RecordRecheck", who="赵三", task_id=id, passed=False, account=account())
    assert (failed.task.state, failed.task.case_id) == (pb.TASK_STATE_RECTIFYING, failed.case_id)
    case = client.call("GetCase", case_id=failed.case_id).case
    due = {must.must for must in case.musts if must.state == pb.MUST_STATE_DUE}
    assert due == {pb.MUST_STOP_AND_RECTIFY, pb.MUST_CLOSE_AND_BAN, pb.MUST_FINE}
    assert [each.handling for each in case.handlings] == [pb.HANDLING_INTERVIEW] * 2
    held = client.call("RecordHandling", case_id=case.case_id, party=pb.PARTY_UNIT, evidence=["约谈记录"]).case
    assert [each.held for each in held.handlings] == [True, False]
    assert client.refusal("RecordHandling", case_id=case.case_id, party=pb.PARTY_UNIT, evidence=["再次"])[1] == (
        "handling_held"
    )


def test_a_re_check_that_fails_again_and_again_is_the_case_that_is_open(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    failed(bus, db)
    id = str(db.tasks.find_one()["_id"])
    client.call("AssignTask", task_id=id, officers=["王一", "李二"])
    client.call("RecordInspection", task_id=id, problem_found=True, account=account())
    client.call("OrderRectification", task_id=id, items=["停售"])

    def fail() -> str:
        client.call("RecordRectification", task_id=id, account=account())
        return str(client.call("RecordRecheck", who="赵三", task_id=id, passed=False, account=account()).case_id)

    first = fail()
    settle(client, first)
    client.call("ResolveMust", case_id=first, must=pb.MUST_CLOSE_AND_BAN, reason="已停业")
    client.call("CloseCase", case_id=first)
    second = fail()
    assert second != first
    assert client.call("OpenCase", task_id=id).case.case_id == second
    assert fail() == second
    assert db.cases.count_documents({}) == 2


def test_the_second_case_about_an_item_calls_for_accountability(
    worker: Process, client: Client, bus: Bus, db: Any, ahead: Any
) -> None:
    failed(bus, db)
    set_clock(ahead, 40 * 86_400)
    tell(bus, "inspection.record_tests.v1", tests=[failed_test("Q2"), failed_test("Q3", item="克百威")])
    await_count(db.cases, 3)
    cases = {case.cause_id: case for case in client.call("ListCases").cases}
    assert {each.handling for each in cases["Q2"].handlings} == {pb.HANDLING_ACCOUNTABILITY}
    assert cases["Q2"].facts.same_within_year
    assert {each.handling for each in cases["Q3"].handlings} == {pb.HANDLING_INTERVIEW}


def events(count: int, at: str, site: str, *flags: str) -> list[dict[str, Any]]:
    """Events as trace announces them."""
    told = {"source": "market", "step": "receiving", "time": at, "sent_at": at, "site": site, "flags": list(flags)}
    return [{"id": f"E-{site}-{at}-{n}-{'-'.join(flags)}", **told} for n in range(count)]


def test_a_sample_is_drawn_repeated_and_scored(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    links = ("circulation", "catering")
    sites = [
        site(f"market:{n}", name=f"摊位{n}", link=links[n % 2], division=f"37010{5 + n % 3 // 2}") for n in range(60)
    ]
    tell(bus, "registry.sites_changed.v1", sites=[*sites, site("market:gone", state="revoked")])
    tell(bus, "registry.sites_aliased.v1", aliases=[{"alias": "catering:x", "site": "market:1", "version": 1}])
    await_count(db.sites, 62)
    spring = "2026-02-10T01:00:00Z"
    on = [event for n in range(60) for event in events(3, spring, f"market:{n}")]
    off = [event for n in range(60) for event in events(1, spring, f"market:{n}", "late_upload", "kde_missing")]
    for _ in range(2):
        tell(bus, "trace.events_recorded.v1", events=[*on, *off, *events(4, spring, "catering:x", "time_order")])
        tell(bus, "trace.events_recorded.v1", events=events(5, "2026-04-01T00:00:00Z", "market:1", "late_upload"))
    await_count(db.marks, 60 * 4 + 4 + 5)
    bus.await_empty(INSPECTION_FACTS.name, INSPECTION_FACTS.dead)

    fields: dict[str, Any] = {"quarter": "2026Q1", "size": 60, "seed": "公证处 2026-04-03"}
    everything = client.call("DrawSample", division="370100", **fields, request_id="d-1").sample
    assert len({each.site_id for each in everything.sites}) == everything.frame == 60
    assert (everything.score.on_time, everything.score.complete) == ("0.7541", "0.7541")
    assert everything.score.accurate == "0.9836"
    aliased = next(each for each in everything.sites if each.site_id == "market:1")
    assert (aliased.score.events, aliased.score.accurate) == (8, "0.5000")

    # What was declared wrong no longer counts, told of before or only afterwards.
    late = events(1, spring, "market:1", "time_order")
    wrong = [*events(4, spring, "catering:x", "time_order")[:2], *late]
    told = {"reason": "误录", "by": "source", "who": "market", "declared_at": spring}
    tell(bus, "trace.errors_declared.v1", errors=[{"id": f"D{each['id']}", "event": each, **told} for each in wrong])
    tell(bus, "trace.events_recorded.v1", events=late)
    await_count(db.marks, 60 * 4 + 4 + 5 + 1)
    bus.await_empty(INSPECTION_FACTS.name, INSPECTION_FACTS.dead)
    fewer = client.call("GetSample", division="370100", sample_id=everything.sample_id).sample
    aliased = next(each for each in fewer.sites if each.site_id == "market:1")
    assert (aliased.score.events, aliased.score.accurate) == (6, "0.6667")

    drawn = client.call("DrawSample", division="370100", **fields | {"size": 10}).sample
    strata = {(each.division, each.link) for each in drawn.sites}
    assert len(drawn.sites) == 10
    assert len(strata) == 4
    tell(bus, "registry.sites_changed.v1", sites=[site("market:new", name="新摊位")])
    await_count(db.sites, 63)
    again = client.call("RepeatDraw", sample_id=drawn.sample_id, division="370100")
    assert again.same
    assert list(again.site_ids) == [each.site_id for each in drawn.sites]
    assert client.call("GetTask", task_id=drawn.sites[0].task_id, division="370100").task.cause_id == drawn.sample_id
    assert {s.sample_id for s in client.call("ListSamples", division="370100").samples} >= {drawn.sample_id}
    assert client.refusal("GetSample", sample_id=drawn.sample_id)[0] is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("role", ["operator", "vendor"])
def test_whoever_is_no_regulator_does_nothing_here(client: Client, role: str) -> None:
    token: dict[str, Any] = {"role": role, "division": None}
    if role == "vendor":
        assert client.refusal("ListTasks", **token)[0] is grpc.StatusCode.PERMISSION_DENIED
    overseer = client.call("ListLedger", role="overseer")
    assert list(overseer.entries) == []
    assert client.refusal("CloseCase", case_id="C1", role="overseer")[1] == "role"


def test_a_worker_killed_while_it_works_makes_nothing_twice(worker: Process, bus: Bus, db: Any) -> None:
    known(bus, db)
    for n in range(300):
        tell(bus, "trace.findings_changed.v1", findings=[finding(f"K{n}")])
        if n % 100 == 50:
            worker.kill()
            worker.restart()
    eventually(lambda: db.tasks.count_documents({}), lambda seen: seen == 300)
    bus.await_empty("inspection.events", "inspection.events.dead")
    assert db.ledger.count_documents({}) == db.timers.count_documents({"kind": "task"}) == 300
