"""Error declarations on the real stack: by a self-built system, an operator, a regulator; what follows, what stays."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from shilian.trace.v1 import evidence_pb2 as pb
from shilian.trace.v1 import trace_pb2
from shilian.trace.v1.evidence_pb2_grpc import EvidenceServiceStub
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub
from typer.testing import CliRunner

from clients.cli.__main__ import app
from contracts.corrections import DeclareErrorsV1, Declarer, ErrorReport, declaration_id
from contracts.topology import COMMANDS, EGRESS, EVENTS, INGEST, TRACE_DECLARATIONS
from contracts.trace import Step
from tests.bus import Bus
from tests.calls import Client
from tests.integration.test_trace_service import (
    FARM,
    NOON,
    SCHOOL,
    STALL,
    await_events,
    capture,
    chain,
    lot,
    record,
    walk,
)
from tests.processes import Process, eventually
from tests.stack import Database

Json = dict[str, Any]

SOURCE = "docking.formula"
FARMER: Json = {"role": "operator", "division": None, "operator_id": "o:farm"}


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database) -> Process:
    return spawn("services.trace", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()


@pytest.fixture
def evidence(start_api: Callable[..., Client], mongo: Database) -> Client:
    return start_api("services.trace", EvidenceServiceStub, mongo_url=mongo.url)


@pytest.fixture
def trace(start_api: Callable[..., Client], mongo: Database) -> Client:
    return start_api("services.trace", TraceServiceStub, mongo_url=mongo.url)


def report(event: str, source: str = SOURCE, *corrections: str) -> ErrorReport:
    return ErrorReport(
        id=declaration_id(event, Declarer.SOURCE, source, "数量误录", corrections),
        source=source,
        message_id=uuid4().hex,
        line=1,
        event_id=event,
        reason="数量误录",
        corrections=corrections,
        sent_at=NOON,
    )


def declare(bus: Bus, *reports: ErrorReport) -> None:
    body = DeclareErrorsV1(declarations=reports).model_dump_json().encode()
    bus.publish(COMMANDS, TRACE_DECLARATIONS.keys[0], body, ce_id=uuid4().hex)


def events_of(answer: trace_pb2.TraceResponse) -> set[str]:
    return {*answer.event_ids}


def verified(evidence: Client) -> list[str]:
    page = evidence.call("VerifyBlocks", pb.VerifyBlocksRequest(page_size=500), role="system", division=None)
    found = [each.fault for each in page.problems]
    while page.next_page_token:
        request = pb.VerifyBlocksRequest(page_size=500, page_token=page.next_page_token)
        page = evidence.call("VerifyBlocks", request, role="system", division=None)
        found += [each.fault for each in page.problems]
    return found


def test_a_system_declares_its_own_record_and_sends_the_right_one(
    worker: Process, spawn: Any, trace: Client, evidence: Client, bus: Bus, db: Any
) -> None:
    spawn("services.adapters.docking", "worker", amqp_url=bus.vhost.url).wait_ready()
    answers, told = bus.listen(EGRESS, SOURCE), bus.listen(EVENTS, "trace.errors_declared.v1")
    wrong = record("E1", Step.HARVEST, FARM, source=SOURCE)
    capture(bus, wrong)
    assert bus.await_message(answers).body["verdicts"][0]["outcome"] == "accepted"
    lines = [{"事件编号": "E1", "原因": "数量误录"}, {"事件编号": "E404", "原因": "并未发生"}]
    key = "docking.formula.declare_errors.v1"
    bus.publish(INGEST, key, {"明细": lines}, ce_id="d-1", ce_type="docking.declare_errors.v1")
    verdicts = bus.await_message(answers).body["verdicts"]
    assert [(each["record"], each["outcome"]) for each in verdicts] == [(1, "accepted"), (2, "accepted")]
    assert [flag["rule"] for flag in verdicts[1]["flags"]] == ["unknown_event"]
    (error,) = bus.await_message(told).body["errors"]
    assert (error["event"]["id"], error["by"], error["who"]) == ("E1", "source", SOURCE)

    capture(bus, wrong.model_copy(update={"outputs": lot("A", "5")}))
    verdict = bus.await_message(answers).body["verdicts"][0]
    assert (verdict["outcome"], verdict["event_id"]) == ("accepted", f"E1:{SOURCE}")
    assert events_of(walk(trace, "A", trace_pb2.DIRECTION_BACKWARD)) == {f"E1:{SOURCE}"}
    seen = trace.call("GetEvent", trace_pb2.GetEventRequest(event_id="E1"))
    assert (seen.event.outputs[0].quantity, seen.event.declaration_id) == ("10", error["id"])
    assert [(each.declared_by, each.reason, each.state) for each in seen.declarations] == [
        (SOURCE, "数量误录", "applied")
    ]
    assert verified(evidence) == []
    db.declarations.update_one({"event_id": "E1"}, {"$set": {"reason": "别的原因"}})
    assert verified(evidence) == ["event_changed"]


def test_a_declaration_waits_for_its_event_and_is_refused_to_another_source(
    worker: Process, evidence: Client, bus: Bus, db: Any
) -> None:
    told, answers = bus.listen(EVENTS, "trace.errors_declared.v1"), bus.listen(EGRESS, "catering")
    declare(bus, report("E1"), report("E2", "catering"))
    eventually(lambda: db.declarations.count_documents({"state": "pending"}), lambda count: count == 2)
    pending = evidence.call("ListDeclarations", pb.ListDeclarationsRequest(state="pending"), division="37")
    assert {each.event_id for each in pending.declarations} == {"E1", "E2"}
    assert not evidence.call("ListDeclarations", pb.ListDeclarationsRequest(), division="3701").declarations
    capture(bus, *(record(id, Step.HARVEST, FARM, id, source=SOURCE) for id in ("E1", "E2")))
    assert [each["event"]["id"] for each in bus.await_message(told).body["errors"]] == ["E1"]
    eventually(lambda: db.declarations.count_documents({"state": "pending"}), lambda count: count == 0)
    assert {row["event_id"]: row["state"] for row in db.declarations.find()} == {"E1": "applied", "E2": "refused"}
    assert [row["_id"] for row in db.events.find({"declared": {"$exists": True}})] == ["E1"]
    flagged, refused = (bus.await_message(answers).body["verdicts"][0] for _ in range(2))
    assert (flagged["outcome"], refused["outcome"]) == ("accepted", "rejected")
    assert refused["errors"][0]["rule"] == "not_own_event"
    applied = evidence.call("ListDeclarations", pb.ListDeclarationsRequest(), division="370102").declarations
    assert {each.event_id for each in applied} == {"E1", "E2"}

    declare(bus, report("E2", "catering"), report("E1"), report("E1", "market"))
    again = bus.await_message(answers).body["verdicts"][0]
    assert again["outcome"] == "rejected"
    dead = [bus.await_message(TRACE_DECLARATIONS.dead).body["declarations"] for _ in range(2)]
    assert [[each["source"] for each in refused] for refused in dead] == [["catering"], ["market"]]
    assert db.declarations.count_documents({}) == 2
    assert verified(evidence) == []


def test_a_worker_killed_before_it_looked_again_looks_when_told_again(worker: Process, bus: Bus, db: Any) -> None:
    """The event was announced before its declaration was committed as waiting, and the message comes once more."""
    told = report("E2")
    capture(bus, record("E1", Step.HARVEST, FARM, source=SOURCE))
    await_events(db, 1)
    declare(bus, told)
    eventually(lambda: db.declarations.find_one({"_id": told.id, "state": "pending"}))
    db.events.insert_one({**db.events.find_one({"_id": "E1"}), "_id": "E2"})
    declare(bus, told)
    eventually(lambda: db.events.find_one({"_id": "E2", "declared.id": told.id}))
    assert db.declarations.find_one({"_id": told.id})["state"] == "applied"


def test_marks_forged_or_taken_away_are_found(worker: Process, evidence: Client, bus: Bus, db: Any) -> None:
    capture(bus, *(record(id, Step.HARVEST, FARM, id, source=SOURCE) for id in ("E1", "E2")))
    await_events(db, 2)
    declare(bus, report("E1"))
    eventually(lambda: db.events.find_one({"declared": {"$exists": True}}))
    assert verified(evidence) == []
    mark = db.events.find_one({"_id": "E1"})["declared"]
    db.events.update_one({"_id": "E2"}, {"$set": {"declared": mark}})
    assert verified(evidence) == ["declaration_changed"]
    db.events.update_many({}, {"$unset": {"declared": 1}})
    assert verified(evidence) == ["declaration_changed"]


def test_stock_walks_and_handoffs_follow(worker: Process, trace: Client, evidence: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    handed = {"batch": "A", "from": FARM.site, "to": STALL.site}
    eventually(lambda: db.handoffs.find_one(handed), lambda row: bool(row and row.get("received")))
    request = pb.DeclareErrorRequest(request_id="1", event_id="E3", reason="收货登记有误")
    made = evidence.call("DeclareError", request, division="370103").declaration
    assert (made.declarer, made.declared_by, made.state) == ("regulator", "370103", "applied")
    assert "E3" not in events_of(walk(trace, "A", trace_pb2.DIRECTION_FORWARD))
    row = db.handoffs.find_one(handed)
    assert ([half["event"] for half in row["shipped"]], row["received"]) == (["E2"], [])
    changed = eventually(lambda: db.findings.find_one({"kind": "overdue_shipment", "event_id": "E2"}))
    assert changed["open"]

    declare(bus, report("E2", "market"), report("E1", "market"))
    eventually(lambda: db.declarations.count_documents({"state": "applied"}), lambda count: count == 3)
    closed = eventually(lambda: db.findings.find_one({"_id": changed["_id"], "open": False}))
    assert closed["version"] > changed["version"]
    counted = trace.call("CountFlags", trace_pb2.CountFlagsRequest())
    assert counted.events == 3


def test_an_operator_declares_its_own_and_no_other(worker: Process, evidence: Client, bus: Bus, db: Any) -> None:
    told = bus.listen(EVENTS, "trace.errors_declared.v1")
    capture(bus, *chain())
    await_events(db, 6)

    def ask(event: str, id: str = "1", **more: Any) -> pb.DeclareErrorRequest:
        return pb.DeclareErrorRequest(request_id=id, event_id=event, **{"reason": "重复录入", **more})

    first = evidence.call("DeclareError", ask("E1"), **FARMER).declaration
    assert (first.declarer, first.declared_by, first.operator_id) == ("operator", "o:farm", "o:farm")
    assert bus.await_message(told).body["errors"][0]["event"]["id"] == "E1"
    assert evidence.call("DeclareError", ask("E1"), **FARMER).declaration == first
    assert evidence.call("DeclareError", ask("E1", "2"), **FARMER).declaration == first
    more = evidence.call("DeclareError", ask("E1", "3", correction_ids=["E2"]), **FARMER).declaration
    assert (more.declaration_id != first.declaration_id, list(more.correction_ids)) == (True, ["E2"])
    assert db.events.find_one({"_id": "E1"})["declared"]["id"] == first.declaration_id
    # The stall's receipt names the farm, and is the stall's.
    assert evidence.status("DeclareError", ask("E3", "4"), **FARMER) == grpc.StatusCode.NOT_FOUND
    assert evidence.status("DeclareError", ask("E1", "5"), division="3713") == grpc.StatusCode.NOT_FOUND
    assert evidence.status("DeclareError", ask("E404", "6"), division="37") == grpc.StatusCode.NOT_FOUND
    assert evidence.status("DeclareError", ask("E1", "7", reason=" "), **FARMER) == grpc.StatusCode.INVALID_ARGUMENT
    assert evidence.status("DeclareError", ask("E1", ""), **FARMER) == grpc.StatusCode.INVALID_ARGUMENT
    listed = evidence.call("ListDeclarations", pb.ListDeclarationsRequest(page_size=1), **FARMER)
    assert len(listed.declarations) == 1
    rest = pb.ListDeclarationsRequest(page_size=1, page_token=listed.next_page_token)
    assert not evidence.call("ListDeclarations", rest, **FARMER).next_page_token
    assert db.audit.count_documents({"method": {"$regex": "DeclareError"}, "operator_id": "o:farm"})
    assert verified(evidence) == []


def test_people_declare_and_list_by_command(worker: Process, evidence: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    where = ["--grpc-trace", evidence.address, "--token", evidence.token(), "--format", "json"]
    words = ["trace", "declare", "E5", "--reason", "批次录错", "--correction", "E7", "--correction", "E8"]
    made = json.loads(CliRunner().invoke(app, [*words, *where]).stdout)["declaration"]
    assert (made["event_id"], made["correction_ids"], made["state"]) == ("E5", ["E7", "E8"], "applied")
    listed = json.loads(CliRunner().invoke(app, ["trace", "declarations", "--event", "E5", *where]).stdout)
    assert listed["declarations"] == [made]
    assert SCHOOL.division in {made["division"]}


def test_many_at_once_over_bus_and_calls_are_all_sealed(
    worker: Process, spawn: Any, mongo: Database, evidence: Client, bus: Bus, db: Any
) -> None:
    spawn("services.trace", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url, batch_size=1).wait_ready()
    ids = [f"E{number:02}" for number in range(40)]
    capture(bus, *(record(id, Step.HARVEST, FARM, id, source=SOURCE) for id in ids[:20]))
    await_events(db, 20)
    for id in ids[:30]:
        declare(bus, report(id))
        if int(id[1:]) % 10 == 0:
            request = pb.DeclareErrorRequest(request_id=id, event_id="E05", reason=f"第{id}次")
            evidence.call("DeclareError", request)
    capture(bus, *(record(id, Step.HARVEST, FARM, id, source=SOURCE) for id in ids[20:]))
    eventually(lambda: db.events.count_documents({"declared.at": {"$exists": True}}), lambda count: count == 30)
    eventually(lambda: db.declarations.count_documents({"state": "applied"}), lambda count: count == 33)
    assert verified(evidence) == []
