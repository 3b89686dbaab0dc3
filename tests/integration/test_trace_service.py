"""Trace as its neighbours meet it: real worker and api processes on a real broker and a real database."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import grpc
import pytest
from shilian.trace.v1 import trace_pb2 as pb
from shilian.trace.v1.trace_pb2_grpc import TraceServiceStub

from contracts.registry import Alias, OperatorState, SiteFacts, SitesAliasedV1, SitesChangedV1
from contracts.topology import COMMANDS, EGRESS, EVENTS, TRACE_CAPTURE
from contracts.trace import CaptureV1, Document, Lot, Party, Record, Step
from tests.bus import Bus
from tests.calls import Client
from tests.processes import Process, eventually
from tests.stack import Database

Json = dict[str, Any]

NOON = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)
FARM = Party(site="uscc:farm", operator="o:farm", name="绿源农场", division="370102")
STALL = Party(site="market:9", operator="o:stall", name="张三蔬菜", division="370103")
SCHOOL = Party(site="licence:JY1", operator="o:school", name="实验小学食堂", division="371302")


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database) -> Process:
    return spawn("services.trace", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()


@pytest.fixture
def client(start_api: Callable[..., Client], mongo: Database) -> Client:
    return start_api("services.trace", TraceServiceStub, mongo_url=mongo.url)


def walk(client: Client, batch: str, direction: Any, **caller: Any) -> pb.TraceResponse:
    response: pb.TraceResponse = client.call("Trace", pb.TraceRequest(batch=batch, direction=direction), **caller)
    return response


def lot(batch: str, quantity: str = "10") -> tuple[Lot, ...]:
    return (Lot(batch=batch, product="大白菜", quantity=Decimal(quantity), unit="KGM"),)


def record(id: str, step: Step, site: Party, batch: str = "A", hour: int = 0, **more: Any) -> Record:
    lots = {"outputs": lot(batch)} if step is Step.HARVEST else {"inputs": lot(batch), "outputs": lot(batch)}
    at = NOON + timedelta(hours=hour)
    told = {
        "source": "market",
        "message_id": f"m-{id}",
        "line": 1,
        "document": f"d-{id}",
        "sent_at": at,
        **lots,
        **more,
    }
    return Record(id=id, step=step, time=at, site=site, **told)


def chain() -> list[Record]:
    """Farm to stall to school, all halves told."""
    cooked: Json = {"inputs": lot("A", "10"), "outputs": lot("M", "30")}
    return [
        record("E1", Step.HARVEST, FARM),
        record("E2", Step.SHIPPING, FARM, hour=1, counterparty=STALL),
        record("E3", Step.RECEIVING, STALL, hour=2, counterparty=FARM),
        record("E4", Step.SHIPPING, STALL, hour=3, counterparty=SCHOOL),
        record("E5", Step.RECEIVING, SCHOOL, hour=4, counterparty=STALL, source="catering"),
        record("E6", Step.KITCHEN_USE, SCHOOL, hour=5, source="catering", **cooked),
    ]


def capture(bus: Bus, *records: Record) -> None:
    body = CaptureV1(records=records).model_dump_json(exclude_defaults=True).encode()
    bus.publish(COMMANDS, TRACE_CAPTURE.keys[0], body, ce_id=uuid4().hex)


def await_events(db: Any, count: int) -> None:
    eventually(lambda: db.events.count_documents({}), lambda found: found == count)


def facts(party: Party, version: int = 1, **more: Any) -> SiteFacts:
    told: Json = {"name": f"{party.name}(登记)", "operator_name": "某公司", "state": OperatorState.ACTIVATED}
    told |= {"licence": "JY13701050012345", "licence_valid_until": date(2027, 6, 30)}
    return SiteFacts(
        site=party.site or "", operator=party.operator or "", version=version, division=party.division, **(told | more)
    )


def register(bus: Bus, db: Any, *told: SiteFacts) -> None:
    body = SitesChangedV1(sites=told).model_dump_json().encode()
    bus.publish(EVENTS, "registry.sites_changed.v1", body, ce_id=uuid4().hex)
    wanted = {site.site: site.version for site in told}
    eventually(
        lambda: {row["_id"]: row.get("version") for row in db.sites.find()}, lambda seen: wanted.items() <= seen.items()
    )


def test_records_become_events_announced_and_answered_once(worker: Process, bus: Bus, db: Any) -> None:
    announced, market = bus.listen(EVENTS, "trace.events_recorded.v1"), bus.listen(EGRESS, "market")
    catering = bus.listen(EGRESS, "catering")
    capture(bus, *chain())
    facts = bus.await_message(announced).body["events"]
    assert [event["id"] for event in facts] == [f"E{n}" for n in range(1, 7)]
    assert facts[1]["counterparty"] == STALL.site
    verdicts = bus.await_message(market).body["verdicts"]
    assert {(v["event_id"], v["outcome"]) for v in verdicts} == {(f"E{n}", "accepted") for n in range(1, 5)}
    assert len(bus.await_message(catering).body["verdicts"]) == 2
    assert db.events.count_documents({}) == 6

    capture(bus, *chain())
    again = bus.await_message(market).body["verdicts"]
    assert {(v["event_id"], v["outcome"]) for v in again} == {(f"E{n}", "duplicate") for n in range(1, 5)}
    assert db.events.count_documents({}) == 6
    assert bus.ready(announced) == 0


def test_reused_id_goes_dead_alone_and_is_answered(worker: Process, bus: Bus, db: Any) -> None:
    market = bus.listen(EGRESS, "market")
    first, other = record("E1", Step.HARVEST, FARM), record("E2", Step.HARVEST, FARM, "B")
    changed = record("E1", Step.HARVEST, FARM, outputs=lot("A", "99"), message_id="m-9")
    capture(bus, first)
    assert bus.await_message(market).body["verdicts"][0]["outcome"] == "accepted"
    for _ in range(2):
        capture(bus, changed, other)
        verdicts = bus.await_message(market).body["verdicts"]
        rejected = next(v for v in verdicts if v["outcome"] == "rejected")
        assert (rejected["message_id"], rejected["errors"][0]["rule"]) == ("m-9", "id_reused")
    assert {row["_id"] for row in db.events.find()} == {"E1", "E2"}

    dead = [bus.await_message(TRACE_CAPTURE.dead) for _ in range(2)]
    assert len({letter.headers["x-shilian-message-id"] for letter in dead}) == 1
    assert [r["id"] for r in dead[0].body["records"]] == ["E1"]
    assert (dead[0].headers["x-shilian-reason"], dead[0].headers["x-shilian-records"]) == ("id_reused", 1)


def test_a_clean_down_has_no_goods_and_an_event_tells_its_papers_and_how_complete_it_is(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    cleaned = record("E1", Step.CLEANING, FARM, inputs=(), outputs=(), production_line="3号线")
    paper = Document(kind="quarantine", number="37 01", form="animal_b", issuer="章丘", valid_until=date(2026, 1, 5))
    pigs = (Lot(batch="P", quantity=Decimal(2), unit="HEA", ear_tags=("137018100000001", "137018100000002")),)
    killed = record("E2", Step.SLAUGHTER, FARM, inputs=pigs, outputs=lot("M"), documents=(paper,))
    trip = record("E3", Step.CHECKPOINT, FARM, "P")
    capture(bus, cleaned, killed, trip)
    await_events(db, 3)
    told = {id: client.call("GetEvent", pb.GetEventRequest(event_id=id)) for id in ("E1", "E2", "E3")}
    assert (told["E1"].event.production_line, list(told["E1"].event.inputs)) == ("3号线", [])
    assert [(one.kind, one.form, one.issuer, one.valid_until) for one in told["E2"].event.documents] == [
        ("quarantine", "animal_b", "章丘", "2026-01-05")
    ]
    assert list(told["E2"].event.references) == ["d-E2".upper(), "3701", *pigs[0].ear_tags]
    assert {id: answer.completeness for id, answer in told.items()} == {"E1": 1, "E2": 1, "E3": 0}


def test_same_event_from_two_apps_is_one_event(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    answers = bus.listen(EGRESS, "one_network")
    told = record("E1", Step.HARVEST, FARM)
    capture(bus, told)
    capture(bus, told.model_copy(update={"source": "one_network"}))
    assert bus.await_message(answers).body["verdicts"][0]["outcome"] == "duplicate"
    event = client.call("GetEvent", pb.GetEventRequest(event_id="E1")).event
    assert (event.source, list(event.also_from)) == ("market", ["one_network"])


def test_two_workers_record_everything_once(worker: Process, spawn: Any, bus: Bus, mongo: Database, db: Any) -> None:
    spawn("services.trace", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()
    market = bus.listen(EGRESS, "market")
    for number in range(40):
        capture(bus, *(record(f"E{n % 100}", Step.HARVEST, FARM, f"B{n % 100}") for n in range(number, number + 50)))
    outcomes: list[str] = []

    def told() -> int:
        outcomes.extend(v["outcome"] for taken in bus.take_all(market) for v in taken.body["verdicts"])
        return len(outcomes)

    eventually(told, lambda count: count == 2000)
    assert outcomes.count("accepted") == db.events.count_documents({}) == 89


def test_registry_flags_and_later_places_events(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    unplaced = FARM.model_copy(update={"division": None, "operator": None})
    capture(bus, record("E1", Step.HARVEST, unplaced))
    await_events(db, 1)
    assert client.status("GetEvent", pb.GetEventRequest(event_id="E1")) == grpc.StatusCode.NOT_FOUND
    register(bus, db, facts(FARM))
    eventually(lambda: db.events.count_documents({"division": "370102"}))
    event = client.call("GetEvent", pb.GetEventRequest(event_id="E1"), division="370102").event
    assert [flag.rule for flag in event.flags] == ["operator_unregistered"]
    assert (event.site_name, event.operator_id) == ("绿源农场(登记)", "o:farm")

    register(bus, db, facts(FARM, 3, state=OperatorState.SUSPENDED))
    old = SitesChangedV1(sites=(facts(FARM, 2),)).model_dump_json().encode()
    bus.publish(EVENTS, "registry.sites_changed.v1", old, ce_id=uuid4().hex)
    register(bus, db, facts(STALL))
    capture(bus, record("E2", Step.HARVEST, FARM, "B"))
    await_events(db, 2)
    flags = client.call("GetEvent", pb.GetEventRequest(event_id="E2")).event.flags
    assert [flag.rule for flag in flags] == ["operator_suspended"]


def test_shipment_proposes_its_receipt_once(worker: Process, bus: Bus, db: Any) -> None:
    register(bus, db, facts(SCHOOL, sources=("catering", "one_network")), facts(STALL))
    proposed = {source: bus.listen(EGRESS, source) for source in ("catering", "one_network")}
    capture(bus, record("E0", Step.RECEIVING, SCHOOL, "B", counterparty=STALL, source="catering"))
    await_events(db, 1)
    assert bus.await_message(proposed["catering"]).body["verdicts"]
    jin = (lot("A")[0].model_copy(update={"quantity_text": "20 斤"}),)
    capture(bus, record("E4", Step.SHIPPING, STALL, counterparty=SCHOOL, inputs=jin, outputs=jin))
    for queue in proposed.values():
        proposal = bus.await_message(queue).body
        assert (proposal["event_id"], proposal["receiver_site"]) == ("E4", SCHOOL.site)
        assert proposal["lines"][0] == {
            "batch": "A", "product": "大白菜", "category": "other", "quantity": "10", "unit": "KGM",
        }  # fmt: skip

    crates = (Lot(batch="B", product="大白菜", quantity_text="3 筐"),)
    capture(bus, record("E7", Step.SHIPPING, STALL, counterparty=SCHOOL, inputs=crates, outputs=crates))
    proposal = bus.await_message(proposed["one_network"]).body
    assert (proposal["event_id"], proposal["lines"][0]["quantity_text"]) == ("E7", "3 筐")
    assert bus.ready(proposed["catering"]) == 0


def test_meal_is_traced_back_to_its_farm_and_forward_to_its_holder(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    register(bus, db, facts(FARM), facts(STALL), facts(SCHOOL))
    capture(bus, *chain())
    await_events(db, 6)
    back = walk(client, "M", pb.DIRECTION_BACKWARD)
    assert list(back.event_ids) == ["E1", "E2", "E3", "E4", "E5", "E6"]
    assert back.complete
    told = {(getattr(edge, "from").site_id, edge.to.site_id, edge.to.batch, edge.quantity) for edge in back.edges}
    assert told == {
        (FARM.site, STALL.site, "A", "10"),
        (STALL.site, SCHOOL.site, "A", "10"),
        (SCHOOL.site, SCHOOL.site, "M", "10"),
    }
    names = {node.site_id: (node.site_name, node.operator_name, node.division) for node in back.nodes}
    assert names[FARM.site or ""] == ("绿源农场(登记)", "某公司", "370102")
    holders = client.call("ListHolders", pb.ListHoldersRequest(batch="A"))
    assert [(h.node.batch, h.node.site_id, h.quantity, h.state) for h in holders.holders] == [
        ("M", SCHOOL.site, "30", "held")
    ]


def test_callers_see_what_is_theirs(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    beyond = walk(client, "A", pb.DIRECTION_FORWARD, division="371300")
    assert {edge.quantity for edge in beyond.edges if edge.to.site_id == STALL.site} == {""}
    ask = pb.TraceRequest(batch="A", direction=pb.DIRECTION_FORWARD)
    assert client.status("Trace", ask, division="370200") == grpc.StatusCode.NOT_FOUND
    stall = {"role": "operator", "operator_id": "o:stall"}
    assert {edge.to.site_id for edge in walk(client, "A", pb.DIRECTION_FORWARD, **stall).edges} == {SCHOOL.site}
    seen = client.call("QueryEvents", pb.QueryEventsRequest(), **stall).events
    assert {event.event_id for event in seen} == {"E2", "E3", "E4", "E5"}
    assert client.status("GetEvent", pb.GetEventRequest(event_id="E6"), **stall) == grpc.StatusCode.NOT_FOUND
    assert client.status("GetEvent", pb.GetEventRequest(event_id="E1"), division="3713") == grpc.StatusCode.NOT_FOUND
    assert client.status("CountFlags", pb.CountFlagsRequest(), **stall) == grpc.StatusCode.PERMISSION_DENIED
    assert client.status("Trace", pb.TraceRequest(batch="A")) == grpc.StatusCode.INVALID_ARGUMENT


def test_merged_site_is_walked_through_under_all_its_ids(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    renamed = STALL.model_copy(update={"site": "one_network:7"})
    capture(
        bus,
        record("E1", Step.HARVEST, FARM),
        record("E2", Step.SHIPPING, FARM, counterparty=renamed),
        record("E4", Step.SHIPPING, STALL, counterparty=SCHOOL),
    )
    await_events(db, 3)
    assert not walk(client, "A", pb.DIRECTION_BACKWARD).complete
    aliases = SitesAliasedV1(aliases=(Alias(alias="one_network:7", site=STALL.site or "", version=1),))
    bus.publish(EVENTS, "registry.sites_aliased.v1", aliases.model_dump_json().encode(), ce_id=uuid4().hex)
    eventually(lambda: walk(client, "A", pb.DIRECTION_BACKWARD).complete)
    chain = walk(client, "A", pb.DIRECTION_BACKWARD)
    assert {node.site_id for node in chain.nodes} == {FARM.site, STALL.site, SCHOOL.site}
    register(bus, db, facts(STALL))
    told = client.call("GetEvent", pb.GetEventRequest(event_id="E2")).event
    assert (told.counterparty_site_id, told.counterparty_name) == (STALL.site, facts(STALL).name)


def test_queries_page_filter_and_count(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    register(bus, db, facts(FARM), facts(STALL), facts(SCHOOL))
    orphan = record("E9", Step.RECEIVING, SCHOOL, "X", hour=9, counterparty=STALL, source="catering")
    capture(bus, *chain(), orphan)
    await_events(db, 7)

    def ask(**fields: Any) -> list[str]:
        found: list[str] = []
        request = pb.QueryEventsRequest(page_size=2, **fields)
        while True:
            response = client.call("QueryEvents", request)
            found += [event.event_id for event in response.events]
            if not response.next_page_token:
                return found
            request.page_token = response.next_page_token

    assert ask() == ["E9", "E6", "E5", "E4", "E3", "E2", "E1"]
    assert ask(batch="M") == ["E6"]
    assert ask(source="catering") == ["E9", "E6", "E5"]
    assert ask(division="370103") == ["E4", "E3"]
    assert ask(step="harvest") == ["E1"]
    assert ask(flag="unshipped_receipt") == ["E9"]
    since, until = (NOON + timedelta(hours=hour) for hour in (1, 3))
    assert ask(from_time=since, until_time=until) == ["E3", "E2"]
    counted = client.call("CountFlags", pb.CountFlagsRequest())
    assert counted.events == 7
    assert {count.rule: count.events for count in counted.counts} == {"unshipped_receipt": 1}
    assert client.call("CountFlags", pb.CountFlagsRequest(division="370102")).events == 2
    assert client.call("CountFlags", pb.CountFlagsRequest(), division="3702").events == 0
