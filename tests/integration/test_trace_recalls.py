"""Stock and recalls as neighbours meet them: real worker and api processes on a real broker and a real database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from pymongo import MongoClient
from shilian.trace.v1 import recall_pb2 as pb
from shilian.trace.v1.recall_pb2_grpc import RecallServiceStub

from contracts.registry import Alias, SitesAliasedV1
from contracts.topology import EGRESS, EVENTS
from contracts.trace import Party, Record, Step
from tests.bus import Bus, Taken
from tests.calls import Client
from tests.integration.test_trace_declarations import declare, report
from tests.integration.test_trace_service import (
    FARM,
    NOON,
    SCHOOL,
    STALL,
    await_events,
    capture,
    chain,
    facts,
    lot,
    record,
    register,
)
from tests.processes import Process, eventually, set_clock
from tests.stack import Database, Infra, fresh_database

SHOP = Party(site="one_network:77", operator="o:shop", name="便民超市", division="370104")
PRODUCER: dict[str, Any] = {"role": "operator", "division": None, "operator_id": "o:farm"}


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    path = tmp_path / "clock"
    path.write_text("0")
    return path


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database, clock: Path) -> Process:
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "clock_file": clock, "timer_s": 0.2}
    return spawn("services.trace", "worker", relay_scan_s=0.5, **settings).wait_ready()


@pytest.fixture
def client(start_api: Callable[..., Client], mongo: Database, clock: Path) -> Client:
    return start_api("services.trace", RecallServiceStub, mongo_url=mongo.url, clock_file=clock)


def late_shipment() -> Record:
    """The stall sold to a shop, too; its records come a day late."""
    return record("E9", Step.SHIPPING, STALL, hour=3, counterparty=SHOP, inputs=lot("A", "1"), outputs=lot("A", "1"))


def order(**more: Any) -> pb.OpenRecallRequest:
    told = {"batches": ["A"], "reason": "检出禁用农药", "recall_class": 1, "issuer": "省局", "request_id": uuid4().hex}
    return pb.OpenRecallRequest(**{**told, **more})


def await_type(bus: Bus, queue: str, type: str) -> Taken:
    """The next message of a type; those before it are thrown away."""
    taken = eventually(lambda: bus.take(queue), lambda seen: seen is not None and seen.headers["ce-type"] == type)
    assert taken is not None
    return taken


def fates(simulation: pb.Simulation) -> dict[tuple[str, str | None, str], str]:
    return {
        (each.node.batch, each.node.site_id, each.fate): f"{each.amount.quantity}{each.amount.unit}"
        for each in simulation.portions
    }


def test_a_simulation_says_where_the_goods_are_and_whom_to_notify(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    register(bus, db, facts(SCHOOL, contact_name="孙老师", contact_phone="13800000005"))
    capture(bus, *chain(), record("E7", Step.SHIPPING, FARM, hour=6, inputs=lot("A", "2"), outputs=lot("A", "2")))
    await_events(db, 7)
    found = client.call("SimulateRecall", pb.SimulateRecallRequest(batches=["A"])).simulation
    assert fates(found) == {
        ("A", FARM.site, "unlocated"): "2KGM",
        ("A", SCHOOL.site, "processed"): "10KGM",
        ("M", SCHOOL.site, "held"): "30KGM",
    }
    covered = {each.batch: each for each in found.coverages}
    assert (covered["A"].recalled, covered["A"].produced.quantity, covered["A"].located.quantity) == (True, "12", "10")
    assert {each.why for each in covered["A"].doubts} == {"more_out_than_in", "to_nobody_known"}
    assert [(each.node.site_id, each.kind) for each in found.gaps] == [(FARM.site, "unknown_destination")]
    told = {part.division: part.operators[0] for part in found.divisions}
    assert told["371302"].contact == "孙老师 13800000005"
    assert [part.sites for part in found.divisions] == [1, 1, 1]
    county = client.call("SimulateRecall", pb.SimulateRecallRequest(batches=["A"]), division="371302").simulation
    assert fates(county)["A", FARM.site, "unlocated"] == ""
    assert fates(county)["M", SCHOOL.site, "held"] == "30KGM"


def test_a_recall_is_simulated_from_a_paper_and_of_several_batches(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    paper: dict[str, Any] = {"document": "YPT2026010500088"}
    capture(
        bus, *(record(f"E{b}", Step.SHIPPING, FARM, b, counterparty=STALL, line=n, **paper) for n, b in enumerate("AB"))
    )
    await_events(db, 2)
    of_paper = pb.SimulateRecallRequest(document_number="YPT2026010500088")
    of_batches = pb.SimulateRecallRequest(batches=["A", "B"])
    for request in (of_paper, of_batches):
        found = client.call("SimulateRecall", request).simulation
        assert (sorted(found.batches), found.share, found.complete) == (["A", "B"], 1, True)
    wrong = (pb.SimulateRecallRequest(), pb.SimulateRecallRequest(batches=["A"], document_number="x"))
    refused = [client.status("SimulateRecall", request) for request in wrong]
    assert refused == [grpc.StatusCode.INVALID_ARGUMENT] * 2
    unknown = pb.SimulateRecallRequest(batches=["nowhere"])
    assert client.status("SimulateRecall", unknown) is grpc.StatusCode.NOT_FOUND
    elsewhere = client.status("SimulateRecall", of_batches, division="370202")
    assert elsewhere is grpc.StatusCode.NOT_FOUND


def test_a_recall_is_opened_announced_and_followed_until_it_is_closed(
    worker: Process, client: Client, bus: Bus, db: Any, clock: Path
) -> None:
    opened = bus.listen(EVENTS, "trace.recalls_opened.v1")
    market, catering = bus.listen(EGRESS, "market"), bus.listen(EGRESS, "catering")
    capture(bus, *chain())
    await_events(db, 6)
    bus.await_message(market), bus.await_message(catering)

    request = order()
    recall = client.call("OpenRecall", request).recall
    assert client.call("OpenRecall", request).recall.recall_id == recall.recall_id
    assert (recall.state, recall.version, recall.sites, recall.category) == ("open", 1, 3, "other")
    assert (recall.product, recall.started_late, recall.overdue) == ("大白菜", False, False)
    (told,) = bus.await_message(opened).body["recalls"]
    assert (told["id"], told["version"], told["issuer"]) == (recall.recall_id, 1, "省局")
    assert told["sites"] == sorted(party.site or "" for party in (FARM, STALL, SCHOOL))
    to_market, to_catering = bus.await_message(market).body, bus.await_message(catering).body
    assert {(line["site"], line["batch"]) for line in to_market["goods"]} == {("uscc:farm", "A"), ("market:9", "A")}
    kitchen = [(line["site"], line["batch"], line["quantity"]) for line in to_catering["goods"]]
    assert kitchen == [(SCHOOL.site, "A", "0"), (SCHOOL.site, "M", "30")]
    assert db.recalls.count_documents({}) == 1
    assert bus.ready(opened) == 0

    capture(bus, late_shipment())
    await_events(db, 7)
    set_clock(clock, 61)
    (further,) = bus.await_message(opened).body["recalls"]
    assert (further["version"], further["sites"]) == (2, [SHOP.site])
    grown = client.call("GetRecall", pb.GetRecallRequest(recall_id=recall.recall_id))
    assert [(each.version, [*each.site_ids], each.sites) for each in grown.recall.versions][1:] == [(2, [SHOP.site], 4)]
    assert (SHOP.site, "in_transit") in {(each.node.site_id, each.fate) for each in grown.simulation.portions}
    first = client.call("GetRecall", pb.GetRecallRequest(recall_id=recall.recall_id, version=1))
    assert SHOP.site not in {node.site_id for node in first.simulation.nodes}

    listed = client.call("ListRecalls", pb.ListRecallsRequest(open=True, batch="A"), division="370104").recalls
    assert [(each.recall_id, each.version, each.sites) for each in listed] == [(recall.recall_id, 2, 4)]
    assert not client.call("ListRecalls", pb.ListRecallsRequest(), division="370202").recalls

    ending = pb.CloseRecallRequest(request_id="c1", recall_id=recall.recall_id, reason="已全部召回")
    county = client.status("CloseRecall", ending, division="370104")
    assert county is grpc.StatusCode.PERMISSION_DENIED
    closed = bus.listen(EVENTS, "trace.recalls_closed.v1")
    sources = {name: bus.listen(EGRESS, name) for name in ("market", "catering")}
    assert client.call("CloseRecall", ending).recall.state == "closed"
    assert client.call("CloseRecall", ending).recall.state == "closed"
    (end,) = bus.await_message(closed).body["recalls"]
    assert (end["id"], end["version"], end["closed_reason"]) == (recall.recall_id, 3, "已全部召回")
    assert end["sites"] == sorted(party.site or "" for party in (FARM, STALL, SCHOOL, SHOP))
    ends = {name: await_type(bus, queue, "egress.recalls_closed.v1") for name, queue in sources.items()}
    assert ends["catering"].body["sites"] == [SCHOOL.site]
    assert bus.ready(closed) == 0
    again = pb.CloseRecallRequest(request_id="c2", recall_id=recall.recall_id, reason="已全部召回")
    assert client.status("CloseRecall", again) is grpc.StatusCode.FAILED_PRECONDITION
    eventually(lambda: db.timers.count_documents({"kind": "trace.recalls"}), lambda rows: rows == 0)


def test_who_recalls_goods_is_told_of_recalls_that_bring_them_back_already(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    capture(bus, *chain(), record("E7", Step.HARVEST, FARM, "B"))
    await_events(db, 7)
    farm: dict[str, Any] = {**PRODUCER, "operator_id": FARM.operator}
    first = client.call("OpenRecall", order())
    own = client.call("OpenRecall", order(), **farm)
    both = pb.SimulateRecallRequest(batches=["A", "B"])

    def under_way(**caller: Any) -> list[str]:
        return [*client.call("SimulateRecall", both, **caller).open_recall_ids]

    assert (list(first.open_recall_ids), list(own.open_recall_ids)) == ([], [first.recall.recall_id])
    assert under_way() == [own.recall.recall_id, first.recall.recall_id]
    assert under_way(division="371302") == under_way()
    ended = pb.CloseRecallRequest(recall_id=first.recall.recall_id, reason="一并召回", request_id=uuid4().hex)
    client.call("CloseRecall", ended)
    assert under_way() == under_way(**farm) == [own.recall.recall_id]
    assert not client.call("SimulateRecall", pb.SimulateRecallRequest(batches=["B"])).open_recall_ids


def test_late_records_that_change_quantities_only_are_told_once_to_the_sources_concerned(
    worker: Process, client: Client, bus: Bus, db: Any, clock: Path
) -> None:
    changed = bus.listen(EVENTS, "trace.recalls_changed.v1")
    opened = bus.listen(EVENTS, "trace.recalls_opened.v1")
    catering, market = bus.listen(EGRESS, "catering"), bus.listen(EGRESS, "market")
    capture(bus, *chain())
    await_events(db, 6)
    verdicts = bus.await_message(market), bus.await_message(catering)
    recall = client.call("OpenRecall", order()).recall
    notices = bus.await_message(market), bus.await_message(catering)
    assert {each.headers["ce-type"] for each in (*verdicts, *notices)} == {"egress.verdicts.v1", "egress.recalls.v1"}
    bus.await_message(opened)

    thrown: dict[str, Any] = {"inputs": lot("M", "12"), "outputs": []}
    capture(bus, record("E7", Step.DESTROYING, SCHOOL, hour=7, source="catering", **thrown))
    await_events(db, 7)
    bus.await_message(catering)
    set_clock(clock, 61)
    (told,) = bus.await_message(changed).body["changes"]
    assert (told["id"], told["version"], told["reason"]) == (recall.recall_id, 2, "检出禁用农药")
    assert [(line["site"], line["batch"]) for line in told["goods"]] == [(SCHOOL.site, "M")]
    to_catering = bus.await_message(catering)
    assert (to_catering.headers["ce-type"], to_catering.body["version"]) == ("egress.recalls_changed.v1", 2)
    (line,) = to_catering.body["goods"]
    assert (line["balance_before"]["quantity"], line["balance"]["quantity"]) == ("30", "18")
    grown = client.call("GetRecall", pb.GetRecallRequest(recall_id=recall.recall_id))
    assert [(each.version, each.sites_added, each.sites_changed) for each in grown.recall.versions] == [
        (1, 3, 0),
        (2, 0, 1),
    ]
    assert (SCHOOL.site, "destroyed") in {(each.node.site_id, each.fate) for each in grown.simulation.portions}

    # The record is still among those of the last minutes; looked at again, it changes nothing.
    looked_at = db.timers.find_one({"kind": "trace.recalls"})["due_at"]
    set_clock(clock, 122)
    eventually(lambda: db.timers.find_one({"kind": "trace.recalls"})["due_at"], lambda due: due > looked_at)
    assert db.recalls.find_one({})["version"] == 2
    assert (bus.ready(changed), bus.ready(opened), bus.ready(market)) == (0, 0, 0)


def test_a_record_declared_wrong_is_looked_at_as_a_late_one_is(
    worker: Process, client: Client, bus: Bus, db: Any, clock: Path
) -> None:
    """However long ago it was recorded: nothing was destroyed at the school after all."""
    changed = bus.listen(EVENTS, "trace.recalls_changed.v1")
    thrown: dict[str, Any] = {"inputs": lot("M", "12"), "outputs": []}
    capture(bus, *chain(), record("E7", Step.DESTROYING, SCHOOL, hour=7, source="catering", **thrown))
    await_events(db, 7)
    db.events.update_many({}, {"$set": {"recorded_at": datetime.now(UTC) - timedelta(hours=1)}})
    client.call("OpenRecall", order())
    declare(bus, report("E7", "catering"))
    eventually(lambda: db.events.find_one({"_id": "E7", "declared": {"$exists": True}}))
    set_clock(clock, 61)
    (told,) = bus.await_message(changed).body["changes"]
    (line,) = told["goods"]
    assert (line["balance_before"]["quantity"], line["balance"]["quantity"]) == ("18", "30")


def test_sites_found_to_be_one_lead_a_recall_on(
    worker: Process, client: Client, bus: Bus, db: Any, clock: Path
) -> None:
    """The kitchen is known by two ids, under one of which it received what it made a dish of under the other."""
    opened = bus.listen(EVENTS, "trace.recalls_opened.v1")
    other = SCHOOL.model_copy(update={"site": "one_network:5"})
    made: dict[str, Any] = {"inputs": lot("M"), "outputs": lot("Q")}
    sold: dict[str, Any] = {"inputs": lot("Q"), "outputs": lot("Q")}
    further = [
        record("E7", Step.MAKING, other, hour=6, **made),
        record("E8", Step.SHIPPING, other, hour=7, counterparty=SHOP, **sold),
    ]
    register(bus, db, facts(SCHOOL))
    capture(bus, *chain(), *further)
    await_events(db, 8)
    # What was recorded in the last minutes is looked at again anyway.
    db.events.update_many({}, {"$set": {"recorded_at": datetime.now(UTC) - timedelta(hours=1)}})
    recall = client.call("OpenRecall", order()).recall
    assert SHOP.site not in bus.await_message(opened).body["recalls"][0]["sites"]
    alias = SitesAliasedV1(aliases=(Alias(alias="one_network:5", site=SCHOOL.site or "", version=1),))
    bus.publish(EVENTS, "registry.sites_aliased.v1", alias.model_dump_json().encode(), ce_id=uuid4().hex)
    eventually(lambda: db.sites.find_one({"_id": "one_network:5"}))
    set_clock(clock, 61)
    (told,) = bus.await_message(opened).body["recalls"]
    assert (told["id"], told["version"]) == (recall.recall_id, 2)
    assert SHOP.site in told["sites"]


def test_a_list_does_not_read_what_it_does_not_show(client: Client, bus: Bus, worker: Process, db: Any) -> None:
    """A recall names thousands of nodes: a page of such rows would be hundreds of megabytes."""
    capture(bus, *chain())
    await_events(db, 6)
    recall = client.call("OpenRecall", order()).recall
    many = ["x" * 100] * 10_000
    db.recalls.update_one({"_id": recall.recall_id}, {"$set": {"nodes": many, "sites": many}})
    db.command("profile", 2)
    assert [each.sites for each in client.call("ListRecalls", pb.ListRecallsRequest()).recalls] == [3]
    db.command("profile", 0)
    (read,) = db.system.profile.find({"op": "query", "ns": f"{db.name}.recalls"})
    assert read["responseLength"] < 10_000


def test_stock_told_page_by_page_names_goods_of_sites_found_to_be_one_once(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    other = STALL.model_copy(update={"site": "one_network:9"})
    part: dict[str, Any] = {"counterparty": FARM, "inputs": lot("A", "4"), "outputs": lot("A", "4")}
    capture(
        bus,
        record("E1", Step.RECEIVING, STALL, hour=1, **part),
        record("E2", Step.RECEIVING, other, hour=2, **part),
    )
    await_events(db, 2)
    register(bus, db, facts(STALL))
    alias = SitesAliasedV1(aliases=(Alias(alias="one_network:9", site=STALL.site or "", version=1),))
    bus.publish(EVENTS, "registry.sites_aliased.v1", alias.model_dump_json().encode(), ce_id=uuid4().hex)
    eventually(lambda: db.sites.find_one({"_id": "one_network:9"}))
    request = pb.StockRequest(page_size=1, site_id=STALL.site or "")
    first = client.call("Stock", request)
    second = client.call(
        "Stock", pb.StockRequest(page_size=1, site_id=STALL.site or "", page_token=first.next_page_token)
    )
    found = [(each.node.site_id, each.amount.quantity) for each in (*first.stock, *second.stock)]
    assert found == [(STALL.site, "8")]


def test_a_producer_recalls_its_own_goods_and_sees_counts_beyond_one_hop(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    simulated = client.call("SimulateRecall", pb.SimulateRecallRequest(batches=["A"]), **PRODUCER).simulation
    recall = client.call("OpenRecall", order(issuer=""), **PRODUCER).recall
    got = client.call("GetRecall", pb.GetRecallRequest(recall_id=recall.recall_id), **PRODUCER)
    for seen in (simulated, got.simulation):
        assert {node.site_id for node in seen.nodes} == {FARM.site, STALL.site}
        assert (seen.sites, seen.hidden_sites, seen.hidden_operators, seen.share) == (3, 1, 1, 1)
        assert {(each.fate, each.sites, len(each.amounts)) for each in seen.totals} == {
            ("processed", 1, 0),
            ("held", 1, 0),
        }
        assert str(SCHOOL.site) not in str(seen)
        assert "M" not in [each.batch for each in seen.coverages]
    assert (recall.operator_id, recall.issuer, recall.division) == ("o:farm", "o:farm", "370102")
    assert [[*each.site_ids] for each in got.recall.versions] == [sorted([FARM.site or "", STALL.site or ""])]
    assert got.recall.versions[0].sites == 3
    stall: dict[str, Any] = {"role": "operator", "division": None, "operator_id": "o:stall"}
    assert client.status("OpenRecall", order(), **stall) is grpc.StatusCode.PERMISSION_DENIED
    stranger: dict[str, Any] = {"role": "operator", "division": None, "operator_id": "o:stranger"}
    assert client.status("OpenRecall", order(), **stranger) is grpc.StatusCode.NOT_FOUND
    seen = client.call("GetRecall", pb.GetRecallRequest(recall_id=recall.recall_id), **stall).simulation
    assert {node.site_id for node in seen.nodes} == {FARM.site, STALL.site, SCHOOL.site}


def test_what_is_wrong_with_an_order_is_said(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    future = datetime.now(UTC) + timedelta(days=1)
    wrong = (
        order(reason=" "),
        order(reason="长" * 501),
        order(issuer="长" * 501),
        order(recall_class=4),
        order(known_time=future),
        order(batches=[]),
    )
    refused = [client.status("OpenRecall", request) for request in wrong]
    assert refused == [grpc.StatusCode.INVALID_ARGUMENT] * len(wrong)
    late = client.call("OpenRecall", order(known_time=datetime.now(UTC) - timedelta(hours=30))).recall
    assert late.started_late


def test_notify_hears_of_a_recall(
    worker: Process, client: Client, bus: Bus, db: Any, spawn: Callable[..., Process], stack: Infra
) -> None:
    with fresh_database(stack) as own, MongoClient[dict[str, Any]](own.url) as store:
        spawn("services.notify", "worker", amqp_url=bus.vhost.url, mongo_url=own.url).wait_ready()
        notify = store.get_default_database()
        register(bus, db, facts(SCHOOL, contact_name="孙老师", contact_phone="13800000005"))
        eventually(lambda: notify.sites.find_one({"_id": SCHOOL.site}))
        capture(bus, *chain())
        await_events(db, 6)
        recall = client.call("OpenRecall", order()).recall
        cause = {"cause": f"recall:{recall.recall_id}", "recipient": f"site:{SCHOOL.site}"}
        eventually(lambda: notify.deliveries.find_one(cause))


def test_stock_is_what_came_less_what_went_at_any_time(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    register(bus, db, facts(STALL), facts(SCHOOL))
    part = {"inputs": lot("A", "4"), "outputs": lot("A", "4")}
    more = (record(f"E{n}", Step.RECEIVING, STALL, f"B{n}", hour=n, counterparty=FARM) for n in range(10, 15))
    told = [each if each.id not in ("E4", "E5") else each.model_copy(update=part) for each in chain()]
    capture(bus, *told, *more)
    await_events(db, 11)

    def stock(caller: dict[str, Any] | None = None, **asked: Any) -> dict[str, str]:
        found: list[Any] = []
        request = pb.StockRequest(page_size=2, **asked)
        while True:
            answer = client.call("Stock", request, **(caller or {}))
            found += answer.stock
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
        names = [f"{each.node.batch}@{each.node.site_id}" for each in found]
        assert len(names) == len({*names})
        return {name: each.amount.quantity or each.why for name, each in zip(names, found, strict=True)}

    other = {f"B{n}@{STALL.site}": "10" for n in range(10, 15)}
    assert stock(site_id=STALL.site) == stock(operator_id="o:stall") == {f"A@{STALL.site}": "6", **other}
    assert stock({"role": "operator", "division": None, "operator_id": "o:stall"}, operator_id="o:stall") == {
        f"A@{STALL.site}": "6",
        **other,
    }
    assert stock(batch="A") == {f"A@{STALL.site}": "6", f"A@{SCHOOL.site}": "more_out_than_in"}
    assert stock({"division": "370103"}, batch="A") == {f"A@{STALL.site}": "6"}
    assert stock(site_id=STALL.site, at_time=NOON + timedelta(hours=2)) == {f"A@{STALL.site}": "10"}
    assert (
        client.status("Stock", pb.StockRequest(site_id=STALL.site or ""), division="370104")
        is grpc.StatusCode.NOT_FOUND
    )
    assert client.status("Stock", pb.StockRequest()) is grpc.StatusCode.INVALID_ARGUMENT
    of_one = {each.node.site_name: each for each in client.call("Stock", pb.StockRequest(batch="B10")).stock}
    assert {name: each.why for name, each in of_one.items()} == {"绿源农场": "nothing_came", "张三蔬菜(登记)": ""}
    assert of_one["张三蔬菜(登记)"].since.ToDatetime(UTC) == NOON + timedelta(hours=10)
