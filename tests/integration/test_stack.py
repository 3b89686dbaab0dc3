"""The embedded stack: up and down cleanly, kills survived, permissions enforced by the real servers."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.topology import INGEST, egress_queue
from deploy.local import rabbitmq, vendor
from deploy.local.errors import MissingError, StackError
from deploy.local.home import Home, listens, wait_for
from deploy.local.leftovers import marked_processes
from deploy.local.mongod import Mongod
from deploy.local.programs import Program
from deploy.local.provision import SOURCES, provision_source
from deploy.local.stack import Stack
from deploy.local.supervise import Supervisor
from tests.processes import DEADLINE_S
from tests.stack import Database, Infra, Vhost

OTHERS = {source: next(other for other in SOURCES if other != source) for source in SOURCES}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    """Each legacy source in turn."""
    return str(request.param)


@pytest.fixture
def legacy(vhost: Vhost, source: str) -> Iterator[BlockingChannel]:
    """A channel of the source's own user, in a vhost with the ingest exchange and all egress queues."""
    with pika.BlockingConnection(pika.URLParameters(vhost.url)) as connection:
        channel = connection.channel()
        channel.exchange_declare(INGEST, "topic", durable=True)
        for each in SOURCES:
            channel.queue_declare(egress_queue(each).name, durable=True)
        channel.queue_declare("seen", durable=True)
        channel.queue_bind("seen", INGEST, "#")
    provision_source(vhost.management, source, "secret", vhost=vhost.name)
    with pika.BlockingConnection(pika.URLParameters(vhost.amqp_url(source, "secret"))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel


def refusal(attempt: Callable[[], object]) -> int:
    """The AMQP reply code the broker closed the channel with."""
    with pytest.raises(ChannelClosedByBroker) as closed:
        attempt()
    return int(closed.value.reply_code)


def test_a_source_publishes_under_its_own_prefix(legacy: BlockingChannel, source: str) -> None:
    own = pika.BasicProperties(user_id=source)
    legacy.basic_publish(INGEST, f"{source}.anything.v1", b"{}", own, mandatory=True)


def test_a_source_cannot_publish_under_anothers_prefix(legacy: BlockingChannel, source: str) -> None:
    assert refusal(lambda: legacy.basic_publish(INGEST, f"{OTHERS[source]}.anything.v1", b"{}")) == 403


def test_a_prefix_does_not_match_in_part(legacy: BlockingChannel, source: str) -> None:
    assert refusal(lambda: legacy.basic_publish(INGEST, f"{source}x.anything.v1", b"{}")) == 403


def test_a_source_cannot_reach_a_queue_through_the_default_exchange(legacy: BlockingChannel) -> None:
    assert refusal(lambda: legacy.basic_publish("", "seen", b"{}")) == 403


def test_a_source_cannot_claim_another_user(legacy: BlockingChannel, source: str) -> None:
    spoofed = pika.BasicProperties(user_id=OTHERS[source])
    assert refusal(lambda: legacy.basic_publish(INGEST, f"{source}.anything.v1", b"{}", spoofed)) == 406


def test_a_source_reads_its_own_answers_only(legacy: BlockingChannel, source: str) -> None:
    assert legacy.basic_get(egress_queue(source).name) == (None, None, None)
    assert refusal(lambda: legacy.basic_get(egress_queue(OTHERS[source]).name)) == 403


@pytest.mark.parametrize(
    "configure",
    [
        lambda channel: channel.queue_declare("mine"),
        lambda channel: channel.exchange_declare("mine", "topic"),
        lambda channel: channel.queue_delete("seen"),
    ],
)
def test_a_source_can_configure_nothing(
    legacy: BlockingChannel, configure: Callable[[BlockingChannel], object]
) -> None:
    assert refusal(lambda: configure(legacy)) == 403


def test_a_mongo_user_is_confined_to_its_database(mongo: Database) -> None:
    with MongoClient[dict[str, Any]](mongo.url) as client:
        client[mongo.name].notes.insert_one({"_id": "1"})
        client[mongo.name].notes.create_index("text")
        for forbidden in (client["another"].notes.find_one, lambda: client["another"].notes.insert_one({})):
            with pytest.raises(OperationFailure, match="not authorized"):
                forbidden()


def test_a_transaction_commits(mongo: Database) -> None:
    with MongoClient[dict[str, Any]](mongo.url) as client, client.start_session() as session:
        with session.start_transaction():
            client[mongo.name].notes.insert_one({"_id": "1"}, session=session)
        assert client[mongo.name].notes.count_documents({}) == 1


def test_a_second_up_restarts_nothing(stack: Infra) -> None:
    before = {name: state.pid for name, state in stack.stack.states().items()}
    stack.stack.up(processes=())
    assert {name: state.pid for name, state in stack.stack.states().items()} == before


def test_down_leaves_nothing_running(private_stack: Callable[[], Infra]) -> None:
    infra = private_stack()
    home = infra.stack.home
    ports = [home.port(name) for name in ("amqp", "mongo", "epmd", "management", "supervisor")]
    assert len(marked_processes(home)) >= 4
    assert all(listens(port) for port in ports)
    infra.stack.down()
    assert marked_processes(home) == []
    assert not any(listens(port) for port in ports)


def test_down_finds_what_a_killed_supervisor_left(private_stack: Callable[[], Infra]) -> None:
    home = private_stack().stack.home
    supervisord = int((home.path / "supervisord.pid").read_text())
    os.kill(supervisord, signal.SIGKILL)
    wait_for("the end of supervisord", lambda: supervisord not in marked_processes(home), DEADLINE_S)
    stack = Stack(home.path)
    assert stack.states() == {}
    stack.down()
    assert marked_processes(home) == []


def test_killed_servers_come_back_with_their_data(private_stack: Callable[[], Infra]) -> None:
    infra = private_stack()
    address = infra.broker.amqp_url("shilian")
    publish_durably(address, b"kept")
    infra.wait_recoverable("kept")
    with MongoClient[dict[str, Any]](infra.mongod.root_url) as client:
        client["kept"].notes.insert_one({"_id": "1"})
    infra.broker.kill()
    infra.mongod.kill()
    assert not listens(infra.stack.home.port("amqp"))
    infra.mongod.start()
    infra.broker.start()
    infra.mongod.wait_healthy()
    infra.broker.wait_healthy()
    assert taken(address) == b"kept"
    with MongoClient[dict[str, Any]](infra.mongod.root_url) as client:
        assert client["kept"].notes.find_one() == {"_id": "1"}


def test_a_crashed_program_is_restarted_and_counted(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    supervisor = Supervisor(home)
    supervisor.ensure([Program("sleeper", ("sleep", "600"))])
    try:
        supervisor.start("sleeper")
        wait_for("the start", lambda: supervisor.state("sleeper").state == "RUNNING", DEADLINE_S)
        supervisor.kill("sleeper")
        wait_for("the restart", lambda: supervisor.state("sleeper").state == "RUNNING", DEADLINE_S)
        assert supervisor.state("sleeper").restarts == 1
    finally:
        supervisor.shutdown()
    assert marked_processes(home) == []


def test_a_program_that_dies_at_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    supervisor = Supervisor(home)
    last_words = "print('no such licence'); raise SystemExit(3)"
    supervisor.ensure([Program("doomed", (sys.executable, "-c", last_words))])
    try:
        supervisor.start("doomed")
        with pytest.raises(StackError, match="no such licence"):
            wait_for("the death", lambda: not supervisor.check("doomed"), DEADLINE_S)
    finally:
        supervisor.shutdown()


def test_servers_of_the_users_own_replace_ours(stack: Infra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    management = stack.broker.management_url
    monkeypatch.setenv("SHILIAN_AMQP_URL", stack.broker.amqp_url("admin"))
    monkeypatch.setenv("SHILIAN_MANAGEMENT_URL", management)
    monkeypatch.setenv("SHILIAN_MONGO_URL", stack.mongod.root_url)
    theirs = Stack(tmp_path)
    try:
        theirs.up(processes=())
        assert not {"epmd", "rabbitmq", "mongod"} & theirs.states().keys()
        pika.BlockingConnection(pika.URLParameters(theirs.broker.amqp_url("market"))).close()
        with MongoClient[dict[str, Any]](theirs.mongod.mongo_url("trace")) as client:
            assert client.get_default_database().name == "trace"
            client.get_default_database().notes.find_one()
    finally:
        theirs.down()
        stack.broker.provision()


def test_a_broker_too_old_is_refused_with_the_way_out(stack: Infra, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq, "OLDEST", (99, 0))
    with pytest.raises(MissingError, match=r"too old.*docker compose up"):
        stack.broker.wait_healthy()


def test_without_apt_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match=r"no apt-get.*docker compose up.*SHILIAN_AMQP_URL"):
        vendor.rabbitmq()


def test_a_missing_library_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(vendor, "mongod", lambda: tmp_path / "mongod")
    monkeypatch.setattr(vendor, "missing_libraries", lambda _: ["libcurl.so.4"])
    home = Home.at(tmp_path)
    with pytest.raises(MissingError, match=r"libcurl\.so\.4.*apt-get install libcurl4.*docker compose up"):
        Mongod(home, Supervisor(home)).programs()


def test_an_interrupted_fetch_is_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")

    def interrupted(part: Path) -> None:
        (part / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vendor._vendored("piece", interrupted)
    fetched = vendor._vendored("piece", lambda part: (part / "whole").touch())
    assert [file.name for file in fetched.iterdir()] == ["whole"]


def test_a_stack_remembers_its_ports_and_passwords(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    assert (home.port("amqp"), home.secret("amqp")) == (Home.at(tmp_path).port("amqp"), home.secret("amqp"))
    assert home.port("amqp") != home.port("mongo")
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_stacks_that_start_together_choose_different_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.home.CLAIMS", tmp_path / "claims")
    monkeypatch.setattr("deploy.local.home.PORTS", range(20_000, 20_004))
    monkeypatch.setattr("deploy.local.home._bindable", lambda port: True)
    first, second = Home.at(tmp_path / "first"), Home.at(tmp_path / "second")
    chosen = [first.port("amqp"), second.port("amqp"), first.port("mongo"), second.port("mongo")]
    assert sorted(chosen) == [20_000, 20_001, 20_002, 20_003]
    first.remove()
    assert Home.at(tmp_path / "third").port("amqp") in (chosen[0], chosen[2])


def publish_durably(url: str, body: bytes) -> None:
    """A confirmed, persistent message on the quorum queue `kept`."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
        channel.confirm_delivery()
        channel.basic_publish("", "kept", body, pika.BasicProperties(delivery_mode=2))


def taken(url: str) -> bytes | None:
    """The body of the next message of `kept`, once the queue has its leader back."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        for _, _, body in connection.channel().consume("kept", auto_ack=True, inactivity_timeout=DEADLINE_S):
            return bytes(body)
    return None
