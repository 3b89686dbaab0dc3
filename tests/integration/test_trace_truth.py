"""What does not look true, as the platform meets it: real workers on a real broker and database."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from contracts.corrections import DeclareErrorsV1, Declarer, ErrorReport, declaration_id
from contracts.topology import COMMANDS, EVENTS, TRACE_DECLARATIONS, TRACE_TRUTH
from contracts.trace import Category, Document, Lot, Party, Record, Step
from services.trace.truth import store as truth_store
from services.trace.truth.asks import Citing, LeadingTo, Named, OnVehicle, ToldAgain, Touching
from tests.bus import Bus
from tests.integration.test_trace_findings import CHANGED, Clock, clock, heard, sweep, work
from tests.integration.test_trace_service import (
    FARM,
    NOON,
    SCHOOL,
    STALL,
    Json,
    await_events,
    capture,
    facts,
    lot,
    record,
    register,
)
from tests.processes import Process, eventually
from tests.stack import Database

__all__ = ["clock", "work"]

SWEEP = "trace.truth"


def received(id: str = "E3", quantity: str = "10", **more: Any) -> Record:
    lots: Json = {"inputs": lot("A", quantity), "outputs": lot("A", quantity)}
    return record(id, Step.RECEIVING, STALL, counterparty=FARM, hour=2, **lots | more)


def shipped(id: str = "E4", quantity: str = "10", site: Party = STALL, to: Party = SCHOOL, **more: Any) -> Record:
    lots: Json = {"inputs": lot("A", quantity), "outputs": lot("A", quantity)}
    return record(id, Step.SHIPPING, site, counterparty=to, hour=3, **lots | more)


def found(bus: Bus, queue: str, *kinds: str) -> dict[str, Json]:
    """The next finding of each kind, whatever else is announced with them."""
    told: dict[str, Json] = {}
    while not {*kinds} <= told.keys():
        told |= {each["kind"]: each for each in heard(bus, queue, 1)}
    return {kind: told[kind] for kind in kinds}


def examined(bus: Bus, db: Any, count: int) -> None:
    """Returns when so many events are recorded and nobody has announcements left to examine."""
    await_events(db, count)
    eventually(lambda: bus.ready(TRACE_TRUTH.name) + db.outbox.count_documents({}), lambda left: left == 0)


def test_balance_is_found_wrong_once_by_two_workers_and_put_right_by_a_late_receipt(
    work: Callable[..., Process], bus: Bus, db: Any
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    work(), work()
    capture(bus, received())
    for number in range(4):
        capture(bus, shipped(f"E4{number}", "5"))
    told = heard(bus, changed, 1)
    eventually(lambda: db.findings.find_one({}, {"told": 1}), lambda row: row and row["told"] == "20 KGM")
    assert {(each["kind"], each["site"], each["allowed"]) for each in told} == {
        ("more_out_than_in", STALL.site, "10.5 KGM")
    }
    [row] = db.findings.find()
    assert (row["events"], row["tolerance"], row["batches"]) == (
        ["E3", *(f"E4{n}" for n in range(4))],
        "5%",
        ["A"],
    )
    assert (row["division"], row["operator"], row["open"]) == (STALL.division, STALL.operator, True)

    capture(bus, received("E5", "10"))
    eventually(lambda: db.findings.find_one({"open": True}), lambda row: row is None)
    versions = [each["version"] for each in told + heard(bus, changed, row["version"] + 1 - len(told))]
    assert versions == [*range(1, row["version"] + 2)]
    assert db.findings.count_documents({}) == 1


def test_worker_that_was_overtaken_looks_again(
    spawn: Callable[..., Process], bus: Bus, mongo: Database, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "clock_file": clock.file}
    spawn("tests.integration.raced_truth", **settings).wait_ready()
    capture(bus, received(), shipped(quantity="12"))
    told = heard(bus, changed, 2)
    assert [(each["kind"], each["open"], each["version"]) for each in told] == [
        ("more_out_than_in", True, 1),
        ("more_out_than_in", False, 2),
    ]


def test_paper_and_licence_are_judged_on_the_day_and_a_renewed_licence_puts_it_right(
    work: Callable[..., Process], bus: Bus, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    work()
    register(bus, db, facts(FARM, licence_valid_until=date(2026, 1, 4)), facts(STALL))
    ended = Document(kind="conformity", number="HG2026010301", valid_until=date(2026, 1, 3))
    capture(bus, received(documents=(ended,)))
    told = {each["kind"]: each for each in heard(bus, changed, 2)}
    assert {(kind, each["allowed"], each["told"]) for kind, each in told.items()} == {
        ("certificate_expired", "≤ 2026-01-03", "2026-01-05"),
        ("supplier_unlicensed", "≤ 2026-01-04", "2026-01-05"),
    }
    assert told["certificate_expired"]["document"] == "HG2026010301"
    assert told["supplier_unlicensed"]["counterparty"] == FARM.site

    register(bus, db, facts(FARM, version=2, licence_valid_until=date(2029, 1, 4)))
    eventually(lambda: db.to_examine.count_documents({}), lambda count: count > 0)
    sweep(db, clock, NOON + timedelta(minutes=5), SWEEP)
    [closed] = heard(bus, changed, 1)
    assert (closed["kind"], closed["open"], closed["version"]) == ("supplier_unlicensed", False, 2)


def test_certificate_used_for_more_than_it_certifies_is_found_whoever_tells_it(
    work: Callable[..., Process], bus: Bus, db: Any
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    work(), work()
    paper = Document(kind="conformity", number="HG2026010501", quantity=Decimal(15), unit="KGM", issuer="绿源农场")
    from_farm: Json = {"site": FARM, "documents": (paper,)}
    capture(bus, shipped("E1", to=STALL, **from_farm), received(documents=(paper,)))
    capture(bus, shipped("E4", documents=(paper,)))
    examined(bus, db, 3)
    assert not db.findings.count_documents({})
    capture(bus, shipped("E5", "6", to=SCHOOL, **from_farm))
    over = found(bus, changed, "certificate_overused")["certificate_overused"]
    assert (over["site"], over["document"]) == (FARM.site, "HG2026010501")
    assert (over["allowed"], over["told"], over["events"]) == ("15.75 KGM", "16 KGM", ["E3", "E1", "E5"])


def declare(bus: Bus, event: str, source: str) -> None:
    """The source of an event declares it an error."""
    id = declaration_id(event, Declarer.SOURCE, source, "重复录入", ())
    wrong = ErrorReport(id=id, source=source, message_id=uuid4().hex, event_id=event, reason="重复录入", sent_at=NOON)
    body = DeclareErrorsV1(declarations=(wrong,)).model_dump_json().encode()
    bus.publish(COMMANDS, TRACE_DECLARATIONS.keys[0], body, ce_id=uuid4().hex)


def test_near_match_of_two_apps_is_proposed_until_one_of_them_is_declared_an_error(
    work: Callable[..., Process], bus: Bus, db: Any
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    work()
    capture(bus, shipped(), shipped(quantity="9", source="catering", message_id="m-c"))
    near = found(bus, changed, "possible_duplicate")["possible_duplicate"]
    assert near["events"] == ["E4", "E4:catering"]
    assert (near["allowed"], near["told"]) == ("2026-01-05; A 10 KGM", "2026-01-05; A 9 KGM")
    declare(bus, "E4:catering", "catering")
    closed = found(bus, changed, "possible_duplicate")["possible_duplicate"]
    assert (closed["id"], closed["open"], closed["version"]) == (near["id"], False, 2)


PORK = (Lot(batch="M", product="猪白条", category=Category.MEAT, quantity=Decimal(80), unit="KGM"),)
PIGS = (Lot(batch="P", product="生猪", category=Category.MEAT, quantity=Decimal(40), unit="HEA"),)


def test_meat_and_animals_that_nobody_explains_are_found_when_their_time_has_come(
    work: Callable[..., Process], bus: Bus, db: Any, clock: Clock
) -> None:
    changed = bus.listen(EVENTS, CHANGED)
    worker = work()
    certificate = Document(kind="quarantine", number="3701000111", form="animal_b", issued_on=date(2026, 1, 5))
    pigs: Json = {"inputs": PIGS, "outputs": PIGS}
    pork: Json = {"inputs": PORK, "outputs": PORK}
    left = shipped("E1", site=FARM, to=STALL, documents=(certificate,), vehicle="鲁A12345", **pigs)
    capture(bus, left, record("E2", Step.RECEIVING, SCHOOL, counterparty=STALL, **pork))
    examined(bus, db, 2)
    eventually(lambda: db.to_examine.count_documents({}), lambda count: count == 2)
    midnight = datetime.fromisoformat("2026-01-06T00:00:00+08:00")
    sweep(db, clock, midnight, SWEEP)
    animals = found(bus, changed, "animals_not_arrived")["animals_not_arrived"]
    assert (animals["site"], animals["told"], animals["open"]) == (STALL.site, "0 HEA", True)
    worker.kill()
    clock.set(NOON + timedelta(days=3))
    worker.restart()
    meat = found(bus, changed, "meat_without_papers")["meat_without_papers"]
    assert datetime.fromisoformat(meat["due_at"]) == NOON + timedelta(hours=24)

    proof = Document(kind="quarantine", number="3702000999", form="product_b")
    capture(
        bus,
        record("E5", Step.RECEIVING, STALL, counterparty=FARM, hour=4, **pigs),
        record("E6", Step.SHIPPING, STALL, counterparty=SCHOOL, documents=(proof,), **pork),
    )
    closed = found(bus, changed, "animals_not_arrived", "meat_without_papers")
    assert not any(each["open"] for each in closed.values())


@pytest.mark.parametrize(
    "request_",
    [
        Named(("E1",)),
        Touching(("A@x",)),
        LeadingTo(("A@x",)),
        Citing(("3701000111",)),
        OnVehicle((("鲁A12345", date(2026, 1, 5)), ("鲁A1", date(2026, 1, 6)))),
        ToldAgain(("E1", "E2")),
    ],
    ids=lambda request: type(request).__name__,
)
def test_what_an_examination_reads_is_found_by_an_index(work: Callable[..., Process], db: Any, request_: Any) -> None:
    work()
    plan = db.events.find(truth_store.where(request_), truth_store.FIELDS).explain()["queryPlanner"]["winningPlan"]
    assert "COLLSCAN" not in str(plan)
    assert "IXSCAN" in str(plan) or "IDHACK" in str(plan)
