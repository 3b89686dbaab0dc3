"""One process that consumes queues: held until they are full, let go, and timed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.child import Child
from bench.filling import Sent, fill
from bench.ground import Field, Ground
from bench.hearing import Ear
from chassis.collections import Collection
from contracts.topology import Queue

Contender = tuple[str, ...]
"""The words that start a process: `python -m <words>`."""


@dataclass(frozen=True)
class Desk:
    """A process that consumes queues, held until they are full."""

    field: Field
    ear: Ear
    child: Child

    def seconds(self, messages: Sequence[Sent], finished: Callable[["Desk"], float]) -> float:
        """From when the process is let go on full queues to when the work is finished (monotonic seconds)."""
        self.child.hold()
        fill(self.field.amqp_url, messages, "bench")
        started = time.monotonic()
        self.child.release()
        return finished(self) - started


@contextmanager
def desk(
    ground: Ground,
    words: Contender,
    collections: Sequence[Collection],
    queues: Sequence[Queue],
    key: str,
    mark: bytes,
    **settings: Any,
) -> Iterator[Desk]:
    """A fresh process on a fresh field, subscribed; announcements of the key are heard."""
    with ground.field(collections) as field, closing(Ear(field, key, mark)) as ear:
        urls = {"amqp_url": field.amqp_url, "mongo_url": field.mongo_url}
        with ground.running(".".join(words), words, **urls, **settings) as child:
            ear.await_consumers(queues, 1, child.runs)
            yield Desk(field, ear, child)
