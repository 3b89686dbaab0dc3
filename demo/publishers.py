"""The legacy systems: a process each, with its own broker user, its own file and its own log."""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from demo.files import Sent, read_log, write_messages
from demo.generator import Message

LOOK_S = 0.1


class Publishers:
    """Publishes stage after stage; messages and logs lie in `folder`."""

    def __init__(self, folder: Path, urls: dict[str, str]) -> None:
        self._folder = folder
        self._urls = urls
        self.sources: list[str] = []

    def publish(
        self, stage: str, messages: Sequence[Message], seen: Callable[[str, int], object], rate: float | None = None
    ) -> None:
        """All messages, `rate` records a second of all sources together; `seen` is told what each source has sent.

        Raises RuntimeError when a publisher could not get rid of all of its messages.
        """
        shares: dict[str, list[Message]] = defaultdict(list)
        for message in messages:
            shares[message.app].append(message)
        running = {
            source: self._start(source, stage, share, rate and rate * _records(share) / _records(messages))
            for source, share in shares.items()
        }
        try:
            self._await(running, stage, seen)
        finally:
            for process in running.values():
                if process.poll() is None:
                    process.terminate()
                    process.wait()

    def log(self, *stages: str) -> list[Sent]:
        """What the publishers say they sent in these stages, in all when none is named."""
        paths = [path for stage in stages or ("*",) for path in sorted(self._folder.glob(f"*.{stage}.log"))]
        return [sent for path in paths for sent in read_log(path)]

    def _start(
        self, source: str, stage: str, share: Sequence[Message], rate: float | None
    ) -> "subprocess.Popen[bytes]":
        file, log = (self._folder / f"{source}.{stage}.{kind}" for kind in ("jsonl", "log"))
        write_messages(file, share)
        log.touch()
        command = [sys.executable, "-m", "demo.publish", source, str(file), str(log), *([str(rate)] if rate else [])]
        return subprocess.Popen(command, env={**os.environ, "SHILIAN_AMQP_URL": self._urls[source]})

    def _await(
        self, running: dict[str, "subprocess.Popen[bytes]"], stage: str, seen: Callable[[str, int], object]
    ) -> None:
        while any(process.poll() is None for process in running.values()):
            time.sleep(LOOK_S)
            for source in running:
                seen(source, _lines(self._folder / f"{source}.{stage}.log"))
        if failed := [source for source, process in running.items() if process.returncode]:
            raise RuntimeError(f"publishers with messages left: {', '.join(failed)}")


def _records(messages: Sequence[Message]) -> int:
    return sum(message.records for message in messages)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")
