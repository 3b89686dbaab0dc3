"""The main path as fault tests break it: legacy tickets in, an adapter, the trace worker, events and answers out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from chassis.topology import declare
from contracts.topology import CONSUMED, EVENTS, INGEST, RETRY_LADDER, Queue
from tests.bus import Bus
from tests.processes import Process, eventually
from tests.stack import Infra, Vhost

TICKET = "market.entry_ticket.v1"
LINES = 3
OURS = {"services.adapters.market": "market.", "services.trace": "trace."}
"""The workers in the order of their work, and what the names of their queues begin with.

The queues of other services fill up, for nobody takes from them here.
"""


def ticket(number: int, **changed: Any) -> dict[str, Any]:
    """A market's entry ticket of three lots."""
    lines = [
        {"product": "大白菜", "category": "蔬菜", "quantity": "12", "unit": "公斤", "batch_no": f"B{number}-{line}"}
        for line in range(LINES)
    ]
    return {
        "document_no": f"JC2026-{number:06}",
        "time": "2026-10-05T03:40:00+08:00",
        "stall": {"id": "A-17", "name": "王记", "licence": "JY13701050012345", "division": "370105"},
        "supplier": {"name": "绿源合作社", "uscc": "91370181MA3C5X1K0A", "address": "章丘", "contact": "李"},
        "lines": lines,
        **changed,
    }


class Pipeline:
    """A private broker and database with the market adapter and trace workers on them."""

    def __init__(self, infra: Infra, spawn: Callable[..., Process]) -> None:
        self.infra = infra
        self._spawn = spawn
        self.url = infra.broker.amqp_url("shilian")
        declare(self.url)
        for queue in CONSUMED:
            infra.wait_recoverable(queue.name)
        self.mongo = MongoClient[dict[str, Any]](infra.mongod.mongo_url("trace"))
        self.db = self.mongo.get_default_database()
        self.bus = self.connect()
        self.heard = self.bus.listen(EVENTS, "trace.events_recorded.v1")
        self.processes: list[Process] = []
        self.verdicts: list[dict[str, Any]] = []

    def connect(self) -> Bus:
        return Bus(Vhost("shilian", "shilian", self.url, self.infra.broker.management_url))

    def start(self, service: str, **settings: Any) -> Process:
        """Starts a worker and waits until it is ready."""
        chosen = {"amqp_url": self.url, "mongo_url": self.infra.mongod.mongo_url("trace"), "batch_size": 20}
        process = self._spawn(service, "worker", **(chosen | settings)).wait_ready()
        assert "monkey_patch" not in process.tail()
        self.processes.append(process)
        return process

    def adapter(self) -> Process:
        return self.start("services.adapters.market")

    def trace(self) -> Process:
        return self.start("services.trace")

    def publish(self, numbers: Iterable[int]) -> None:
        """Publishes tickets, each with its number as id."""
        for number in numbers:
            self.bus.publish(INGEST, TICKET, ticket(number), ce_id=f"m-{number}", ce_time="2026-10-05T04:00:00+08:00")

    def documents(self) -> Counter[str]:
        """How many events each ticket has."""
        return Counter(row["document"] for row in self.db.events.find({}, {"document": 1}))

    def await_recorded(self, numbers: Iterable[int]) -> None:
        """Every line of every ticket is an event, once."""
        wanted = {f"JC2026-{number:06}": LINES for number in numbers}
        eventually(lambda: dict(self.documents()), lambda found: found == wanted)

    def stop(self) -> None:
        """Stops the workers in the order of their work, each when nothing waits for it: the rest it has in hand."""
        for service, prefix in OURS.items():
            self.bus.await_empty(*(queue.name for queue in _ours() if queue.name.startswith(prefix)))
            for process in self.processes:
                if process.args[0] == service and process.child.poll() is None:
                    assert process.stop() == 0, process.tail()

    def assert_settled(self, numbers: Iterable[int]) -> None:
        """All recorded once, announced, answered; with the workers stopped no queue or outbox holds anything."""
        self.await_recorded(numbers)
        eventually(lambda: self.db.outbox.count_documents({}), lambda rows: rows == 0)
        self.stop()
        names = [name for queue in _ours() for name in (queue.name, queue.dead)]
        assert {name: held for name in (*names, *RETRY_LADDER) if (held := self.bus.ready(name))} == {}
        ids = {row["_id"] for row in self.db.events.find({}, {"_id": 1})}
        announced = [event["id"] for taken in self.bus.take_all(self.heard) for event in taken.body["events"]]
        assert set(announced) == ids
        self.verdicts = [verdict for taken in self.bus.take_all("egress.market") for verdict in taken.body["verdicts"]]
        assert {verdict["event_id"] for verdict in self.verdicts if verdict["outcome"] != "rejected"} == ids


def _ours() -> list[Queue]:
    return [queue for queue in CONSUMED if queue.name.startswith((*OURS.values(),))]


@pytest.fixture
def pipeline(private_stack: Callable[[], Infra], spawn: Callable[..., Process]) -> Iterator[Pipeline]:
    """A fresh pipeline; its workers are the test's to start."""
    pipeline = Pipeline(private_stack(), spawn)
    yield pipeline
    pipeline.mongo.close()
    if pipeline.bus.connection.is_open:
        pipeline.bus.close()
