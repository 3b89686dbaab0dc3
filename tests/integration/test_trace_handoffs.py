"""Both accounts of a handoff as the platform compares them: real workers, their clock moved by the test."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import BulkWriteError
from shilian.trace.v1 import trace_pb2 as pb

from contracts.topology import EVENTS
from contracts.trace import Record, Step
from services.trace.watch import store as watch_store
from services.trace.watch.handoffs import Half, Told
from tests.bus import Bus
from tests.calls import Client
from tests.integration.test_trace_findings import CHANGED, DUE, Clock, clock, heard, sweep, work
from tests.integration.test_trace_service import FARM, NOON, STALL, Json, await_events, capture, client, lot, record
from tests.processes import Process, eventually

__all__ = ["client", "clock", "work"]

MINUTE = timedelta(minutes=1)


def shipped(batch: str = "A", id: str = "E2", quantity: str = "10", hour: int = 1) -> Record:
    goods = lot(batch, quantity)
    return record(f"{id}{batch}", Step.SHIPPING, FARM, batch, hour, counterparty=STALL, inputs=goods, outputs=goods)


def received(batch: str = "A", id: str = "E3", quantity: str = "10", hour: int = 2) -> Record:
    goods = lot(batch, quantity)
    return record(f"{id}{batch}", Step.RECEIVING, STALL, batch, hour, counterparty=FARM, inputs=goods, outputs=goods)


def heard_of(bus: Bus, queue: str, count: int) -> list[Json]:
    """The findings about handoffs announced next; sites fall silent meanwhile."""
    found: list[Json] = []
    while len(found) < count:
        found += [each for each in heard(bus, queue, 1) if each["kind"] != "silent_site"]
    return found


def told(found: list[Json]) -> set[tuple[Any, ...]]:
    return {(each["kind"], *each["batches"], each["open"], each["version"]) for each in found}


def test_difference_is_found_once_by_two_workers_within_a_minute_and_closes_when_the_rest_comes(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    first, _ = work(), work()
    capture(bus, *(shipped(batch) for batch in "ABCD"), received("D"))
    capture(bus, *(received(batch, quantity="6") for batch in "ABC"), received("D"))
    await_events(db, 8)
    sweep(db, clock, DUE - MINUTE / 2)
    assert not db.findings.count_documents({})
    sweep(db, clock, DUE + MINUTE / 4)
    found = heard(bus, changed, 3)
    assert told(found) == {("quantity_mismatch", batch, True, 1) for batch in "ABC"}
    assert {
        (each["site"], each["counterparty"], each["allowed"], each["told"], each["tolerance"]) for each in found
    } == {(STALL.site, FARM.site, "≥ 9.8 KGM", "6 KGM", "2%")}
    assert {tuple(each["events"]) for each in found} == {(f"E2{batch}", f"E3{batch}") for batch in "ABC"}
    assert all(row["due_at"] == DUE <= row["opened_at"] < DUE + MINUTE for row in db.findings.find())

    # The rest of A comes; the shipment of B, then the receipt of C is declared an error.
    first.kill()
    first.restart()
    capture(bus, received("A", id="E4", quantity="4"))
    assert told(heard(bus, changed, 1)) == {("quantity_mismatch", "A", False, 2)}
    for event, batch in (("E2B", "B"), ("E3C", "C")):
        db.handoffs.bulk_write([watch_store.halves_withdrawn([event], [batch], DUE)])
    sweep(db, clock, DUE + 2 * MINUTE)
    assert told(heard(bus, changed, 4)) == {
        ("quantity_mismatch", "B", False, 2), ("unknown_source", "B", True, 1),
        ("quantity_mismatch", "C", False, 2), ("overdue_shipment", "C", True, 1),
    }  # fmt: skip
    sweep(db, clock, DUE + timedelta(days=3))
    assert bus.ready(changed) == 0


def test_sweep_after_downtime_tells_since_when_accounts_differ(
    work: Callable[[], Process], bus: Bus, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    worker = work()
    capture(bus, shipped("A"), received("A"), received("A", id="E4", hour=5))
    capture(bus, shipped("B", hour=14), received("B"))
    await_events(db, 5)
    sweep(db, clock, NOON + timedelta(hours=20))
    worker.kill()
    later = NOON + timedelta(days=9)
    clock.set(later)
    worker.restart()
    found = {each["kind"]: each for each in heard_of(bus, changed, 2)}
    due = {kind: datetime.fromisoformat(each["due_at"]) for kind, each in found.items()}
    # B was shipped at two o'clock of the next morning. The sender has a day to tell of more, or of an earlier shipment.
    assert due == {
        "quantity_mismatch": NOON + timedelta(hours=5 + 24),
        "received_before_shipped": NOON + timedelta(hours=2 + 24),
    }
    assert found["quantity_mismatch"]["told"] == "20 KGM"
    assert found["received_before_shipped"]["events"] == ["E3B", "E2B"]
    assert all(datetime.fromisoformat(each["opened_at"]) >= later for each in found.values())

    capture(bus, shipped("A", id="E1"), shipped("B", id="E1", hour=1, quantity="0"))
    closed = {("quantity_mismatch", "A", False, 2), ("received_before_shipped", "B", False, 2)}
    assert told(heard_of(bus, changed, 2)) == closed
    sweep(db, clock, later + timedelta(hours=1))
    left = db.findings.find({"kind": {"$ne": "silent_site"}})
    assert told(list(left)) == closed


def test_half_that_comes_while_its_handoff_is_judged_is_judged_too(mongo: Any, db: Any, work: Any) -> None:
    work()
    ship = Told("A", "S", "R", True, Half(NOON, "E1", Step.SHIPPING))
    db.handoffs.bulk_write([watch_store.half_told(ship)])
    handoff = watch_store.handoff(db.handoffs.find_one())
    seen = watch_store.looked(handoff.id, handoff.look_at, None, watch_store.as_read(handoff))
    more = watch_store.half_told(ship._replace(half=Half(NOON + timedelta(hours=3), "E2", Step.SHIPPING)))
    db.handoffs.bulk_write([more])
    with pytest.raises(BulkWriteError, match="E11000"):
        db.handoffs.bulk_write(seen)
    db.handoffs.bulk_write([watch_store.halves_withdrawn(["E2"], ["A"], NOON + timedelta(days=9))])
    db.handoffs.bulk_write(seen)
    assert "look_at" not in db.handoffs.find_one()


def test_evidence_is_listed_by_division(
    work: Callable[[], Process], client: Client, bus: Bus, db: Any, clock: Clock
) -> None:
    work()
    capture(bus, shipped(), received(quantity="6"))
    await_events(db, 2)
    sweep(db, clock, DUE + MINUTE)
    eventually(lambda: db.findings.find_one({"open": True}))

    def ask(division: str) -> list[pb.Finding]:
        request = pb.ListFindingsRequest(kind="quantity_mismatch", division=division)
        return list(client.call("ListFindings", request).findings)

    (found,) = ask("370103")
    assert not ask("370102")
    one = client.call("GetFinding", pb.GetFindingRequest(finding_id=found.finding_id)).finding
    assert one == found
    assert (one.allowed, one.told, one.tolerance, one.document) == ("≥ 9.8 KGM", "6 KGM", "2%", "d-E2A")
    assert [*one.evidence_event_ids] == ["E2A", "E3A"]
    assert one.due_time.ToDatetime(UTC) == DUE
