"""Broken chains and silent sites as the platform meets them: real workers, their clock moved by the test."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from shilian.trace.v1 import trace_pb2 as pb

from chassis.caller import Caller
from contracts.registry import Alias, SitesAliasedV1
from contracts.topology import COMMANDS, EVENTS, TRACE_CAPTURE, TRACE_PROPOSALS
from contracts.trace import CaptureV1, EventsRecordedV1, Record, RecordedEvent, Step
from services.trace.watch import listing
from tests.bus import Bus
from tests.calls import Client
from tests.integration.late import late_deliveries
from tests.integration.test_trace_service import (
    FARM,
    NOON,
    SCHOOL,
    STALL,
    Json,
    await_events,
    capture,
    client,
    facts,
    record,
    register,
)
from tests.processes import Process, eventually, set_clock
from tests.stack import Database

__all__ = ["client"]

CHANGED = "trace.findings_changed.v1"
DUE = NOON + timedelta(hours=1 + 72)
"""When the receipt of `shipment()` must have come."""


class Clock:
    """The clock of the workers under test."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(NOON)

    def set(self, at: datetime) -> None:
        set_clock(self.file, (at - datetime.now(UTC)).total_seconds())


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def work(spawn: Callable[..., Process], bus: Bus, mongo: Database, clock: Clock) -> Callable[..., Process]:
    """Starts a worker; settings may be told."""
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "clock_file": clock.file, "timer_s": 0.2}
    return lambda **more: spawn("services.trace", "worker", **settings | more).wait_ready()


def shipment(batch: str = "A", **more: Any) -> Record:
    return record(f"E2{batch}", Step.SHIPPING, FARM, batch, hour=1, counterparty=STALL, **more)


def receipt(batch: str = "A", **more: Any) -> Record:
    return record(f"E3{batch}", Step.RECEIVING, STALL, batch, hour=2, **({"counterparty": FARM} | more))


def harvest(bus: Bus, db: Any, days: int) -> None:
    """The farm harvests on each of the first days, and these are marked."""
    for day in range(days):
        capture(bus, record(f"E{day}", Step.HARVEST, FARM, f"B{day}", hour=24 * day))
    eventually(lambda: [len(row["days"]) for row in db.activity.find()], lambda marked: marked == [days])


def sweep(db: Any, clock: Clock, at: datetime, kind: str = "trace.handoffs") -> None:
    """Moves the clock and returns when the next sweep is over."""
    clock.set(at)
    eventually(lambda: db.timers.find_one({"_id": kind}), lambda row: row and row["due_at"] > at)


def heard(bus: Bus, queue: str, count: int) -> list[Json]:
    """The findings announced next."""
    found: list[Json] = []
    while len(found) < count:
        found += bus.await_message(queue).body["findings"]
    return found


def test_overdue_shipment_opens_once_with_two_workers_and_closes_when_received(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    work(), work()
    capture(bus, *(shipment(batch, document="XS20260105") for batch in "ABCDEF"), receipt("F"))
    await_events(db, 7)
    sweep(db, clock, DUE - timedelta(minutes=10))
    assert not list(db.findings.find())
    for minute in range(3):
        sweep(db, clock, DUE + timedelta(minutes=minute))
    told = heard(bus, changed, 5)
    assert {(each["kind"], each["site"], each["counterparty"], each["open"]) for each in told} == {
        ("overdue_shipment", STALL.site, FARM.site, True)
    }
    assert {(*each["batches"], each["event_id"]) for each in told} == {(batch, f"E2{batch}") for batch in "ABCDE"}
    assert {each["document"] for each in told} == {"XS20260105"}
    assert {row["due_at"] for row in db.findings.find()} == {DUE}
    assert not db.handoffs.count_documents({"look_at": {"$exists": True}})

    capture(bus, receipt("A"), receipt("B", counterparty=None))
    closed = heard(bus, changed, 2)
    assert {(*each["batches"], each["open"], each["version"]) for each in closed} == {("A", False, 2), ("B", False, 2)}
    sweep(db, clock, DUE + timedelta(hours=30))
    assert bus.ready(changed) == 0
    assert db.findings.count_documents({"open": True}) == 3


def test_sweep_after_downtime_tells_when_the_half_was_due(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    worker = work()
    capture(bus, shipment(), receipt("B"))
    await_events(db, 2)
    worker.kill()
    later = DUE + timedelta(days=10)
    clock.set(later)
    worker.restart()
    told = {each["kind"]: each for each in heard(bus, changed, 2)}
    due = {kind: datetime.fromisoformat(each["due_at"]) for kind, each in told.items()}
    # A receipt counts once the sender's own day to tell is over.
    assert due == {"overdue_shipment": DUE, "unknown_source": NOON + timedelta(hours=2 + 24)}
    assert all(datetime.fromisoformat(each["opened_at"]) >= later for each in told.values())
    sweep(db, clock, later + timedelta(hours=1))
    assert bus.ready(changed) == 0


def publish_receipt(bus: Bus) -> None:
    """Sends the receipt of `shipment()` when it is due, and does not wait."""
    body = CaptureV1(records=(receipt(),)).model_dump_json(exclude_defaults=True).encode()
    bus.publish(COMMANDS, TRACE_CAPTURE.keys[0], body, ce_time=(NOON + timedelta(hours=2)).isoformat())


def test_half_that_waited_in_the_queue_while_no_worker_ran_was_not_missed(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    worker = work()
    capture(bus, shipment())
    await_events(db, 1)
    worker.kill()
    bus.await_unconsumed(TRACE_CAPTURE.name)
    publish_receipt(bus)
    late = DUE + timedelta(hours=1)
    clock.set(late)
    worker.restart()
    sweep(db, clock, late)
    await_events(db, 2)
    assert bus.ready(changed) == 0
    assert not list(db.findings.find())


def test_half_that_waited_in_the_queue_was_not_missed_however_late_the_broker_delivers_it(
    work: Callable[..., Process], bus: Bus, db: Any, clock: Clock
) -> None:
    worker = work()
    capture(bus, shipment())
    await_events(db, 1)
    worker.kill()
    bus.await_unconsumed(TRACE_CAPTURE.name)
    publish_receipt(bus)
    late = DUE + timedelta(hours=1)
    clock.set(late)
    with late_deliveries(bus.vhost.url, seconds=5) as broker:
        work(amqp_url=broker)
        sweep(db, clock, late)
        await_events(db, 2)
    assert not list(db.findings.find())


def test_site_that_spoke_is_not_silent_while_nobody_has_heard_it(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    worker = work()
    harvest(bus, db, 3)
    worker.kill()
    bus.await_unconsumed(TRACE_PROPOSALS.name)
    late = NOON + timedelta(days=9)
    told = tuple(
        RecordedEvent(id=f"E{site}", source="market", step=Step.HARVEST, time=late, sent_at=late, site=site)
        for site in (FARM.site or "", "market:10")
    )
    body = EventsRecordedV1(events=told).model_dump(mode="json")
    # What came late is told by its own time, not by that of what stands before it.
    bus.publish(EVENTS, "trace.events_recorded.v1", {"events": []}, ce_time=(late + timedelta(hours=2)).isoformat())
    bus.publish(EVENTS, "trace.events_recorded.v1", body, ce_time=late.isoformat())
    with db.client.start_session() as session, session.start_transaction():
        # Whoever else marks this site collides with an open transaction, and is held.
        db.activity.insert_one({"_id": "market:10", "days": []}, session=session)
        clock.set(late + timedelta(hours=1))
        worker.restart()
        eventually(lambda: worker.log.read_text().count("batch held"), lambda times: times > 5)
        assert not list(db.findings.find())
        session.abort_transaction()
    sweep(db, clock, late + timedelta(hours=2), "trace.silence")
    assert not list(db.findings.find())


def test_site_that_spoke_is_not_silent_though_what_it_said_is_recorded_only(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    worker = work()
    harvest(bus, db, 3)
    worker.kill()
    late = NOON + timedelta(days=9)
    db.events.insert_one(db.events.find_one({"_id": "E2"}) | {"_id": "E9", "time": late})
    clock.set(late)
    worker.restart()
    sweep(db, clock, late + timedelta(hours=1), "trace.silence")
    assert not list(db.findings.find())
    sweep(db, clock, late + timedelta(days=9), "trace.silence")
    assert [row["kind"] for row in db.findings.find()] == ["silent_site"]


def test_half_that_names_nobody_is_found_out_when_another_takes_its_answer(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    work()
    capture(bus, shipment(), receipt(counterparty=None))
    await_events(db, 2)
    sweep(db, clock, DUE + timedelta(hours=1))
    assert not list(db.findings.find())
    earlier = record("E0", Step.SHIPPING, SCHOOL, counterparty=STALL)
    capture(bus, earlier)
    eventually(lambda: db.findings.find_one({"event_id": "E2A", "open": True}))


def test_merged_sites_close_what_was_found_of_each(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    work()
    other = STALL.model_copy(update={"site": "one_network:7"})
    capture(bus, shipment(), receipt().model_copy(update={"site": other}))
    await_events(db, 2)
    sweep(db, clock, DUE + timedelta(hours=1))
    assert db.findings.count_documents({"open": True}) == 2
    aliases = SitesAliasedV1(aliases=(Alias(alias="one_network:7", site=STALL.site or "", version=1),))
    bus.publish(EVENTS, "registry.sites_aliased.v1", aliases.model_dump_json().encode(), ce_id=uuid4().hex)
    eventually(lambda: db.sites.count_documents({"alias_of": STALL.site}))
    eventually(lambda: db.handoffs.count_documents({"look_at": {"$exists": True}}))
    sweep(db, clock, DUE + timedelta(hours=2))
    assert not db.findings.count_documents({"open": True})


def test_silent_site_is_found_and_heard_again(work: Callable[[], Process], bus: Bus, db: Any, clock: Clock) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    worker = work()
    for day in range(3):
        capture(bus, record(f"E{day}", Step.HARVEST, FARM, f"B{day}", hour=24 * day))
        capture(bus, record(f"S{day}", Step.HARVEST, STALL, f"S{day}", hour=24 * day))
    eventually(lambda: [len(row["days"]) for row in db.activity.find()], lambda days: days == [3, 3])
    register(bus, db, facts(STALL, closed_from=NOON, closed_until=NOON + timedelta(days=90)))
    # Wednesday 2026-01-07 was the last day; the third working day after it is Monday the 12th.
    due = datetime(2026, 1, 12, 16, tzinfo=UTC)
    sweep(db, clock, due - timedelta(minutes=10), "trace.silence")
    assert not list(db.findings.find())
    worker.kill()
    clock.set(due + timedelta(days=2))
    worker.restart()
    (found,) = heard(bus, changed, 1)
    assert (found["kind"], found["site"], found["event_id"], found["open"]) == ("silent_site", FARM.site, "E2", True)
    assert datetime.fromisoformat(found["due_at"]) == due
    sweep(db, clock, due + timedelta(days=3), "trace.silence")

    capture(bus, record("E9", Step.HARVEST, FARM, "B9", hour=24 * 9))
    (heard_again,) = heard(bus, changed, 1)
    assert (heard_again["id"], heard_again["open"], heard_again["version"]) == (found["id"], False, 2)


def test_closure_told_late_ends_a_silence(work: Callable[[], Process], bus: Bus, db: Any, clock: Clock) -> None:
    work()
    harvest(bus, db, 2)
    silent = NOON + timedelta(days=20)
    sweep(db, clock, silent, "trace.silence")
    assert db.findings.count_documents({"open": True}) == 1
    register(bus, db, facts(FARM, closed_from=NOON, closed_until=silent))
    eventually(lambda: db.activity.count_documents({"look_at": {"$exists": True}}))
    sweep(db, clock, silent + timedelta(hours=1), "trace.silence")
    assert not db.findings.count_documents({"open": True})
    sweep(db, clock, silent + timedelta(days=6), "trace.silence")
    assert db.findings.count_documents({"open": True, "version": 3}) == 1


def test_findings_are_listed_within_the_callers_scope(
    work: Callable[[], Process], client: Client, bus: Bus, db: Any, clock: Clock
) -> None:
    work()
    nowhere = STALL.model_copy(update={"site": "market:10", "division": None, "operator": None})
    capture(bus, shipment("A"), shipment("B"), shipment("C").model_copy(update={"counterparty": nowhere}))
    capture(bus, record("E4", Step.RECEIVING, SCHOOL, "D", counterparty=STALL))
    await_events(db, 4)
    sweep(db, clock, DUE + timedelta(hours=1))
    capture(bus, receipt("B"))
    eventually(lambda: db.findings.count_documents({"open": False}), lambda count: count == 1)

    def ask(caller: Json | None = None, **fields: Any) -> list[str]:
        found: list[str] = []
        request = pb.ListFindingsRequest(page_size=1, **fields)
        while True:
            response = client.call("ListFindings", request, **(caller or {}))
            found += [f"{finding.kind}/{''.join(finding.batches)}" for finding in response.findings]
            if not response.next_page_token:
                return sorted(found)
            request.page_token = response.next_page_token

    overdue = [f"overdue_shipment/{batch}" for batch in "ABC"]
    assert ask() == [*overdue, "unknown_source/D"]
    assert ask({"division": "370103"}) == overdue[:2]
    assert ask(division="371302") == ask(kind="unknown_source") == ["unknown_source/D"]
    assert ask(open=False) == ["overdue_shipment/B"]
    assert ask(open=True, site_id=STALL.site) == ["overdue_shipment/A"]
    assert (ask(batch="B"), ask(batch="B", open=True)) == (["overdue_shipment/B"], [])
    of_batch = listing.asked(pb.ListFindingsRequest(batch="B"), (), Caller("r", "regulator", "37"), None)
    plans = db.findings.find(of_batch).sort(listing.NEWEST_FIRST).explain()["queryPlanner"]
    assert "batches_1_opened_at_-1__id_-1" in str(plans)
    assert "'SORT'" not in str(plans["winningPlan"])
    assert ask({"role": "operator", "operator_id": "o:school"}) == ["unknown_source/D"]
    assert client.status("ListFindings", pb.ListFindingsRequest(kind="x")) == grpc.StatusCode.INVALID_ARGUMENT

    id = client.call("ListFindings", pb.ListFindingsRequest(kind="unknown_source")).findings[0].finding_id
    one = client.call("GetFinding", pb.GetFindingRequest(finding_id=id)).finding
    assert (one.site_id, one.counterparty_site_id, one.event_id) == (SCHOOL.site, STALL.site, "E4")
    assert one.due_time.ToDatetime(UTC) == NOON + timedelta(hours=24)
    elsewhere = {"division": "370103"}
    assert client.status("GetFinding", pb.GetFindingRequest(finding_id=id), **elsewhere) == grpc.StatusCode.NOT_FOUND
    assert db.audit.count_documents({"method": {"$regex": "/GetFinding$"}}) == 2

    register(bus, db, facts(nowhere.model_copy(update={"division": "370104", "operator": "o:x"})))
    eventually(lambda: db.handoffs.count_documents({"look_at": {"$exists": True}}))
    sweep(db, clock, DUE + timedelta(hours=2))
    assert ask({"division": "370104"}) == ["overdue_shipment/C"]
