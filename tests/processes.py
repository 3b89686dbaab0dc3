"""Our own processes as tests start them: real, awaited by their health, ended by their id."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

ROOT = Path(__file__).parents[1]
DEADLINE_S = 120.0
"""Only a test that fails waits so long: what takes a second here may take half a minute on a busy machine."""

POLL_S = 0.05

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
PORTS = range(12_000, 20_000)[WORKER::WORKERS]
"""Ports of this test worker alone, below those of stacks (`deploy.local.home`) and of the system's own choice."""

_untried = iter(random.sample(PORTS, len(PORTS)))

T = TypeVar("T")


def eventually(look: Callable[[], T], wanted: Callable[[T], object] = bool, within: float = DEADLINE_S) -> T:
    """Looks again until what is seen is wanted; fails with the last sight after `within` seconds."""
    until = time.monotonic() + within
    while not wanted(seen := look()):
        if time.monotonic() > until:
            pytest.fail(f"not within {within} s; last seen: {seen!r}"[:2000])
        time.sleep(POLL_S)
    return seen


def free_port() -> int:
    """A loopback port nobody listens on, and never the same again: its process may take a while to listen."""
    return next(filter(_is_free, _untried))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def set_clock(file: Path, ahead: float) -> None:
    """Moves the clock of the processes whose SHILIAN_CLOCK_FILE it is, to so many seconds ahead of the machine's.

    In one stroke: a file that is read while it is written says nothing, and the clock would be back for a moment.
    """
    whole = file.with_suffix(".new")
    whole.write_text(str(ahead))
    whole.replace(file)


class Process:
    """A process of the project: `python -m <args>` with its settings as `SHILIAN_*` variables."""

    def __init__(self, *args: str, log: Path, **settings: Any) -> None:
        self.http_port = free_port()
        self.log = log
        chosen = {"http_port": self.http_port, "instance": args[0], **settings}
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SHILIAN_")},
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto/gen'}",
            **{f"SHILIAN_{key.upper()}": str(value) for key, value in chosen.items()},
        }
        self.args = args
        self._start()

    def _start(self) -> None:
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", *self.args], env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )

    def get(self, path: str) -> httpx.Response | None:
        """What its health port answers; None while nobody listens."""
        assert self.child.poll() is None, f"{self.args} died:\n{self.tail()}"
        try:
            return httpx.get(f"http://127.0.0.1:{self.http_port}{path}", timeout=10, trust_env=False)
        except httpx.TransportError:
            return None

    def says(self, path: str) -> str:
        """The text of what its health port answers; empty while nobody listens."""
        answer = self.get(path)
        return answer.text if answer is not None else ""

    def wait_ready(self) -> "Process":
        """Returns once it says that it is ready."""
        eventually(lambda: self.get("/ready"), lambda answer: answer is not None and answer.status_code == 200)
        return self

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.child.kill()
        self.child.wait()

    def stop(self) -> int:
        """SIGTERM, and its exit code once it has drained."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=DEADLINE_S)

    def ended(self, within: float = DEADLINE_S) -> int | None:
        """Its exit code once it ended by itself; None when it did not."""
        try:
            return self.child.wait(timeout=within)
        except subprocess.TimeoutExpired:
            return None

    def restart(self) -> "Process":
        """Starts it again after it ended."""
        self._start()
        return self.wait_ready()

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts processes that end with the test: `spawn("services.trace", "worker", amqp_url=…)`."""
    with spawning(tmp_path) as start:
        yield start


@contextmanager
def spawning(directory: Path) -> Iterator[Callable[..., Process]]:
    """The same for a fixture of a wider scope; logs go to the directory."""
    started: list[Process] = []

    def start(*args: str, **settings: Any) -> Process:
        process = Process(*args, log=directory / f"{args[0]}-{len(started)}.log", **settings)
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            if process.child.poll() is None:
                process.kill()
