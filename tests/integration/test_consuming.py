"""The batch entrypoint against the real broker and database (design: "Consuming"); stock: `test_stock_nameko`."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from pymongo.database import Database as MongoDatabase

from contracts.topology import COMMANDS, EVENTS
from tests.bus import Bus
from tests.integration.probe_messages import LATER, PROBE
from tests.processes import Process, eventually
from tests.stack import Database

Spawn = Callable[..., Process]


@pytest.fixture
def probe(bus: Bus, spawn: Spawn, mongo: Database) -> Callable[..., Process]:
    """Starts the probe service on the test's vhost and database."""
    bus.declare(PROBE)
    bus.declare(LATER)
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "batch_size": 10}
    return lambda **more: spawn("tests.integration.run_probe", "worker", **(settings | more)).wait_ready()


def send(bus: Bus, *ids: str, fail: bool = False, circle: bool = False, **headers: Any) -> None:
    for id in ids:
        body = {"id": id, "fail": fail, "circle": circle}
        bus.publish(COMMANDS, "probe.v1", body, ce_id=f"m-{id}", **headers)


def seen(db: MongoDatabase[dict[str, Any]]) -> dict[str, int]:
    return {row["_id"]: row["times"] for row in db.seen.find()}


def test_messages_come_in_batches_and_are_stored_once_and_announced(bus: Bus, probe: Any, db: Any) -> None:
    heard = bus.listen(EVENTS, "trace.events_recorded.v1")
    ids = [f"{n}" for n in range(35)]
    send(bus, *ids)
    # Long enough for a batch to fill, however slowly the broker delivers.
    probe(linger_ms=3000)
    eventually(lambda: seen(db), lambda found: found == dict.fromkeys(ids, 1))
    sizes = [len(row["committed"]) for row in db.batches.find({"committed": {"$exists": True}})]
    assert sum(sizes) == 35
    assert max(sizes) == 10
    eventually(lambda: bus.ready(heard), lambda count: count == len(sizes))
    eventually(lambda: db.outbox.count_documents({}), lambda count: count == 0)


def test_an_announcement_keeps_correlation_cause_and_trace(bus: Bus, probe: Any) -> None:
    heard = bus.listen(EVENTS, "trace.events_recorded.v1")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    send(bus, "1", traceparent=trace, ce_correlationid="c-1")
    probe()
    headers = bus.await_message(heard).headers
    assert headers["ce-correlationid"] == "c-1"
    assert headers["ce-causationid"] == "m-1"
    assert headers["traceparent"].split("-")[1] == trace.split("-")[1]


def test_an_unreadable_body_is_dead_at_once_and_its_source_is_told(bus: Bus, probe: Any, db: Any) -> None:
    bus.publish(COMMANDS, "probe.v1", b"{not json", ce_id="m-bad", ce_source="market")
    bus.publish(COMMANDS, "probe.v1", {"fail": "maybe"}, ce_id="m-worse", ce_source="market")
    send(bus, "good")
    probe()
    dead = [bus.await_message(PROBE.dead), bus.await_message(PROBE.dead)]
    assert {letter.headers["x-shilian-message-id"] for letter in dead} == {"m-bad", "m-worse"}
    told = {error["field"] for letter in dead for error in json.loads(letter.headers["x-shilian-errors"])}
    assert told == {"", "id", "fail"}
    answers = [bus.await_message("egress.market").body for _ in dead]
    assert {verdict["message_id"] for answer in answers for verdict in answer["verdicts"]} == {"m-bad", "m-worse"}
    eventually(lambda: seen(db), lambda found: found == {"good": 1})


def test_an_unknown_type_is_dead_and_names_the_rule(bus: Bus, probe: Any) -> None:
    bus.publish(COMMANDS, "probe.v1", {"id": "1"}, ce_type="probe.v9")
    probe()
    assert bus.await_message(PROBE.dead).headers["x-shilian-reason"] == "unknown_kind"


def test_a_poison_message_climbs_the_ladder_and_spares_its_neighbours(bus: Bus, probe: Any, db: Any) -> None:
    send(bus, "a")
    send(bus, "poison", fail=True)
    send(bus, "b")
    probe()
    rung = bus.await_message("shilian.retry.10s")
    eventually(lambda: seen(db), lambda found: found == {"a": 1, "b": 1})
    assert rung.body["id"] == "poison"
    assert rung.headers["x-shilian-attempt"] == 1
    assert rung.headers["x-shilian-routing-key"] == "probe.v1"


def test_a_rung_leads_back_to_the_queue_with_the_first_routing_key(bus: Bus, probe: Any, db: Any) -> None:
    send(bus, "poison", fail=True)
    probe()
    eventually(lambda: db.batches.count_documents({"ids": ["poison"]}), lambda tries: tries >= 2)
    again = bus.await_message("shilian.retry.1m")
    assert again.headers["x-shilian-attempt"] == 2
    assert again.headers["x-shilian-routing-key"] == "probe.v1"


def test_past_the_last_rung_a_message_is_dead_with_its_traceback(bus: Bus, probe: Any) -> None:
    bus.publish("", PROBE.name, {"id": "poison", "fail": True}, ce_type="probe.v1", x_shilian_attempt=3)
    probe()
    letter = bus.await_message(PROBE.dead)
    told = json.loads(letter.headers["x-shilian-errors"])[0]
    assert letter.headers["x-shilian-reason"] == "poison"
    assert told["value"] == "ValueError"
    assert "told to fail" in told["message"]
    assert "Traceback" in told["message"]


def test_headers_of_the_platform_count_for_nothing_when_a_sender_writes_them(bus: Bus, probe: Any) -> None:
    send(bus, "poison", fail=True, x_shilian_attempt=3, x_shilian_routing_key="catering.forged.v1")
    probe()
    rung = bus.await_message("shilian.retry.10s")
    assert rung.headers["x-shilian-attempt"] == 1
    assert rung.headers["x-shilian-routing-key"] == "probe.v1"


def test_a_failure_that_quotes_a_whole_document_is_told_without_it(bus: Bus, probe: Any, db: Any) -> None:
    worker = probe()
    db.command("collMod", "seen", validator={"times": {"$gt": 9}})
    bus.publish("", PROBE.name, {"id": "张三" + "x" * 300_000}, ce_type="probe.v1", x_shilian_attempt=3)
    letter = bus.await_message(PROBE.dead)
    assert "BulkWriteError [121]" in letter.headers["x-shilian-errors"]
    assert "张三" not in letter.headers["x-shilian-errors"] + worker.log.read_text()


def test_a_graceful_stop_under_load_redelivers_nothing(bus: Bus, probe: Any, db: Any) -> None:
    # The broker may pause on a busy machine; what it sends after the silence that ends the drain comes back.
    worker = probe(quiet_ms=2000)
    ids = [f"{n}" for n in range(300)]
    send(bus, *ids[:150])
    eventually(lambda: len(seen(db)))
    assert worker.stop() == 0
    send(bus, *ids[150:])
    worker.restart()
    eventually(lambda: len(seen(db)), lambda count: count == 300)
    assert set(seen(db).values()) == {1}
    assert db.batches.count_documents({"redelivered": {"$gt": 0}}) == 0


def test_killed_in_mid_batch_a_worker_loses_nothing(bus: Bus, probe: Any, db: Any) -> None:
    heard = bus.listen(EVENTS, "trace.events_recorded.v1")
    worker = probe(linger_ms=0)
    ids = [f"{n}" for n in range(400)]
    send(bus, *ids)
    eventually(lambda: len(seen(db)), lambda count: count > 20)
    worker.kill()
    worker.restart()
    eventually(lambda: set(seen(db)), lambda found: found == set(ids))
    committed = db.batches.count_documents({"committed": {"$exists": True}})
    # What the killed worker had leased to itself is relayed once the lease ends.
    eventually(lambda: db.outbox.count_documents({}), lambda count: count == 0)
    eventually(lambda: bus.ready(heard), lambda count: count >= committed)
    # What it had not acked comes again, and need not come first.
    bus.await_empty(PROBE.name)
    assert worker.stop() == 0
    assert bus.ready(PROBE.name) == 0


def test_a_batch_that_lands_before_the_one_ahead_of_it_does_not_have_that_acked(bus: Bus, probe: Any, db: Any) -> None:
    held, free = [f"held {n}" for n in range(10)], [f"free {n}" for n in range(10)]
    worker = probe(linger_ms=2_000)
    with db.client.start_session() as session, session.start_transaction():
        # Whoever else writes this row collides with an open transaction, and is held.
        db.seen.insert_one({"_id": held[0], "times": 0}, session=session)
        send(bus, *held, *free)
        eventually(lambda: seen(db), lambda found: found == dict.fromkeys(free, 1))
        worker.kill()
        session.abort_transaction()
    worker.restart()
    eventually(lambda: seen(db), lambda found: set(found) == {*held, *free})
    assert {seen(db)[id] for id in held} == {1}


def test_of_large_messages_only_the_next_few_are_taken_in(bus: Bus, probe: Any, db: Any) -> None:
    """A window counts messages; a thousand bundles are more than a process may have (512 MiB on Kubernetes)."""
    worker = probe(batch_size=100, hold_s=300)
    before = peak(worker)
    with db.client.start_session() as session, session.start_transaction():
        db.seen.insert_one({"_id": "0", "times": 0}, session=session)
        for number in range(200):
            body = b'{"id": "%d"%s}' % (number, b" " * (1 << 20))
            bus.publish(COMMANDS, "probe.v1", body, ce_id=f"m-{number}")
        eventually(lambda: bus.ready(PROBE.name), lambda count: count == 0)
        # Nothing tells that no more is read.
        sleep(5)
        session.abort_transaction()
    eventually(lambda: seen(db), lambda found: found == {str(number): 1 for number in range(200)})
    bus.await_empty(PROBE.name)
    assert peak(worker) - before < 100 << 10


def peak(worker: Process) -> int:
    """The most memory that a process ever had, KiB."""
    status = Path(f"/proc/{worker.child.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def test_a_queue_gives_way_to_the_one_it_comes_after_and_keeps_two_of_its_own_batches_here(
    bus: Bus, probe: Any, db: Any
) -> None:
    probe()
    with db.client.start_session() as session, session.start_transaction():
        db.seen.insert_one({"_id": "0", "times": 0}, session=session)
        send(bus, *map(str, range(50)))
        eventually(lambda: seen(db), lambda found: len(found) == 10)
        for number in range(10):
            bus.publish(COMMANDS, "later.v1", {"id": str(number)}, ce_id=f"later {number}")
        # Two batches of two are delivered, and nothing but the rule keeps them.
        eventually(lambda: bus.ready(LATER.name), lambda count: count == 6)
        session.abort_transaction()
    eventually(lambda: sum(row["messages"] for row in db.looks.find()), lambda count: count == 10)
    assert db.looks.distinct("seen") == [50]
    assert max(db.looks.distinct("messages")) == 2


def test_a_batch_ends_with_the_message_that_fills_it(bus: Bus, probe: Any, db: Any) -> None:
    """`most_bytes` of the probe's second queue are 10,000, `most` messages of it two."""
    for number in range(4):
        bus.publish(COMMANDS, "later.v1", {"id": str(number) * 12_000}, ce_id=f"large {number}")
    probe(linger_ms=3000)
    eventually(lambda: sum(row["messages"] for row in db.looks.find()), lambda count: count == 4)
    assert db.looks.distinct("messages") == [1]


def test_a_queue_does_not_give_way_for_ever(bus: Bus, probe: Any, db: Any) -> None:
    """But for `GIVES_WAY_S`, 20 s, to a queue that is never quiet."""
    probe()
    numbers = count()

    def looked() -> Any:
        send(bus, str(next(numbers)))
        return db.looks.find_one()

    eventually(lambda: looked() or seen(db))
    bus.publish(COMMANDS, "later.v1", {"id": "0"}, ce_id="later")
    began = monotonic()
    eventually(looked)
    assert 15 < monotonic() - began < 60


def test_a_timer_waits_until_all_that_queued_meanwhile_is_handled(bus: Bus, probe: Any, db: Any) -> None:
    probe(batch_size=1, timer_s=0.001)
    eventually(lambda: db.ticks.count_documents({}))
    with db.client.start_session() as session, session.start_transaction():
        # The first batch is held until the second has landed; both acked, the window is empty for a moment.
        db.seen.insert_one({"_id": "0", "times": 0}, session=session)
        send(bus, *map(str, range(100)), ce_time="2026-01-05T04:00:00Z")
        eventually(lambda: seen(db), lambda found: found == {"1": 1})
        db.timers.update_one({"_id": "tick"}, {"$set": {"due_at": datetime(2026, 1, 5, tzinfo=UTC)}})
        session.abort_transaction()
    eventually(lambda: db.ticks.count_documents({"seen": {"$gt": 0}}))
    assert [row["seen"] for row in db.ticks.find()] == [0, 100]


def test_a_timer_that_meets_anothers_transaction_fires_once_that_is_over(bus: Bus, probe: Any, db: Any) -> None:
    worker = probe(timer_s=0.05)
    eventually(lambda: db.ticks.count_documents({}))
    with db.client.start_session() as session, session.start_transaction():
        db.counts.update_one({"_id": "ticks"}, {"$inc": {"held": 1}}, session=session)
        db.timers.update_one({"_id": "tick"}, {"$set": {"due_at": datetime(2026, 1, 5, tzinfo=UTC)}})
        eventually(lambda: 'outcome="waiting"' in worker.says("/metrics"))
        session.abort_transaction()
    eventually(lambda: db.counts.find_one({"times": 2}))
    assert 'outcome="failed"' not in worker.says("/metrics")


def in_hand(bus: Bus, db: Any) -> int:
    """Messages that the probe holds as it handles one more."""
    id = uuid4().hex
    send(bus, id)
    alive: int = eventually(lambda: db.batches.find_one({"ids": id}))["alive"]
    return alive


def test_nothing_is_kept_of_a_batch_that_was_held(bus: Bus, probe: Any, db: Any) -> None:
    probe(search_s=3_600)
    with db.client.start_session() as session, session.start_transaction():
        db.seen.insert_one({"_id": "1", "times": 0}, session=session)
        send(bus, "1")
        eventually(lambda: db.batches.count_documents({"ids": "1"}), lambda tried: tried > 2)
        session.abort_transaction()
    eventually(lambda: seen(db), lambda found: found == {"1": 1})
    eventually(lambda: in_hand(bus, db), lambda alive: alive == 1)


def test_nothing_is_kept_of_a_message_that_failed(bus: Bus, probe: Any, db: Any) -> None:
    probe(search_s=3_600)
    send(bus, "1", fail=True)
    eventually(lambda: db.batches.find_one({"ids": "1"}))
    eventually(lambda: in_hand(bus, db), lambda alive: alive == 1)


def test_what_nobody_knows_of_is_searched_for_by_the_clock(bus: Bus, probe: Any, db: Any) -> None:
    probe(search_s=0.1)
    send(bus, "1", circle=True)
    eventually(lambda: in_hand(bus, db), lambda alive: alive == 1)
