"""Tests on a real broker and database: laboratories, objections and re-tests, parked results, shared ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from shilian.inspection.v1 import inspection_pb2 as pb

from contracts.topology import EVENTS, INSPECTION_EVENTS, INSPECTION_FACTS, INSPECTION_TESTS
from tests.bus import Bus
from tests.integration.inspection import (
    LABORATORY,
    OPERATOR,
    OWNER,
    SITE,
    Client,
    ahead,
    await_count,
    client,
    failed,
    failed_test,
    known,
    tell,
    worker,
)
from tests.processes import Process, eventually, set_clock

__all__ = ["ahead", "client", "worker"]


def stamp(at: datetime) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(at)
    return time


def report(number: str = "SDJC-2026-001", **told: Any) -> dict[str, Any]:
    """What a laboratory records."""
    about = {"kind": pb.TEST_KIND_LABORATORY, "item": "克百威", "site_id": SITE, "batch": "B1", "product": "韭菜"}
    return {"report_number": number, "test_time": stamp(datetime.now(UTC)), **about, **told, **LABORATORY}


def named(bus: Bus, db: Any, *batches: str, event: str = "E1") -> None:
    """An event of trace that names the batches is on record."""
    at = "2026-01-04T20:00:00Z"
    told = {"id": event, "source": "market", "step": "receiving", "time": at, "sent_at": at, "site": SITE}
    tell(bus, "trace.events_recorded.v1", events=[{**told, "batches": list(batches)}])
    await_count(db.marks, 1, _id=event)


def test_a_failed_test_of_a_known_batch_proposes_its_recall_once(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    told = bus.listen(EVENTS, "inspection.recalls_proposed.v1")
    named(bus, db, "B1")
    id = failed(bus, db)
    for _ in range(2):
        tell(bus, "inspection.record_tests.v1", tests=[failed_test()])
    (proposal,) = bus.await_message(told).body["proposals"]
    assert (proposal["case_id"], proposal["test_id"], proposal["batch"]) == (id, "Q1", "B1")
    assert (proposal["state"], proposal["recall_class"], proposal["operator"]) == ("proposed", 2, OPERATOR)
    bus.await_empty(INSPECTION_TESTS.name, INSPECTION_TESTS.dead)
    assert not bus.take_all(told)
    (case,) = client.call("ListCases", recall=pb.RECALL_STATE_PROPOSED).cases
    assert (case.case_id, case.recall.batch, case.recall.test_id) == (id, "B1", "Q1")
    assert not client.call("ListCases", recall=pb.RECALL_STATE_WITHDRAWN).cases
    assert db.ledger.count_documents({"subject": id, "action": "propose_recall"}) == 1


def test_a_result_for_an_unknown_batch_is_parked_and_linked_when_trace_names_it(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    told = bus.listen(EVENTS, "inspection.recalls_proposed.v1")
    id = failed(bus, db)
    named(bus, db, "B2", event="E0")
    assert client.call("ListTests").tests[0].event_id == ""
    for _ in range(2):
        named(bus, db, "B1")
    eventually(lambda: client.call("ListTests").tests[0].event_id, lambda event: event == "E1")
    (proposal,) = bus.await_message(told).body["proposals"]
    assert proposal["case_id"] == id
    bus.await_empty(INSPECTION_FACTS.name, INSPECTION_FACTS.dead)
    assert not bus.take_all(told)
    assert db.ledger.count_documents({"action": "link"}) == 1
    # A laboratory's result for a batch that is known by now is linked at once.
    assert client.call("RecordTest", **report(qualified=True)).test.event_id == "E1"


def test_a_result_does_not_link_to_an_event_that_was_declared_wrong(worker: Process, bus: Bus, db: Any) -> None:
    failed(bus, db)
    at = datetime.now(UTC)
    db.marks.insert_one({"_id": "E1", "site": SITE, "time": at, "batches": ["B1"], "declared": True})
    named(bus, db, "B1")
    bus.await_empty(INSPECTION_FACTS.name, INSPECTION_FACTS.dead)
    named(bus, db, "B1", event="E2")
    await_count(db.tests, 1, event="E2")


def test_an_event_taken_in_while_its_worker_died_still_links(worker: Process, bus: Bus, db: Any) -> None:
    failed(bus, db)
    # As a worker leaves it that is killed between its two commits: the mark is there, the message comes again.
    db.marks.insert_one({"_id": "E1", "site": SITE, "time": datetime.now(UTC), "batches": ["B1"]})
    named(bus, db, "B1")
    await_count(db.tests, 1, event="E1")


def test_a_result_recorded_at_the_same_moment_as_its_event_links_when_either_is_told_again(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    failed(bus, db)
    fields = report(batch="B9", request_id="r-9")
    assert client.call("RecordTest", **fields).test.event_id == ""
    # Each was decided before the other's commit, and neither process lived to look again.
    at = datetime.now(UTC)
    db.marks.insert_many([{"_id": f"E{n}", "site": SITE, "time": at, "batches": [f"B{n}"]} for n in (1, 9)])
    tell(bus, "inspection.record_tests.v1", tests=[failed_test()])
    await_count(db.tests, 1, event="E1")
    client.call("RecordTest", **fields)
    assert db.tests.count_documents({"event": "E9"}) == db.tests.count_documents({"parked": {"$exists": True}}) + 1 == 1


def test_an_objection_goes_to_a_re_test_that_ends_the_case(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    recalls, tests = (
        bus.listen(EVENTS, "inspection.recalls_proposed.v1"),
        bus.listen(EVENTS, "inspection.tests_recorded.v1"),
    )
    named(bus, db, "B1")
    case = failed(bus, db)
    assert [test.test_id for test in client.call("ListTests", **OWNER).tests] == ["Q1"]
    objection: dict[str, Any] = {"test_id": "Q1", "reason": "自送样品合格", "evidence": ["自检报告"]}
    stranger = OWNER | {"operator": "uscc:other"}
    assert client.refusal("ObjectToTest", **objection, **stranger)[0] is grpc.StatusCode.NOT_FOUND
    assert client.refusal("ObjectToTest", test_id="Q1", **OWNER)[1] == "reason_required"
    assert client.refusal("RecordTest", **report(retest_of="Q1"))[1] == "no_objection"
    for _ in range(2):
        after = client.call("ObjectToTest", **objection, **OWNER, request_id="o-1").test
    assert (after.standing, after.objection.who) == (pb.STANDING_OBJECTED, "王秀兰")
    assert client.refusal("ObjectToTest", **objection, **OWNER)[1] == "objected_already"
    assert client.call("GetCase", case_id=case).case.contested
    penalty: dict[str, Any] = {"case_id": case, "penalty": pb.PENALTY_WARNING, "persons": ["王秀兰"]}
    assert client.refusal("DecidePenalty", **penalty)[1] == "objection_pending"

    quick = report(retest_of="Q1", kind=pb.TEST_KIND_RESIDUE_QUICK)
    assert client.refusal("RecordTest", **quick)[1] == "retest_quick"
    retest = report(retest_of="Q1", qualified=True, request_id="q-1")
    for _ in range(2):
        decided = client.call("RecordTest", **retest)
    assert (decided.case_id, decided.test.item, decided.test.batch) == (case, "有机磷类", "B1")
    closed = client.call("GetCase", case_id=case).case
    assert (closed.state, closed.rescinded, closed.recall.state) == (
        pb.CASE_STATE_CLOSED, True, pb.RECALL_STATE_WITHDRAWN
    )  # fmt: skip
    assert client.call("ListTasks").tasks[0].state == pb.TASK_STATE_CANCELLED
    states = [bus.await_message(recalls).body["proposals"][0]["state"] for _ in range(2)]
    assert states == ["proposed", "withdrawn"]
    standings = {
        test["id"]: test.get("standing", "stands") for _ in range(3) for test in bus.await_message(tests).body["tests"]
    }
    assert standings == {"Q1": "overturned", decided.test.test_id: "stands"}
    done = [line.action for line in client.call("ListLedger", subject="Q1").entries]
    assert sorted(done) == ["object", "overturn"]


def test_after_four_hours_a_quick_tests_result_stands(
    worker: Process, client: Client, bus: Bus, db: Any, ahead: Path
) -> None:
    failed(bus, db)
    until = client.call("ListTests").tests[0].object_until.ToDatetime(UTC)
    assert until - db.tests.find_one()["recorded_at"] == timedelta(hours=4)
    set_clock(ahead, 4 * 3600 + 60)
    code, rule, told = client.refusal("ObjectToTest", test_id="Q1", reason="不服", **OWNER)
    assert (code, rule) == (grpc.StatusCode.FAILED_PRECONDITION, "objection_late")
    assert told["until"].startswith(until.isoformat()[:19])


def test_a_laboratory_records_a_result_once_and_one_that_fails_opens_a_case(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    known(bus, db)
    first = client.call("RecordTest", **report())
    again = client.call("RecordTest", **report(test_time=first.test.test_time))
    assert (again.test.test_id, again.case_id) == (first.test.test_id, first.case_id)
    assert db.tests.count_documents({}) == db.cases.count_documents({}) == 1
    assert (first.test.site_name, first.test.division) == ("王记蔬菜批发", "370105")
    assert client.call("GetCase", case_id=first.case_id).case.item == "克百威"
    other = report(test_time=first.test.test_time, qualified=True)
    assert client.refusal("RecordTest", **other)[1] == "id_reused"
    assert client.refusal("RecordTest", **report("  "))[1] == "required"
    assert (
        client.refusal("RecordTest", **report(test_time=stamp(datetime.now(UTC) + timedelta(hours=1))))[1]
        == "time_future"
    )
    assert client.refusal("RecordTest", **report(category="moon"))[1] == "invalid_value"
    assert client.refusal("RecordTest", **report() | {"role": "regulator", "division": "370105"})[1] == "role"
    object_to = {"test_id": first.test.test_id, "reason": "不服"}
    client.call("ObjectToTest", **object_to)
    assert client.refusal("RecordTest", **report("2", retest_of=first.test.test_id))[1] == "retest_same_laboratory"
    other_one = report("2", retest_of=first.test.test_id) | {"who": "市检院"}
    assert client.call("RecordTest", **other_one).case_id == first.case_id
    assert client.call("ListTests", failed_only=True).tests[-1].standing == pb.STANDING_UPHELD
    (own,) = client.call("ListTests", **LABORATORY).tests
    assert own.test_id == first.test.test_id


def test_before_sampling_results_that_are_still_valid_are_found_wherever_they_were_taken(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    now = datetime.now(UTC)
    for number, days, item in (("a", 1, "克百威"), ("b", 170, "克百威"), ("c", 181, "克百威"), ("d", 1, "氧乐果")):
        client.call(
            "RecordTest", **report(number, qualified=True, item=item, test_time=stamp(now - timedelta(days=days)))
        )
    quick = failed_test("Q7", item="克百威", qualified=True, tested_at=(now - timedelta(days=4)).isoformat())
    tell(bus, "inspection.record_tests.v1", tests=[quick])
    await_count(db.tests, 5)
    asked: dict[str, Any] = {"batch": "B1", "item": "克百威", "division": "3702"}
    found: list[pb.SharedTest] = []
    token = ""
    while not found or token:
        page = client.call("FindSharedTests", **asked, page_size=1, page_token=token)
        found += page.tests
        token = page.next_page_token
    assert [(now - each.test.test_time.ToDatetime(UTC)).days for each in found] == [1, 170]
    assert all(each.valid_until.ToDatetime(UTC) > now for each in found)
    assert not client.call("FindSharedTests", **asked, method="气相色谱法").tests
    assert client.refusal("FindSharedTests", batch="B1")[1] == "required"
    bus.await_empty(INSPECTION_EVENTS.dead)
