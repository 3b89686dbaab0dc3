"""The command line on real services, as a local stack would have them and write them down."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from chassis import clock
from clients.cli import where
from clients.cli.__main__ import app
from deploy.local.home import Home
from tests.bus import Bus
from tests.processes import Process, free_port, set_clock
from tests.stack import Infra, fresh_database

SERVICES = ("registry", "trace", "inspection", "notify", "reporting")


class Shilian:
    """The command line on that stack, as any officer of a county; `division` makes it somebody of another place."""

    def __init__(self, home: Home, division: str = "370105") -> None:
        self._clock = home.path / "clock"
        self._division = division

    def move(self, to: datetime) -> None:
        """Moves the clock of all services; back it never goes."""
        set_clock(self._clock, (to - clock.now()).total_seconds())

    def run(self, *words: str, who: str = "王一") -> Result:
        token = where.mint({"sub": who, "role": "regulator", "division": self._division}, timedelta(minutes=5))
        return CliRunner().invoke(app, [*words, "--token", token])

    def json(self, *words: str, who: str = "王一") -> Any:
        answer = self.run(*words, "--format", "json", who=who)
        assert answer.exit_code == 0, answer.stderr
        return json.loads(answer.stdout)

    def refusal(self, *words: str, who: str = "王一") -> str:
        """What is said on stderr of a command that must fail, with nothing on stdout."""
        answer = self.run(*words, "--format", "json", who=who)
        assert (answer.exit_code, answer.stdout) == (1, ""), answer.stderr
        return answer.stderr


@contextmanager
def command_line(
    services: Iterable[str],
    bus: Bus,
    stack: Infra,
    spawn: Callable[..., Process],
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    division: str = "370105",
) -> Iterator[Shilian]:
    """Workers and apis of these services, and the command line that finds them."""
    addresses = {service: f"127.0.0.1:{free_port()}" for service in services}
    facts = {"grpc": addresses, "jwt_private_key": str(home.private_key)}
    (home.path / "stack.json").write_text(json.dumps(facts))
    for name in ("TOKEN", *(f"GRPC_{service.upper()}" for service in SERVICES)):
        monkeypatch.delenv(f"SHILIAN_{name}", raising=False)
    monkeypatch.setenv("SHILIAN_STACK_DIR", str(home.path))
    with ExitStack() as databases:
        for process in [
            process
            for service in addresses
            for process in _started(service, databases.enter_context(fresh_database(stack)).url, bus, spawn, home)
        ]:
            process.wait_ready()
        yield Shilian(home, division)


def _started(
    service: str, mongo_url: str, bus: Bus, spawn: Callable[..., Process], home: Home
) -> tuple[Process, Process]:
    addresses = json.loads((home.path / "stack.json").read_text())["grpc"]
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo_url, "timer_s": 0.2, "clock_file": home.path / "clock"}
    others = {f"grpc_{other}": address for other, address in addresses.items()}
    api = {"jwt_public_key_file": home.public_key, "grpc_port": addresses[service].partition(":")[2], **others}
    return spawn(f"services.{service}", "worker", **settings), spawn(f"services.{service}", "api", **settings, **api)
