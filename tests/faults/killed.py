"""A worker that kills itself: `SHILIAN_KILL_AT=committed:tasks python -m tests.faults.killed services.inspection
worker`.

It is the service's own process, put together by its own `__main__`; only the seams named in `SEAMS` are watched, and
the first time that the wanted one is reached, for what is wanted, the process gets SIGKILL.
"""

import chassis.worker.run  # isort: skip - first: it makes the standard library green

import functools
import os
import pkgutil
import runpy
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from chassis.outgoing import Commit, Outgoing
from chassis.timers import Due

__all__ = ["chassis"]

Named = Callable[..., Iterable[str]]


def _queue(runner: Any, _deliveries: Any) -> Iterable[str]:
    return [runner._queue.name]


def _written(_store: Any, commit: Commit, *_rest: Any) -> Iterable[str]:
    return [name for name, operations in commit.writes.items() if operations]


def _keys(_publisher: Any, messages: Sequence[Outgoing]) -> Iterable[str]:
    return {message.key for message in messages}


def _kind(_timer: Any, row: Due) -> Iterable[str]:
    return [row.kind]


def _channel(_sender: Any, row: Any) -> Iterable[str]:
    return [row["channel"]]


class Seam(NamedTuple):
    """A method, whether the step lies before or behind it, and what it is about to do or has done it to."""

    method: str
    behind: bool
    about: Named


SEAMS: Final = {
    "delivered": Seam("chassis.worker.batch:BatchRunner.run", False, _queue),
    "writing": Seam("chassis.worker.mongo:Store._write", True, _written),
    "committed": Seam("chassis.worker.mongo:Store.commit", True, _written),
    "handled": Seam("chassis.worker.batch:BatchRunner.run", True, _queue),
    "publishing": Seam("chassis.worker.publisher:Publisher.publish", False, _keys),
    "published": Seam("chassis.worker.publisher:Publisher.publish", True, _keys),
    "fired": Seam("chassis.worker.timer:Timer._call", False, _kind),
    "sending": Seam("services.notify.deliveries.sending:Sender._send", False, _channel),
    "sent": Seam("services.notify.deliveries.sending:Sender._send", True, _channel),
}
"""A message: `delivered`, not handled; `writing`, its transaction open; `committed`, not acked, nobody told; `handled`,
not acked. An announcement: `publishing`, its outbox row claimed; `published`, the row still there. A timer: `fired`,
its row claimed. A delivery: `sending`, claimed, the provider not called; `sent`, its answer not stored."""


def kill_at(step: str, what: str) -> None:
    """Has this process die at a step of `SEAMS` with a queue, collection, routing key, timer or channel."""
    seam = SEAMS[step]
    owner, _, name = seam.method.rpartition(".")
    cls = pkgutil.resolve_name(owner)
    method = getattr(cls, name)

    @functools.wraps(method)
    def watched(*args: Any) -> Any:
        if not seam.behind:
            _die_with(what, seam.about(*args))
        result = method(*args)
        _die_with(what, seam.about(*args))
        return result

    setattr(cls, name, watched)


def _die_with(what: str, about: Iterable[str]) -> None:
    if what in about:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    step, _, what = os.environ["SHILIAN_KILL_AT"].partition(":")
    service, kind = sys.argv[1:]
    kill_at(step, what)
    sys.argv[1:] = [kind]
    runpy.run_module(service, run_name="__main__", alter_sys=True)
