"""Each adapter as a process against the real broker; the sources publish and read answers as their own users."""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest

from contracts.topology import INGEST
from deploy.local.provision import provision_source
from tests.bus import Bus
from tests.contracts.golden import AT, GOLDEN
from tests.processes import Process, eventually
from tests.stack import Vhost
from tests.unit.wired import SHOP

Spawn = Callable[..., Process]

SALE = {
    "time": "2024-03-15 05:00",
    "stall": SHOP,
    "lines": [{"product": "白菜", "batch_no": "B1", "quantity": "1公斤"}],
}


class Source:
    """A legacy system, connected as its own broker user."""

    def __init__(self, vhost: Vhost, name: str) -> None:
        password = secrets.token_hex(8)
        provision_source(vhost.management, name, password, vhost.name)
        self.name = name
        self.connection = pika.BlockingConnection(pika.URLParameters(vhost.amqp_url(name, password)))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self._answers: list[Any] = []

    def publish(self, key: str, body: Any, content_type: str | None = None, **headers: Any) -> None:
        """Publishes as a sender does; `ce_id` becomes the header `ce-id`."""
        named = {name.replace("ce_", "ce-"): value for name, value in headers.items()}
        properties = pika.BasicProperties(headers=named, content_type=content_type)
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.channel.basic_publish(INGEST, key, raw, properties, mandatory=True)

    def answers(self) -> list[Any]:
        """All verdicts so far on its own egress queue."""
        taken = iter(lambda: self.channel.basic_get(f"egress.{self.name}", auto_ack=True), (None, None, None))
        self._answers += [verdict for _, _, body in taken for verdict in json.loads(body)["verdicts"]]
        return self._answers

    def await_answers(self, count: int) -> list[Any]:
        """So many verdicts: queues do not keep step, a dead letter may be there before the answer sent ahead of it."""
        return eventually(self.answers, lambda told: len(told) >= count)


@pytest.fixture
def source(bus: Bus) -> Iterator[Callable[[str], Source]]:
    """Connects sources by their names."""
    connected: list[Source] = []

    def connect(name: str) -> Source:
        connected.append(Source(bus.vhost, name))
        return connected[-1]

    yield connect
    for one in connected:
        one.connection.close()


@pytest.fixture
def adapter(bus: Bus, spawn: Spawn) -> Callable[[str], Process]:
    """Starts the adapter of a system."""
    return lambda system: spawn(f"services.adapters.{system}", "worker", amqp_url=bus.vhost.url).wait_ready()


def gather(bus: Bus, queue: str, kind: str, count: int) -> list[Any]:
    """So many records or observations, from as many bundles as it takes."""
    found: list[Any] = []

    def look() -> int:
        found.extend(item for message in bus.take_all(queue) for item in message.body[kind])
        return len(found)

    eventually(look, lambda seen: seen >= count)
    assert len(found) == count
    return found


def by_place(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: (item["message_id"], item.get("line") or item.get("record", 0)))


@pytest.mark.parametrize("system", ["market", "one_network", "catering", "docking"])
def test_every_golden_message_is_adapted_and_answered(system: str, bus: Bus, source: Any, adapter: Any) -> None:
    name = "docking.formula" if system == "docking" else system
    sender = source(name)
    golden = [one for one in GOLDEN if one.type.startswith(system)]
    for one in golden:
        headers = {"ce_id": f"{one.type}/{one.name}", "ce_time": AT.isoformat(), "ce_type": one.type}
        sender.publish(name + one.type.removeprefix(system), one.body, **headers)
    adapter(system)

    def expected(kind: str) -> list[Any]:
        return by_place(
            [{**item, "message_id": f"{one.type}/{one.name}"} for one in golden for item in one.expected[kind]]
        )

    def without_ids(items: list[Any]) -> list[Any]:
        return [{key: value for key, value in item.items() if key != "id"} for item in by_place(items)]

    records, seen, refused = expected("records"), expected("observations"), expected("refusals")
    tests = expected("tests")
    assert without_ids(gather(bus, "trace.capture", "records", len(records))) == without_ids(records)
    assert without_ids(gather(bus, "registry.observe", "observations", len(seen))) == without_ids(seen)
    assert without_ids(gather(bus, "inspection.tests", "tests", len(tests))) == without_ids(tests)
    bus.await_empty(f"{system}.ingest")
    dead = [bus.await_message(f"{system}.ingest.dead") for one in golden if one.expected["refusals"]]
    assert by_place(sender.await_answers(len(refused))) == refused
    assert sum(letter.headers["x-shilian-records"] for letter in dead) == len(refused)


def test_dead_letter_holds_the_message_as_it_came(bus: Bus, source: Any, adapter: Any) -> None:
    body = '{"摊位": {"名称": "无证摊"}, "时间": "2024-03-15", "明细": [{"批号": "1"}]}'.encode("gb18030")
    source("market").publish("market.sale_ticket.v1", body, ce_id="m-1", own="kept")
    adapter("market")
    letter = bus.await_message("market.ingest.dead")
    assert letter.body == body
    assert letter.headers["own"] == "kept"
    assert letter.headers["x-shilian-reason"] == "no_site"
    assert letter.headers["x-shilian-message-id"] == "m-1"
    [error] = json.loads(letter.headers["x-shilian-errors"])
    assert (error["field"], error["value"]) == ("摊位", "无证摊")


def test_envelopes_of_many_kinds_are_understood(bus: Bus, source: Any, adapter: Any) -> None:
    sender = source("market")
    key = "market.sale_ticket.v1"
    event = {"specversion": "1.0", "id": "structured", "type": key, "source": "catering", "data": SALE}
    sender.publish(key, event, content_type="application/cloudevents+json")
    sender.publish(key, SALE, **{"cloudEvents:id": "colon", "cloudEvents:type": key})
    sender.publish(key, SALE, cloudEvents_id="underscore", cloudEvents_source="one_network")
    sender.publish(key, SALE)
    adapter("market")
    records = gather(bus, "trace.capture", "records", 4)
    ids = {record["message_id"] for record in records}
    assert {"structured", "colon", "underscore"} < ids
    assert {record["source"] for record in records} == {"market"}


def test_hostile_messages_cost_only_themselves(bus: Bus, source: Any, adapter: Any) -> None:
    sender = source("market")
    hostile = [
        b"",
        b"\xff\xff\xff",
        b"[" * 50_000,
        b'{"lines": [' + b"1," * 50_000 + b"1]}",
        b'{"lines": ' + b"9" * 5_000 + b"}",
        b'{"stall": "\\ud800", "lines": [{}]}',
        b'{"lines": [{"quantity": NaN}], "lines": "x"}',
        b"x" * (1 << 20) + b"x",
    ]
    for number, body in enumerate(hostile):
        sender.publish("market.sale_ticket.v1", body, ce_id=f"bad-{number}")
        sender.publish("market.sale_ticket.v1", SALE, ce_id=f"good-{number}")
    sender.publish("market.nonsense.v1", SALE, ce_id="bad-kind")
    sender.publish("market.sale_ticket.v9", SALE, ce_id="bad-version")
    worker = adapter("market")
    records = gather(bus, "trace.capture", "records", len(hostile))
    assert {record["message_id"] for record in records} == {f"good-{number}" for number in range(len(hostile))}
    dead = [bus.await_message("market.ingest.dead") for _ in range(len(hostile) + 2)]
    reasons = {letter.headers["x-shilian-message-id"]: letter.headers["x-shilian-reason"] for letter in dead}
    assert reasons["bad-kind"] == "unknown_kind"
    assert reasons["bad-version"] == "unknown_version"
    assert {verdict["message_id"] for verdict in sender.await_answers(len(reasons))} == set(reasons)
    assert worker.stop() == 0


def test_docked_systems_are_answered_apart(bus: Bus, source: Any, adapter: Any) -> None:
    formula, quarantine = source("docking.formula"), source("docking.quarantine")
    formula.publish("docking.formula.capture.v1", {"lines": [{"step": "发射"}]}, ce_id="f-1")
    quarantine.publish("docking.quarantine.capture.v1", {}, ce_id="q-1")
    adapter("docking")
    for _ in range(2):
        bus.await_message("docking.ingest.dead")
    assert [verdict["message_id"] for verdict in formula.await_answers(1)] == ["f-1"]
    assert [verdict["message_id"] for verdict in quarantine.await_answers(1)] == ["q-1"]
