"""Walks as callers ask for them: every start, every bound, page by page, on real processes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from shilian.trace.v1 import trace_pb2 as pb
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub

from contracts.trace import Document, Lot, Step
from tests.bus import Bus
from tests.calls import Client
from tests.integration.test_trace_service import FARM, NOON, SCHOOL, STALL, await_events, capture, chain, lot, record
from tests.processes import Process
from tests.stack import Database

FORWARD, BACKWARD = pb.DIRECTION_FORWARD, pb.DIRECTION_BACKWARD
PIG = "137010200000001"


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database) -> Process:
    return spawn("services.trace", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()


@pytest.fixture
def client(worker: Process, start_api: Callable[..., Client], mongo: Database) -> Client:
    return start_api("services.trace", TraceServiceStub, mongo_url=mongo.url)


def asked(client: Client, direction: Any, **fields: Any) -> pb.TraceResponse:
    response: pb.TraceResponse = client.call("Trace", pb.TraceRequest(direction=direction, **fields))
    return response


def nodes(answer: pb.TraceResponse) -> set[tuple[str, str]]:
    return {(node.batch, node.site_id) for node in answer.nodes}


def pages(client: Client, size: int, **fields: Any) -> list[pb.TraceResponse]:
    found = [asked(client, page_size=size, **fields)]
    while found[-1].next_page_token:
        found.append(asked(client, page_size=size, page_token=found[-1].next_page_token, **fields))
    return found


def test_pages_add_up_to_the_chain(client: Client, bus: Bus, db: Any) -> None:
    stored = record("E7", Step.STORING, STALL, hour=2)
    capture(bus, *chain(), stored)
    await_events(db, 7)
    whole = asked(client, FORWARD, batch="A", site_id=FARM.site)
    read = pages(client, 1, direction=FORWARD, batch="A", site_id=FARM.site)
    assert [len(page.nodes) for page in read] == [1] * 4
    assert {page.total_nodes for page in read} == {4}
    assert len({page.as_of.ToNanoseconds() for page in read}) == 1
    for part in ("nodes", "edges", "gaps"):
        assert [one for page in read for one in getattr(page, part)] == list(getattr(whole, part)), part
    events = [id for page in read for id in page.event_ids]
    assert (len(events), set(events)) == (6, set(whole.event_ids))
    assert set(whole.event_ids) == {"E2", "E3", "E4", "E5", "E6", "E7"}
    # The edge that reaches a node comes with it.
    assert [edge.to.batch for edge in read[-1].edges] == ["M"]


def test_page_of_a_chain_that_changed_is_refused_and_what_came_later_is_left_out(
    client: Client, bus: Bus, db: Any
) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    first = asked(client, FORWARD, batch="A", page_size=1)
    capture(bus, record("E8", Step.SHIPPING, SCHOOL, hour=6, counterparty=FARM))
    await_events(db, 7)
    rest = asked(client, FORWARD, batch="A", page_size=9, page_token=first.next_page_token)
    assert "E8" not in {*first.event_ids, *rest.event_ids}
    db.events.update_one({"_id": "E6"}, {"$set": {"declared": "D1"}})
    again = pb.TraceRequest(direction=FORWARD, batch="A", page_size=9, page_token=first.next_page_token)
    assert client.status("Trace", again) == grpc.StatusCode.ABORTED
    other = pb.TraceRequest(direction=FORWARD, batch="B", page_token=first.next_page_token)
    assert client.status("Trace", other) == grpc.StatusCode.INVALID_ARGUMENT


def test_walk_begins_at_a_paper_or_an_animal(client: Client, bus: Bus, db: Any) -> None:
    pig = (Lot(batch="P", product="生猪", ear_tags=(PIG,)), Lot(batch="Q", product="生猪"))
    paper = Document(
        kind="quarantine",
        number="鲁A-001",
        form="animal_b",
        issuer="历城区",
        issued_on=NOON.date(),
        quantity=2,
        unit="HEA",
    )
    driven = record("E1", Step.SHIPPING, FARM, counterparty=STALL, documents=(paper,), inputs=pig, outputs=pig)
    killed = record(
        "E2", Step.SLAUGHTER, STALL, hour=2, production_line="2号线", inputs=(pig[0],), outputs=lot("pork", "80")
    )
    capture(bus, driven, killed, record("E3", Step.SHIPPING, STALL, "pork", 3, counterparty=SCHOOL))
    await_events(db, 3)
    farm, stall, school = (site.site for site in (FARM, STALL, SCHOOL))
    animal = {("P", farm), ("P", stall), ("pork", stall), ("pork", school)}
    assert nodes(asked(client, FORWARD, ear_tag=PIG)) == animal
    assert nodes(asked(client, FORWARD, document_number=" 鲁a-001")) == animal | {("Q", farm), ("Q", stall)}
    assert nodes(asked(client, BACKWARD, document_number="d-E3")) == animal
    assert nodes(asked(client, FORWARD, batch="pork", operator_id=STALL.operator)) == {
        ("pork", stall),
        ("pork", school),
    }
    assert nodes(asked(client, FORWARD, batch="pork", operator_id=SCHOOL.operator)) == {("pork", school)}
    unknown = pb.TraceRequest(direction=FORWARD, document_number="X9")
    assert client.status("Trace", unknown) == grpc.StatusCode.NOT_FOUND

    event = client.call("GetEvent", pb.GetEventRequest(event_id="E1")).event
    [shown] = event.documents
    assert (shown.form, shown.issued_on, shown.valid_until, shown.quantity, shown.unit) == (
        "animal_b", "2026-01-05", "", "2", "HEA",
    )  # fmt: skip
    assert (list(event.inputs[0].ear_tags), set(event.references)) == ([PIG], {"D-E1", "鲁A-001", PIG})
    assert client.call("GetEvent", pb.GetEventRequest(event_id="E2")).event.production_line == "2号线"


def test_time_bounds_and_respects(client: Client, bus: Bus, db: Any) -> None:
    """The stall sold to the school a day before it got the goods."""
    early = record("E4", Step.SHIPPING, STALL, hour=-24, counterparty=SCHOOL)
    capture(bus, record("E1", Step.HARVEST, FARM), record("E2", Step.SHIPPING, FARM, hour=1, counterparty=STALL), early)
    await_events(db, 3)
    at = {"batch": "A", "site_id": FARM.site}
    assert {site for _, site in nodes(asked(client, FORWARD, **at))} == {FARM.site, STALL.site}
    anyhow = asked(client, FORWARD, any_order=True, **at)
    assert {site for _, site in nodes(anyhow)} == {FARM.site, STALL.site, SCHOOL.site}
    before = asked(client, FORWARD, any_order=True, until_time=NOON - timedelta(hours=12), batch="A")
    assert {site for _, site in nodes(before)} == {STALL.site, SCHOOL.site}
    shallow = asked(client, FORWARD, any_order=True, max_depth=1, **at)
    assert [(gap.kind, gap.node.site_id) for gap in shallow.gaps] == [("depth_limit", STALL.site)]
    assert not shallow.complete


WRONG: dict[str, dict[str, Any]] = {
    "batch": {},
    "batch ": {"batch": "A", "ear_tag": PIG},
    "max_depth": {"batch": "A", "max_depth": 101},
    "max_nodes": {"batch": "A", "max_nodes": -1},
    "until_time": {"batch": "A", "from_time": NOON, "until_time": NOON},
    "page_size": {"batch": "A", "page_size": -1},
    "page_token": {"batch": "A", "page_token": "rubbish"},
}


def test_wrong_question_is_refused_by_its_field(start_api: Callable[..., Client], mongo: Database) -> None:
    client = start_api("services.trace", TraceServiceStub, mongo_url=mongo.url)
    for field, fields in WRONG.items():
        with pytest.raises(grpc.RpcError) as refused:
            asked(client, FORWARD, **fields)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert field.strip() in str(refused.value.details())
