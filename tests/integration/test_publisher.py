"""The client of the legacy systems against a real broker: away and back, killed, refused, held back."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pika
import pytest
import shilian_publisher
from shilian_publisher import Event, Publisher

from contracts.topology import INGEST, MARKET_INGEST
from tests.bus import Bus
from tests.processes import DEADLINE_S, eventually, free_port
from tests.stack import Infra, Vhost

SALE = "market.sale_ticket.v1"
QUEUE = MARKET_INGEST.name
PACKAGES = Path(shilian_publisher.__file__).parents[1]
SEND = ["--source", "market", "--url", "amqp://127.0.0.1:1"]

SENDER = """
import sys
from shilian_publisher import Publisher

publisher = Publisher(sys.argv[1], "market", sys.argv[2])
for number in range(1_000_000):
    print(publisher.send("market.sale_ticket.v1", {"n": number}, id=f"T-{number}"), flush=True)
"""

ALONE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from shilian_publisher.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def publisher(bus: Bus, tmp_path: Path) -> Iterator[Publisher]:
    """A publisher on the test's vhost."""
    with Publisher(bus.vhost.url, "market", tmp_path / "spool.db") as opened:
        yield opened


def events(*numbers: int) -> list[Event]:
    return [Event(SALE, {"n": number}, f"T-{number}") for number in numbers]


def taken(bus: Bus, queue: str = QUEUE) -> list[int]:
    return [message.body["n"] for message in bus.take_all(queue)]


def trouble(publisher: Publisher, words: str) -> str | None:
    return eventually(lambda: publisher.trouble, lambda seen: words in (seen or ""))


def test_event_arrives_persistent_with_its_envelope(bus: Bus, publisher: Publisher) -> None:
    id = publisher.send(SALE, {"品名": "菠菜"})
    assert publisher.flush(DEADLINE_S) == 0
    method, properties, body = bus.channel.basic_get(QUEUE, auto_ack=True)
    assert method is not None
    assert properties is not None
    assert (method.routing_key, json.loads(body), properties.delivery_mode) == (SALE, {"品名": "菠菜"}, 2)
    headers = properties.headers or {}
    assert (properties.message_id, headers["ce-id"], headers["ce-type"]) == (id, id, SALE)
    assert {"ce-source", "ce-time", "ce-specversion", "traceparent"} <= headers.keys()


def test_events_of_many_threads_and_batches_all_arrive(bus: Bus, publisher: Publisher) -> None:
    def send(start: int) -> None:
        publisher.send_all(events(*range(start, start + 1500)))

    threads = [threading.Thread(target=send, args=(start,)) for start in (0, 10_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert publisher.flush(DEADLINE_S) == 0
    assert sorted(taken(bus)) == [*range(1500), *range(10_000, 11_500)]


def test_broker_away_spools_and_delivers_later_in_order_once(
    private_stack: Callable[[], Infra], tmp_path: Path
) -> None:
    infra = private_stack()
    broker = infra.broker
    vhost = Vhost("shilian", "shilian", broker.amqp_url("shilian"), broker.management_url)
    bus = Bus(vhost)
    bus.declare()
    bus.close()
    infra.wait_recoverable(QUEUE)
    with Publisher(vhost.url, "market", tmp_path / "spool.db") as publisher:
        publisher.send_all(events(*range(300)))
        assert publisher.flush(DEADLINE_S) == 0
        broker.kill()
        publisher.send_all(events(*range(300, 600)))
        publisher.send_all(events(*range(600, 900)))
        assert publisher.flush(timeout=0) == 600
        broker.start()
        broker.wait_healthy()
        assert publisher.flush(DEADLINE_S) == 0
    bus = Bus(vhost)
    assert taken(bus) == list(range(900))
    bus.close()


def test_events_taken_while_the_broker_was_away_survive_the_program(bus: Bus, tmp_path: Path) -> None:
    nowhere = f"amqp://market:secret@127.0.0.1:{free_port()}/shilian"
    away = Publisher(nowhere, "market", tmp_path / "spool.db")
    away.send_all(events(1, 2))
    trouble(away, "refused")
    away.close(timeout=0)
    with Publisher(bus.vhost.url, "market", tmp_path / "spool.db") as publisher:
        publisher.send_all(events(3))
        assert publisher.flush(DEADLINE_S) == 0
    assert taken(bus) == [1, 2, 3]


def test_killed_program_loses_nothing_and_repeats_only_with_the_same_id(bus: Bus, tmp_path: Path) -> None:
    spool = tmp_path / "spool.db"
    path = {"PYTHONPATH": str(PACKAGES)}
    with subprocess.Popen(
        [sys.executable, "-c", SENDER, bus.vhost.url, str(spool)], env=path, stdout=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdout is not None
        accepted = _lines_until(sender.stdout, lambda: bus.ready(QUEUE) > 100)
        sender.kill()
        accepted += sender.stdout.read().split()
    with Publisher(bus.vhost.url, "market", spool) as publisher:
        assert publisher.flush(DEADLINE_S) == 0
    messages = bus.take_all(QUEUE)
    arrived = {message.headers["ce-id"]: message.body["n"] for message in messages}
    # The last event may have been written and its id not printed any more.
    assert list(arrived)[: len(accepted)] == accepted
    assert len(arrived) - len(accepted) in (0, 1)
    assert all(message.headers["ce-id"] == f"T-{message.body['n']}" for message in messages)


def _lines_until(stream: IO[str], enough: Callable[[], bool]) -> list[str]:
    lines: list[str] = []
    while len(lines) % 50 or not enough():
        lines.append(stream.readline().strip())
    return lines


def test_closing_at_any_moment_of_connecting_ends_the_thread(bus: Bus, tmp_path: Path) -> None:
    for moment in range(20):
        publisher = Publisher(bus.vhost.url, "market", tmp_path / "spool.db")
        threading.Event().wait(moment / 1000)
        publisher.close(timeout=0)
        publisher.close(timeout=0)
    assert "shilian-publisher" not in {thread.name for thread in threading.enumerate()}


def test_unroutable_event_is_kept_told_and_sent_when_it_has_a_queue(bus: Bus, tmp_path: Path) -> None:
    bus.channel.queue_unbind(QUEUE, INGEST, "market.#")
    with Publisher(bus.vhost.url, "market", tmp_path / "spool.db") as publisher:
        publisher.send_all(events(1))
        assert publisher.flush(DEADLINE_S) == 0
        assert publisher.unroutable() == [("T-1", SALE, "312 NO_ROUTE")]
    bus.channel.queue_bind(QUEUE, INGEST, "market.#")
    with Publisher(bus.vhost.url, "market", tmp_path / "spool.db") as publisher:
        assert publisher.flush(DEADLINE_S) == 0
        assert publisher.unroutable() == []
    assert taken(bus) == [1]


def test_refused_event_is_sent_again_until_the_queue_has_room(bus: Bus, publisher: Publisher) -> None:
    limits = {"x-max-length": 3, "x-overflow": "reject-publish"}
    bus.channel.queue_unbind(QUEUE, INGEST, "market.#")
    bus.channel.queue_declare("small", durable=True, arguments=limits)
    bus.channel.queue_bind("small", INGEST, "market.#")
    publisher.send_all(events(*range(8)))
    arrived = [bus.await_message("small").body["n"] for _ in range(8)]
    assert arrived == list(range(8))
    assert publisher.flush(DEADLINE_S) == 0
    assert taken(bus, "small") == []


def test_platform_that_is_not_there_yet_is_waited_for(vhost: Vhost, tmp_path: Path) -> None:
    with Publisher(vhost.url, "market", tmp_path / "spool.db") as publisher:
        publisher.send_all(events(1))
        trouble(publisher, "no exchange 'shilian.ingest'")
        bus = Bus(vhost)
        bus.declare()
        assert publisher.flush(DEADLINE_S) == 0
    assert taken(bus) == [1]
    bus.close()


def test_wrong_password_is_told_and_nothing_is_lost(bus: Bus, tmp_path: Path) -> None:
    publisher = Publisher(bus.vhost.amqp_url(bus.vhost.user, "wrong"), "market", tmp_path / "spool.db")
    publisher.send_all(events(1))
    trouble(publisher, "ACCESS_REFUSED")
    publisher.close(timeout=0)
    with Publisher(bus.vhost.url, "market", tmp_path / "spool.db") as publisher:
        assert publisher.flush(DEADLINE_S) == 0
    assert taken(bus) == [1]


def test_broker_that_asks_to_hold_back_is_obeyed(stack: Infra, bus: Bus, publisher: Publisher) -> None:
    publisher.send_all(events(0))
    assert publisher.flush(DEADLINE_S) == 0
    stack.broker.ctl("set_vm_memory_high_watermark", "0")
    try:
        # RabbitMQ tells a connection that it is blocked when it publishes.
        publisher.send_all(events(1))
        trouble(publisher, "hold back")
        publisher.send_all(events(*range(2, 2500)))
        assert publisher.flush(timeout=0) == 2499
    finally:
        stack.broker.ctl("set_vm_memory_high_watermark", "0.6")
    assert publisher.flush(DEADLINE_S) == 0
    assert taken(bus) == list(range(2500))


def test_idle_publisher_keeps_its_connection(bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With a heartbeat of 2 s the broker drops a silent client within 6 s; the wait is the idleness under test."""
    with Publisher(f"{bus.vhost.url}?heartbeat=2", "market", tmp_path / "spool.db") as publisher:
        eventually(lambda: publisher.trouble, lambda seen: seen is None)
        threading.Event().wait(7)
        publisher.send_all(events(1))
        assert publisher.flush(DEADLINE_S) == 0
    assert not [record for record in caplog.records if record.name == "shilian_publisher"]
    assert taken(bus) == [1]


def test_command_needs_nothing_but_pika(bus: Bus, tmp_path: Path) -> None:
    """What a vendor runs, on a Python whose path holds pika and the package and nothing else of the project."""
    (tmp_path / "pika").symlink_to(Path(str(pika.__file__)).parent)
    (tmp_path / "shilian_publisher").symlink_to(PACKAGES / "shilian_publisher")
    (tmp_path / "sales.csv").write_text("n\n1\n2\n")
    words = ["--source", "market", "--url", bus.vhost.url, "--type", SALE, "sales.csv"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ALONE, str(tmp_path), *words],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=DEADLINE_S,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "taken 2, not sent yet 0, unroutable 0\n"
    assert [message.body["n"] for message in bus.take_all(QUEUE)] == ["1", "2"]


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["--source", "market", "sales.csv"], 2, "--url is missing"),
        ([*SEND, "sales.csv"], 2, "a csv has no types"),
        ([*SEND, "nothing.jsonl"], 2, "No such file"),
        (SEND[2:], 2, "--source"),
        ([*SEND, "--type", SALE, "--timeout", "0.2", "sales.csv"], 1, "1 wait in"),
    ],
)
def test_command_says_what_is_wrong(tmp_path: Path, words: list[str], status: int, complaint: str) -> None:
    (tmp_path / "sales.csv").write_text("n\n1\n")
    path = {"PYTHONPATH": str(PACKAGES)}
    command = [sys.executable, "-m", "shilian_publisher", *words]
    done = subprocess.run(
        command, cwd=tmp_path, env=path, capture_output=True, text=True, check=False, timeout=DEADLINE_S
    )
    assert done.returncode == status
    assert complaint in done.stderr
