"""One stack: broker, database, permissions and processes, as one thing that goes up and down."""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from deploy.local.errors import StackError, last_lines
from deploy.local.home import Home, write_private
from deploy.local.mongod import Mongod
from deploy.local.own import OwnBroker, OwnMongo
from deploy.local.processes import LOCAL, PROCESSES, Process, environment, grpc_address, http_url, program
from deploy.local.programs import Program
from deploy.local.provision import DATABASES, SERVICES_USER, SOURCES
from deploy.local.rabbitmq import Broker
from deploy.local.supervise import State, Supervisor

Progress = Callable[[str], None]


def _silently(_: str) -> None: ...


class Stack:
    """Everything under one directory. Without `respawn`, a broker or database that was killed stays down."""

    def __init__(self, directory: Path, respawn: bool = True) -> None:
        self.home = Home.at(directory)
        self.supervisor = Supervisor(self.home)
        amqp, mongo = os.environ.get("SHILIAN_AMQP_URL"), os.environ.get("SHILIAN_MONGO_URL")
        self.broker = OwnBroker(self.home, amqp) if amqp else Broker(self.home, self.supervisor, respawn)
        self.mongod = OwnMongo(mongo) if mongo else Mongod(self.home, self.supervisor, respawn)

    def up(self, processes: Sequence[Process] = LOCAL, say: Progress = _silently) -> None:
        """Start what is not running, and wait until all of it is ready. Repeating it is harmless.

        Raises:
            StackError: Something is missing, died, or was not ready in time.
        """
        with self.home.lock():
            self._start_servers(say)
            write_private(self.home.path / "stack.json", json.dumps(self.description(), indent=2).encode())
            for process in processes:
                self.supervisor.start(process.name)
            self._wait_ready(processes, say)

    def down(self, say: Progress = _silently) -> None:
        """Stop every process of this stack and nothing else: Shilian's first, the servers next, epmd last."""
        with self.home.lock():
            running = {name for name, state in self.supervisor.states().items() if state.pid}
            for batch in (running - {"rabbitmq", "mongod", "epmd"}, running & {"rabbitmq", "mongod"}):
                if batch:
                    say(f"stopping {', '.join(sorted(batch))}")
                    self.supervisor.stop(*batch)
            self.supervisor.shutdown()

    def states(self) -> dict[str, State]:
        """What runs, by name; empty when the stack is down."""
        return self.supervisor.states()

    def description(self) -> dict[str, object]:
        """Addresses and credentials, for clients, the demo and the tests (`stack.json`)."""
        return {
            "amqp": {user: self.broker.amqp_url(user) for user in (SERVICES_USER, *SOURCES)},
            "mongo": {name: self.mongod.mongo_url(name) for name in DATABASES} | {"root": self.mongod.root_url},
            "management": self.broker.management_url,
            "grpc": {p.service: grpc_address(self.home, p) for p in PROCESSES if p.kind == "api"},
            "http": {p.name: http_url(self.home, p) for p in LOCAL},
            "jwt_private_key": str(self.home.private_key),
            "jwt_public_key": str(self.home.public_key),
        }

    def listening(self) -> dict[str, str]:
        """The loopback ports of each program, for people to read."""
        ours = {p.name: self._addresses(p) for p in LOCAL}
        broker = f"amqp {self.home.port('amqp')} http {self.home.port('management')}"
        return {"rabbitmq": broker, "mongod": f"mongodb {self.home.port('mongo')}"} | ours

    def environment(self, process: Process) -> dict[str, str]:
        """The settings that process is started with."""
        mongo_url = self.mongod.mongo_url(process.database) if process.database else None
        return environment(self.home, process, self.broker.amqp_url(SERVICES_USER), mongo_url)

    def _addresses(self, process: Process) -> str:
        kinds = ("grpc", "http") if process.kind == "api" else ("http",)
        return " ".join(f"{kind} {self.home.port(f'{process.name}.{kind}')}" for kind in kinds)

    def _start_servers(self, say: Progress) -> None:
        say("looking for RabbitMQ and mongod (the first time on this machine, fetching them)")
        self.supervisor.ensure(self._programs())
        say("starting RabbitMQ and mongod")
        self.mongod.start()
        self.broker.start()
        self.mongod.wait_healthy()
        self.mongod.provision()
        self.broker.wait_healthy()
        self.broker.provision()

    def _programs(self) -> list[Program]:
        self.home.private_key  # noqa: B018 - made before a process is told where its public half lies
        ours = [program(process, self.environment(process)) for process in LOCAL]
        return [*self.broker.programs(), *self.mongod.programs(), *ours]

    def _wait_ready(self, processes: Sequence[Process], say: Progress, deadline: float = 300) -> None:
        end = time.monotonic() + deadline
        waiting = list(processes)
        with httpx.Client(timeout=2) as client:
            while waiting:
                say(f"waiting for {', '.join(process.name for process in waiting)}")
                waiting = [process for process in waiting if not self._ready(client, process)]
                if waiting and time.monotonic() > end:
                    raise StackError(self._unready(waiting[0], deadline))
                time.sleep(0.1)

    def _ready(self, client: httpx.Client, process: Process) -> bool:
        self.supervisor.check(process.name)
        try:
            return client.get(http_url(self.home, process) + "/ready").is_success
        except httpx.TransportError:
            return False

    def _unready(self, process: Process, deadline: float) -> str:
        log = last_lines(self.home.log(process.name))
        return f"{process.name} was not ready within {deadline:.0f} s. Its log ends:\n{log}"
