"""Broker and database die and come back under the batch entrypoint; a private stack that the tests break.

Each ends in: every message handled exactly once as far as the store is concerned, the queue empty.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from contracts.topology import COMMANDS, EVENTS, INGEST
from tests.bus import Bus
from tests.faults.pipeline import LINES, TICKET, ticket
from tests.integration.probe_messages import LATER, PROBE
from tests.processes import Process, eventually
from tests.stack import Infra, Vhost

Spawn = Callable[..., Process]


class Scene:
    """A private broker and database, and the probe service on them."""

    def __init__(self, infra: Infra, spawn: Spawn) -> None:
        self.infra = infra
        self.url = infra.broker.amqp_url("shilian")
        self.mongo = MongoClient[dict[str, Any]](infra.mongod.mongo_url("trace"))
        self.db = self.mongo.get_default_database()
        self._spawn = spawn
        self.bus = self.connect()
        self.bus.declare(PROBE)
        self.bus.declare(LATER)

    def connect(self) -> Bus:
        return Bus(Vhost("shilian", "shilian", self.url, self.infra.broker.management_url))

    def probe(self, **settings: Any) -> Process:
        chosen = {"amqp_url": self.url, "mongo_url": self.infra.mongod.mongo_url("trace"), "batch_size": 10}
        return self._spawn("tests.integration.run_probe", "worker", **(chosen | settings)).wait_ready()

    def send(self, numbers: range) -> None:
        for number in numbers:
            self.bus.publish(COMMANDS, "probe.v1", {"id": str(number)})

    def seen(self) -> dict[str, int]:
        return {row["_id"]: row["times"] for row in self.db.seen.find()}

    def await_all(self, count: int) -> None:
        """Every message exactly once."""
        wanted = {str(number): 1 for number in range(count)}
        eventually(self.seen, lambda found: found == wanted)

    def stop(self, worker: Process, queue: str = PROBE.name) -> None:
        """Stops it once nothing waits for it; what it has in hand it finishes and acks."""
        self.bus.await_empty(queue)
        assert worker.stop() == 0
        assert self.bus.ready(queue) == 0

    def start_again(self, server: Any) -> None:
        server.start()
        server.wait_healthy()


@pytest.fixture
def scene(private_stack: Callable[[], Infra], spawn: Spawn) -> Iterator[Scene]:
    scene = Scene(private_stack(), spawn)
    yield scene
    scene.mongo.close()
    if scene.bus.connection.is_open:
        scene.bus.close()


def test_while_the_store_is_away_a_batch_is_held_and_nothing_is_redelivered(scene: Scene) -> None:
    worker = scene.probe(hold_s=600)
    scene.send(range(50))
    eventually(scene.seen, lambda found: len(found) == 50)
    scene.infra.mongod.kill()
    scene.send(range(50, 100))
    eventually(lambda: worker.says("/ready"), lambda said: "holding" in said)
    scene.start_again(scene.infra.mongod)
    scene.await_all(100)
    assert scene.db.batches.count_documents({"redelivered": {"$gt": 0}}) == 0
    scene.stop(worker)


def test_after_a_long_outage_the_subscription_comes_back_by_itself(scene: Scene) -> None:
    worker = scene.probe(hold_s=1)
    scene.infra.mongod.kill()
    scene.send(range(30))
    eventually(lambda: scene.bus.ready(PROBE.name), lambda waiting: waiting == 30)
    eventually(lambda: "dropped" in worker.log.read_text())
    scene.start_again(scene.infra.mongod)
    scene.await_all(30)
    scene.stop(worker)


def test_a_batch_given_up_while_the_broker_is_away_too_is_held_no_more(scene: Scene) -> None:
    worker = scene.probe(hold_s=10)
    scene.infra.wait_recoverable(PROBE.name)
    scene.infra.mongod.kill()
    scene.send(range(10))
    eventually(lambda: worker.says("/ready"), lambda said: "holding" in said)
    scene.bus.close()
    scene.infra.broker.kill()
    # The first tells of the connection, the next of the attempts to subscribe once the batch is given up.
    eventually(lambda: worker.log.read_text().count("subscription lost"), lambda times: times > 1)
    scene.start_again(scene.infra.mongod)
    scene.start_again(scene.infra.broker)
    scene.bus = scene.connect()
    # A broker that just rose may drop the connection once more, and the ack with it: then the batch comes again.
    eventually(lambda: set(scene.seen()), lambda found: found == {str(n) for n in range(10)})
    worker.wait_ready()
    assert 'shilian_holding{queue="probe.in"} 0.0' in worker.says("/metrics")
    scene.stop(worker)


def test_a_broker_killed_and_restarted_under_load_loses_nothing(scene: Scene) -> None:
    worker = scene.probe()
    scene.infra.wait_recoverable(PROBE.name)
    scene.send(range(300))
    eventually(scene.seen)
    scene.bus.close()
    scene.infra.broker.kill()
    scene.start_again(scene.infra.broker)
    scene.bus = scene.connect()
    scene.send(range(300, 400))
    # A batch committed before its ack was lost comes again: the probe counts it, an idempotent service would not.
    eventually(lambda: set(scene.seen()), lambda found: found == {str(n) for n in range(400)})
    worker.wait_ready()
    eventually(lambda: scene.db.outbox.count_documents({}), lambda rows: rows == 0)
    scene.stop(worker)


def test_a_disk_alarm_holds_publishers_without_loss(scene: Scene) -> None:
    heard = scene.bus.listen(EVENTS, "trace.events_recorded.v1")
    worker = scene.probe()
    scene.send(range(20))
    scene.await_all(20)
    eventually(lambda: scene.db.outbox.count_documents({}), lambda rows: rows == 0)
    announced = scene.bus.ready(heard)
    scene.infra.broker.ctl("set_disk_free_limit", "100000GB")
    scene.db.outbox.insert_one(_row("while blocked"))
    eventually(lambda: worker.says("/ready"), lambda said: "blocked" in said)
    scene.infra.broker.ctl("set_disk_free_limit", "50MB")
    eventually(lambda: scene.bus.ready(heard), lambda count: count == announced + 1)
    eventually(lambda: scene.db.outbox.count_documents({}), lambda rows: rows == 0)
    assert worker.stop() == 0


def test_a_stop_while_publishers_are_blocked_ends_and_loses_nothing(scene: Scene) -> None:
    worker = scene.probe(drain_s=1)
    scene.infra.broker.ctl("set_disk_free_limit", "100000GB")
    scene.db.outbox.insert_one(_row("while blocked"))
    eventually(lambda: worker.says("/ready"), lambda said: "blocked" in said)
    assert worker.stop() == 0
    scene.infra.broker.ctl("set_disk_free_limit", "50MB")
    worker.restart()
    eventually(lambda: scene.db.outbox.count_documents({}), lambda rows: rows == 0)
    assert worker.stop() == 0


def test_an_adapter_stopped_while_publishers_are_blocked_gives_its_batch_back(scene: Scene, spawn: Spawn) -> None:
    for number in range(20):
        scene.bus.publish(INGEST, TICKET, ticket(number), ce_id=f"m-{number}")
    scene.infra.broker.ctl("set_disk_free_limit", "100000GB")
    adapter = spawn("services.adapters.market", "worker", amqp_url=scene.url, drain_s=1)
    eventually(lambda: adapter.says("/ready"), lambda said: "blocked" in said)
    assert adapter.stop() == 0
    scene.infra.broker.ctl("set_disk_free_limit", "50MB")
    adapter.restart()
    told: set[tuple[str, int]] = set()

    def adapted() -> int:
        bundles = scene.bus.take_all("trace.capture")
        told.update((each["message_id"], each["line"]) for bundle in bundles for each in bundle.body["records"])
        return len(told)

    eventually(adapted, lambda count: count == 20 * LINES)
    scene.stop(adapter, "market.ingest")


def _row(id: str) -> dict[str, Any]:
    from chassis.outgoing import UNLEASED, Outgoing

    return Outgoing(EVENTS, "trace.events_recorded.v1", id, {}, b"{}").row(UNLEASED)
