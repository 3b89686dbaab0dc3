"""Tamper evidence as an auditor meets it: workers killed and redelivered to, a store tampered with, then verified."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from shilian.trace.v1 import evidence_pb2 as pb
from shilian.trace.v1.evidence_pb2_grpc import EvidenceServiceStub
from typer.testing import CliRunner, Result

from clients.cli.__main__ import app
from contracts.topology import EGRESS, TRACE_CAPTURE
from contracts.trace import Record, Step
from services.trace.evidence.verifying import Fault
from tests.bus import Bus
from tests.calls import Client
from tests.integration.test_trace_service import FARM, NOON, await_events, capture, facts, record, register
from tests.processes import Process, eventually
from tests.stack import Database

Json = dict[str, Any]
Verify = Callable[..., Result]


@pytest.fixture
def start_worker(spawn: Callable[..., Process], bus: Bus, mongo: Database) -> Callable[..., Process]:
    return lambda **more: spawn(
        "services.trace", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url, **more
    ).wait_ready()


@pytest.fixture
def client(start_api: Callable[..., Client], mongo: Database) -> Client:
    return start_api("services.trace", EvidenceServiceStub, mongo_url=mongo.url)


@pytest.fixture
def verify(client: Client) -> Verify:
    """Runs `shilian verify`."""
    where = ["--grpc-trace", client.address, "--token", client.token(role="overseer")]
    return lambda *words: CliRunner().invoke(app, ["verify", "--format", "json", *map(str, words), *where])


def harvested(*numbers: int) -> list[Record]:
    return [record(f"E{number:03}", Step.HARVEST, FARM, f"B{number}") for number in numbers]


def faults(answer: Result) -> set[str]:
    assert answer.exit_code == 1, answer.output
    return {problem["fault"] for problem in json.loads(answer.stdout)["problems"]}


def clean(answer: Result) -> Json:
    assert answer.exit_code == 0, answer.output
    told: Json = json.loads(answer.stdout)
    assert told["problems"] == []
    return told


@pytest.fixture
def recorded(start_worker: Callable[..., Process], bus: Bus, db: Any) -> Any:
    """Four blocks of three events in one lane; the database."""
    start_worker()
    for first in (0, 3, 6, 9):
        capture(bus, *harvested(first, first + 1, first + 2))
        await_events(db, first + 3)
    return db


def test_two_workers_killed_and_redelivered_to_verify_clean(
    start_worker: Callable[..., Process], verify: Verify, bus: Bus, db: Any
) -> None:
    workers = [start_worker(batch_size=4, linger_ms=1) for _ in range(2)]
    answers = bus.listen(EGRESS, "market")
    told: list[str] = []
    for first in range(0, 400, 5):
        capture(bus, *harvested(*range(first, first + 10)))
        if first in (100, 300):
            workers[0].kill()
            workers[0].restart()

    def answered() -> int:
        told.extend(each["outcome"] for taken in bus.take_all(answers) for each in taken.body["verdicts"])
        return len(told)

    eventually(answered, lambda count: count >= 800 and bus.ready(TRACE_CAPTURE.name) == 0)
    eventually(lambda: db.events.count_documents({}), lambda count: count == 405)
    found = clean(verify())
    assert found["events"] == 405
    assert found["blocks"] == db.blocks.count_documents({})
    assert 2 <= found["lanes"] <= db.lanes.count_documents({}) <= 12


def test_a_lane_is_taken_over_once_its_worker_is_gone(
    start_worker: Callable[..., Process], verify: Verify, bus: Bus, db: Any
) -> None:
    first = start_worker()
    capture(bus, *harvested(1))
    await_events(db, 1)
    first.kill()
    db.lanes.update_many({}, {"$set": {"lease_until": db.lanes.find_one()["lease_until"].replace(year=2020)}})
    start_worker()
    capture(bus, *harvested(2))
    await_events(db, 2)
    assert sorted(row["_id"] for row in db.blocks.find()) == ["1/0000000001", "1/0000000002"]
    clean(verify())


def test_a_number_that_is_taken_is_nobody_elses_lane(
    start_worker: Callable[..., Process], verify: Verify, bus: Bus, db: Any
) -> None:
    """As when two workers make a lane at once, or a row was lost."""
    db.lanes.insert_one({"_id": "2", "holder": "another", "lease_until": NOON.replace(year=2999)})
    start_worker()
    capture(bus, *harvested(1))
    await_events(db, 1)
    assert [row["lane"] for row in db.blocks.find()] == ["3"]
    clean(verify())


def test_a_lane_held_by_two_stays_one_chain(
    start_worker: Callable[..., Process], verify: Verify, bus: Bus, db: Any
) -> None:
    """As when a worker stood still for longer than its lease: it meets the number that the other one took."""
    stood = start_worker()
    capture(bus, *harvested(1))
    await_events(db, 1)
    lane = db.lanes.find_one()
    db.lanes.update_one({"_id": lane["_id"]}, {"$set": {"lease_until": lane["lease_until"].replace(year=2020)}})
    other = start_worker()
    for number in range(2, 8):
        capture(bus, *harvested(number))
        await_events(db, number)
    stood.stop()
    other.stop()
    assert clean(verify())["events"] == 7


def test_an_event_placed_later_is_no_change(
    start_worker: Callable[..., Process], verify: Verify, bus: Bus, db: Any
) -> None:
    start_worker()
    unplaced = FARM.model_copy(update={"division": None, "operator": None})
    capture(bus, record("E1", Step.HARVEST, unplaced))
    await_events(db, 1)
    register(bus, db, facts(FARM))
    eventually(lambda: db.events.count_documents({"division": "370102"}))
    capture(bus, record("E1", Step.HARVEST, unplaced, source="one_network"))
    eventually(lambda: db.events.count_documents({"also_from": "one_network"}))
    clean(verify())
    db.events.update_one({"_id": "E1"}, {"$set": {"site": "licence:X"}})
    assert faults(verify()) == {Fault.EVENT_CHANGED}


def test_changed_event_is_found(recorded: Any, verify: Verify) -> None:
    assert clean(verify())["events"] == 12
    recorded.events.update_one({"_id": "E004"}, {"$set": {"lots.outputs.0.product": "菠菜"}})
    answer = verify()
    assert faults(answer) == {Fault.EVENT_CHANGED}
    [problem] = json.loads(answer.stdout)["problems"]
    assert problem["block"] == recorded.events.find_one({"_id": "E004"})["block"]


def test_removed_event_is_found(recorded: Any, verify: Verify) -> None:
    recorded.events.delete_one({"_id": "E004"})
    assert faults(verify()) == {Fault.EVENT_REMOVED}


def test_inserted_event_is_found_with_and_without_a_block(recorded: Any, verify: Verify) -> None:
    event = recorded.events.find_one({"_id": "E004"})
    recorded.events.insert_one({**event, "_id": "E900"})
    assert faults(verify()) == {Fault.EVENT_INSERTED}
    recorded.events.update_one({"_id": "E900"}, {"$unset": {"block": 1}})
    assert faults(verify()) == {Fault.EVENT_UNSEALED}
    for block in ("9/0000000001", "1/0000000000", "1", "declarations", "", "x", 1, None, ["1/0000000001"], {"a": 1}):
        recorded.events.update_one({"_id": "E900"}, {"$set": {"block": block}})
        assert faults(verify()) <= {Fault.EVENT_UNSEALED, Fault.EVENT_INSERTED}, block


def test_removed_block_is_found(recorded: Any, verify: Verify) -> None:
    block = recorded.events.find_one({"_id": "E004"})["block"]
    recorded.events.delete_many({"block": block})
    recorded.blocks.delete_one({"_id": block})
    assert faults(verify()) == {Fault.BLOCK_MISSING}


def test_blocks_in_another_order_are_found(recorded: Any, verify: Verify) -> None:
    two, three = (recorded.blocks.find_one({"number": number}) for number in (2, 3))
    for row, other in ((two, three), (three, two)):
        recorded.blocks.replace_one({"_id": row["_id"]}, {**other, "_id": row["_id"], "number": row["number"]})
        recorded.events.update_many({"block": row["_id"]}, {"$set": {"moving": other["_id"]}})
    recorded.events.update_many({"moving": {"$exists": True}}, [{"$set": {"block": "$moving"}}, {"$unset": "moving"}])
    assert faults(verify()) == {Fault.BLOCK_CHANGED}


def test_cut_tail_is_found_with_an_anchor_kept_elsewhere(recorded: Any, verify: Verify, tmp_path: Path) -> None:
    anchor = tmp_path / "heads.json"
    clean(verify("--anchor", anchor))
    noted = json.loads(anchor.read_text())
    assert {head["number"] for head in noted.values()} == {4}
    clean(verify("--anchor", anchor))
    recorded.blocks.delete_one({"number": 4})
    recorded.events.delete_many({"_id": {"$gte": "E009"}})
    clean(verify())
    assert faults(verify("--anchor", anchor)) == {Fault.LANE_CUT}
    assert json.loads(anchor.read_text()) == noted
    recorded.blocks.delete_many({})
    recorded.events.delete_many({})
    assert faults(verify("--anchor", anchor)) == {Fault.LANE_CUT}


def test_pages_of_one_block_come_to_the_same(recorded: Any, client: Client) -> None:
    recorded.events.update_one({"_id": "E007"}, {"$set": {"document": "other"}})
    request = pb.VerifyBlocksRequest(page_size=1)
    seen, problems = 0, []
    while True:
        page = client.call("VerifyBlocks", request, role="system")
        seen += page.blocks
        problems += [each.fault for each in page.problems]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert (seen, problems, page.head.number) == (4, [Fault.EVENT_CHANGED], 4)
    [lane] = {row["lane"] for row in recorded.blocks.find()}
    part = client.call("VerifyBlocks", pb.VerifyBlocksRequest(lane=lane, from_number=1, until_number=2))
    assert (part.blocks, part.events, list(part.problems), part.next_page_token) == (2, 6, [], "")


def test_who_may_verify(client: Client) -> None:
    ask = pb.VerifyBlocksRequest()
    assert client.status("VerifyBlocks", ask, role="operator", operator_id="o:1") == grpc.StatusCode.PERMISSION_DENIED
    wrong = pb.VerifyBlocksRequest(from_number=2)
    assert client.status("VerifyBlocks", wrong) == grpc.StatusCode.INVALID_ARGUMENT
