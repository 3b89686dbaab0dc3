"""Real servers for tests: one private stack per session, a vhost and a database per test, stacks to break."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database as MongoDatabase

from deploy.local import home as homes
from deploy.local.home import LOCAL, Home, wait_for
from deploy.local.leftovers import end_processes
from deploy.local.mongod import Mongod
from deploy.local.provision import VHOST, provision_database, provision_services, remove_vhost
from deploy.local.rabbitmq import NODE, Broker
from deploy.local.stack import Stack
from tests.processes import DEADLINE_S, WORKER, WORKERS

TESTS = LOCAL / "test"

# Two workers that start their stacks at once must not choose the same port.
homes.PORTS = homes.PORTS[WORKER::WORKERS]


@dataclass(frozen=True)
class Infra:
    """A broker and a database, started for tests."""

    stack: Stack
    broker: Broker
    mongod: Mongod

    def wait_recoverable(self, queue: str, vhost: str = VHOST) -> None:
        """Wait until a quorum queue, just declared, survives a kill -9 of the broker.

        RabbitMQ keeps the queue's Raft name in memory for up to a second; a node killed before it is on disk
        never gives that queue a leader again, and consumers fail after a minute with 541 INTERNAL_ERROR.
        """
        data = self.stack.home.path / "rabbitmq" / "data" / NODE / "quorum" / NODE
        name = f"{vhost}_{queue}".encode()
        wait_for(f"{queue} on disk", lambda: name in (data / "names.dets").read_bytes(), DEADLINE_S)


@dataclass(frozen=True)
class Vhost:
    """A vhost of one test. `management` carries the administrator's credentials; `url` the test's user's."""

    name: str
    user: str
    url: str
    management: str

    def amqp_url(self, user: str, password: str) -> str:
        """Where another user connects to this vhost."""
        return f"amqp://{user}:{password}@{self.url.rpartition('@')[2]}"


@dataclass(frozen=True)
class Database:
    """A database of one test; the user in `url` sees no other."""

    name: str
    url: str


@pytest.fixture(scope="session")
def stack() -> Iterator[Infra]:
    """Broker and database of this test session."""
    _clear_abandoned()
    yield from _running(TESTS / f"{os.getpid()}-session")


@pytest.fixture
def private_stack() -> Iterator[Callable[[], Infra]]:
    """Makes stacks of a test's own.

    What a test kills there (`broker.kill()`) stays down until it starts it again with `broker.start()` and
    `broker.wait_healthy()`.
    """
    running: list[Iterator[Infra]] = []

    def start() -> Infra:
        directory = TESTS / f"{os.getpid()}-{secrets.token_hex(4)}"
        running.append(_running(directory))
        return next(running[-1])

    yield start
    for infra in running:
        next(infra, None)


@pytest.fixture
def vhost(stack: Infra) -> Iterator[Vhost]:
    """A fresh vhost and a user with every right on it."""
    with fresh_vhost(stack) as vhost:
        yield vhost


@contextmanager
def fresh_vhost(stack: Infra) -> Iterator[Vhost]:
    """The same for a fixture of a wider scope."""
    name = f"test-{secrets.token_hex(4)}"
    password = secrets.token_hex(8)
    management = stack.broker.management_url
    provision_services(management, password, vhost=name, user=name)
    address = stack.broker.amqp_url(name).rpartition("@")[2].partition("/")[0]
    yield Vhost(name, name, f"amqp://{name}:{password}@{address}/{name}", management)
    remove_vhost(management, name, [name])


@pytest.fixture
def mongo(stack: Infra) -> Iterator[Database]:
    """A fresh database and a user confined to it."""
    with fresh_database(stack) as database:
        yield database


@contextmanager
def fresh_database(stack: Infra) -> Iterator[Database]:
    """The same for a fixture of a wider scope."""
    name = f"test_{secrets.token_hex(4)}"
    password = secrets.token_hex(8)
    provision_database(stack.mongod.root_url, name, name, password)
    yield Database(name, stack.mongod.url(name, password, name))
    with MongoClient[dict[str, Any]](stack.mongod.root_url) as client:
        client[name].command("dropAllUsersFromDatabase")
        client.drop_database(name)


@pytest.fixture
def db(mongo: Database) -> Iterator[MongoDatabase[dict[str, Any]]]:
    """The test's database, to look into."""
    with MongoClient[dict[str, Any]](mongo.url, tz_aware=True) as client:
        yield client.get_default_database()


def _running(directory: Path) -> Iterator[Infra]:
    stack = Stack(directory, respawn=False)
    assert isinstance(stack.broker, Broker), "tests run their own broker: unset SHILIAN_AMQP_URL"
    assert isinstance(stack.mongod, Mongod), "tests run their own mongod: unset SHILIAN_MONGO_URL"
    try:
        stack.up(processes=())
        yield Infra(stack, stack.broker, stack.mongod)
    finally:
        # The data goes too, so nothing is gained by a clean stop of the servers; RabbitMQ's takes 6 s.
        stack.broker.kill()
        stack.mongod.kill()
        stack.down()
        stack.home.remove()


def _clear_abandoned() -> None:
    """End stacks whose test session was killed before it could."""
    for directory in TESTS.glob("*-*"):
        if not Path(f"/proc/{directory.name.partition('-')[0]}").exists():
            home = Home.at(directory)
            end_processes(home)
            home.remove()
