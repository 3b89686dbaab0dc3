"""The processes of a stack, known by a mark in their environment: also those whose supervisor was killed."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.home import Home, wait_for

MARK = "SHILIAN_STACK"


def marked_processes(home: Home) -> list[int]:
    """Pids of this user's processes that belong to the stack, by the mark in their environment."""
    mark = f"{MARK}={home.path}".encode()
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if mark in _environ_of(entry)]


def end_processes(home: Home) -> None:
    """End what is left of a stack whose supervisor is gone: SIGTERM, and SIGKILL after 10 s."""
    _signal_all(marked_processes(home), signal.SIGTERM)
    try:
        wait_for("The end of the stack", lambda: not marked_processes(home), 10)
    except StackError:
        _signal_all(marked_processes(home), signal.SIGKILL)
        wait_for("The end of the killed stack", lambda: not marked_processes(home), 60)


def _environ_of(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
