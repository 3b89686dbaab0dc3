"""Where benchmarks run: a broker and a database of their own, and for each trial a fresh vhost and database."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.database import Database

from bench.child import Child, running
from chassis import topology
from chassis.collections import Collection, ensure
from deploy.local.errors import StackError
from deploy.local.home import LOCAL, locked
from deploy.local.leftovers import end_processes
from deploy.local.mongod import Mongod
from deploy.local.provision import provision_database, provision_services, remove_vhost
from deploy.local.rabbitmq import Broker
from deploy.local.stack import Progress, Stack

NAME: Final = "bench"
"""Of the vhost, the database and their users."""

MARK: Final = "stack"
"""As a setting it becomes SHILIAN_STACK, by which `deploy.local.leftovers` knows a stack's processes."""


@dataclass(frozen=True)
class Field:
    """A fresh vhost with the whole topology and a fresh database with declared collections, for one trial."""

    amqp_url: str
    mongo_url: str
    db: Database[dict[str, Any]]


class Ground:
    """The servers of a run, up inside `opened`."""

    def __init__(self) -> None:
        stack = Stack(LOCAL / NAME, respawn=False)
        if not isinstance(stack.broker, Broker) or not isinstance(stack.mongod, Mongod):
            raise StackError("bench measures on servers of its own: unset SHILIAN_AMQP_URL and SHILIAN_MONGO_URL.")
        self._stack, self._broker, self._mongod = stack, stack.broker, stack.mongod
        self.private_key: Path = stack.home.private_key
        self.public_key: Path = stack.home.public_key

    @contextmanager
    def opened(self, say: Progress) -> Iterator["Ground"]:
        """Servers start with the block and stop with it; a second run waits until the first is done.

        Raises StackError when something is missing, died, or was not ready in time.
        """
        say("waiting for another run to end")
        with locked(self._stack.home.path / "run.lock"):
            # What a run left behind that was killed.
            end_processes(self._stack.home)
            try:
                self._stack.up((), say)
                provision_database(self._mongod.root_url, NAME, NAME, self._password)
                yield self
            finally:
                self._stack.down(say)

    def running(self, name: str, args: tuple[str, ...], **settings: Any) -> AbstractContextManager[Child]:
        """A process that ends with the block; its name is that of its log too."""
        log = self._stack.home.log(f"{NAME}.{name}")
        return running(args, log, {"instance": name, MARK: self._stack.home.path, **settings})

    def port(self, name: str) -> int:
        """A free loopback port that stays a process's own."""
        return self._stack.home.port(f"{NAME}.{name}")

    @contextmanager
    def field(self, collections: Iterable[Collection]) -> Iterator[Field]:
        """Everything fresh; gone when the block ends."""
        management = self._broker.management_url
        # A run that was killed left its own behind.
        remove_vhost(management, NAME, [NAME])
        provision_services(management, self._password, vhost=NAME, user=NAME)
        amqp_url = self._broker.amqp_url(NAME).rpartition("/")[0] + f"/{NAME}"
        topology.declare(amqp_url)
        mongo_url = self._mongod.url(NAME, self._password, NAME)
        with MongoClient[dict[str, Any]](mongo_url, w="majority", tz_aware=True) as client:
            client.drop_database(NAME)
            ensure(client[NAME], collections)
            try:
                yield Field(amqp_url, mongo_url, client[NAME])
            finally:
                client.drop_database(NAME)
                remove_vhost(management, NAME, [NAME])

    @property
    def _password(self) -> str:
        return self._stack.home.secret(f"amqp.{NAME}")
