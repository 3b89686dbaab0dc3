"""Processes of a benchmark: started here, held while the queue is filled, ended by their id."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.errors import last_lines
from deploy.local.home import ROOT

STOP_WITHIN_S = 20.0


class Died(Exception):
    """A process ended that should run; the message ends with its log."""


class Child:
    """`python -m <args>` with its settings as `SHILIAN_*` variables."""

    def __init__(self, args: tuple[str, ...], log: Path, settings: Mapping[str, Any]) -> None:
        self._args, self._log = args, log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *args], env=_environment(settings), cwd=ROOT, stdout=output, stderr=output
            )

    def hold(self) -> None:
        """Stops it where it is."""
        self._process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """Lets it go on."""
        self._process.send_signal(signal.SIGCONT)

    def resident_mib(self) -> float:
        """Memory it holds now."""
        told = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in told.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def runs(self) -> bool:
        """True; raises Died when it runs no more."""
        if self._process.poll() is not None:
            raise Died(f"{' '.join(self._args)} died. Its log ends:\n{last_lines(self._log)}")
        return True

    def end(self) -> None:
        """Ends it, by force when it does not stop in time."""
        self.release()
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(args: tuple[str, ...], log: Path, settings: Mapping[str, Any]) -> Iterator[Child]:
    """A process that ends with the block."""
    child = Child(args, log, settings)
    try:
        yield child
    finally:
        child.end()


def _environment(settings: Mapping[str, Any]) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SHILIAN_")}
    chosen = {f"SHILIAN_{key.upper()}": str(value) for key, value in settings.items()}
    return {**inherited, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto/gen'}", **chosen}
