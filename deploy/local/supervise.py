"""Keeping a stack's programs alive: supervisord with a generated configuration, spoken to over XML-RPC."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from deploy.local.errors import StackError, last_lines
from deploy.local.home import Home, wait_for, write_private
from deploy.local.leftovers import MARK, end_processes
from deploy.local.programs import Program, configuration

# Settings of another RabbitMQ or Erlang on this machine must not reach ours.
FOREIGN = ("RABBITMQ_", "ERL_")

ALREADY_STARTED, NOT_RUNNING = 60, 70

DEAD = ("EXITED", "FATAL", "BACKOFF", "UNKNOWN")


@dataclass(frozen=True)
class State:
    """What the supervisor knows of a program; `uptime` in seconds, `restarts` since supervisord started."""

    name: str
    state: str
    pid: int
    uptime: int
    restarts: int


class Supervisor:
    """The supervisord of one stack."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._log = home.path / "supervisord.log"

    def ensure(self, programs: Iterable[Program]) -> None:
        """Have supervisord running and knowing exactly these programs; starts none of them.

        Raises:
            StackError: supervisord did not come up.
        """
        write_private(self._home.path / "supervisord.conf", configuration(self._home, programs).encode())
        if self.alive():
            self._adopt()
            return
        end_processes(self._home)
        self._log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", "supervisord.conf"]
        done = subprocess.run(
            command, cwd=self._home.path, env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StackError(f"supervisord did not start: {(done.stdout + done.stderr).strip()}")
        wait_for("An answer from supervisord", self.alive, 60)

    def alive(self) -> bool:
        """Whether this stack's supervisord answers."""
        try:
            return bool(self._call("getIdentification") == self._identifier)
        except (OSError, HTTPException, Fault):
            return False

    def start(self, name: str) -> None:
        """Start a program unless it runs already."""
        try:
            self._call("startProcess", name, False)
        except Fault as fault:
            if fault.faultCode != ALREADY_STARTED:
                raise StackError(f"{name} did not start: {fault.faultString}") from None

    def stop(self, *names: str) -> None:
        """Stop programs side by side, and wait until all are down."""
        for name in names:
            try:
                self._call("stopProcess", name, False)
            except Fault as fault:
                if fault.faultCode != NOT_RUNNING:
                    raise
        wait_for(f"The end of {', '.join(names)}", lambda: not any(self.state(n).pid for n in names), 60)

    def kill(self, name: str) -> None:
        """SIGKILL the program and what it started, and wait until it is gone."""
        state = self.states().get(name)
        if not state or not state.pid:
            return
        pid = state.pid
        os.killpg(pid, signal.SIGKILL)
        wait_for(f"The death of {name}", lambda: self.state(name).pid != pid, 60)

    def shutdown(self) -> None:
        """End supervisord and whatever it still runs, then anything marked as this stack's."""
        if self.alive():
            self._call("shutdown")
            wait_for("The end of supervisord", lambda: not self.alive(), 90)
        end_processes(self._home)

    def state(self, name: str) -> State:
        """The state of one program."""
        return self._state(self._call("getProcessInfo", name), self._crashes())

    def states(self) -> dict[str, State]:
        """The state of every program by name; empty when supervisord is down."""
        if not self.alive():
            return {}
        crashes = self._crashes()
        return {info["name"]: self._state(info, crashes) for info in self._call("getAllProcessInfo")}

    def check(self, name: str) -> bool:
        """True, so that waiting for a program can ask it in passing.

        Raises:
            StackError: The program died; carries the last lines of its log.
        """
        state = self.state(name)
        if state.state in DEAD:
            raise StackError(f"{name} died ({state.state.lower()}). Its log ends:\n{last_lines(self._home.log(name))}")
        return True

    def _adopt(self) -> None:
        """Programs whose definition changed are stopped; those that are as before run on."""
        added, changed, removed = self._call("reloadConfig")[0]
        for name in [*changed, *removed]:
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self._call("addProcessGroup", name)

    def _state(self, info: Mapping[str, Any], crashes: list[str]) -> State:
        name, running = info["name"], info["pid"] > 0
        uptime = info["now"] - info["start"] if running else 0
        return State(name, info["statename"], info["pid"], uptime, crashes.count(name))

    def _crashes(self) -> list[str]:
        log = self._log.read_text(errors="replace") if self._log.exists() else ""
        return re.findall(r"exited: (\S+) \([^)]*not expected\)", log)

    def _call(self, method: str, *arguments: str | bool) -> Any:
        with ServerProxy(self._url) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    @property
    def _identifier(self) -> str:
        return self._home.secret("supervisor.name")

    @property
    def _url(self) -> str:
        return f"http://shilian:{self._home.secret('supervisor')}@127.0.0.1:{self._home.port('supervisor')}/RPC2"

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return {**ours, MARK: str(self._home.path)}
