"""The timer entrypoint: claims due rows with a lease and hands them to a service method, one at a time."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import eventlet
from eventlet.event import Event
from nameko.extensions import Entrypoint
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from chassis import clock
from chassis.collections import TIMERS
from chassis.metrics import TIMERS as TIMERS_FIRED
from chassis.settings import Settings
from chassis.timers import Due, first
from chassis.worker.calling import called
from chassis.worker.consumer import Consumer
from chassis.worker.mongo import Store, is_away
from contracts.topology import Queue

log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=1)
"""When a row is tried again whose commit had to wait."""

LEASE = timedelta(seconds=60)
"""How long a worker has to handle a row before another may take it."""

OVERDUE = timedelta(minutes=10)
"""A row that fires so much later than it was due counts as late."""

LATE = timedelta(seconds=30)
"""A message waiting longer holds up the timers `after` its queue."""


class Timer(Entrypoint):  # type: ignore[misc]
    """Fires a service method with each due row of one kind.

    The method commits what it decides together with `done` or `due` for the row; a row it leaves in place, because
    it failed, is tried again when its lease ends.
    """

    def __init__(self, kind: str, every: timedelta | None = None, after: tuple[Queue, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.every = every
        self.after = after

    def setup(self) -> None:
        self.settings: Settings = self.container.config["settings"]
        self._stopping = False
        self._stopped = Event()

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier=f"timer {self.kind}")

    def stop(self) -> None:
        self._stopping = True
        self._stopped.wait(timeout=self.settings.drain_s)

    def _run(self) -> None:
        seeded = not self.every
        while not self._stopping:
            try:
                seeded = seeded or self._seed()
                while not self._stopping and not self._behind() and self._fire_next():
                    pass
            except PyMongoError as error:
                log.warning("timer waits for the store", extra={"kind": self.kind, "error": repr(error)[:300]})
            eventlet.sleep(self.settings.timer_s)
        self._stopped.send(None)

    def _seed(self) -> bool:
        """A sweep has one row of its own name, from the first start of the service on."""
        self._rows.bulk_write([first(self.kind, self.kind, clock.now())])
        return True

    def _behind(self) -> bool:
        """Whether this worker has yet to handle what came before; then a row waits, for here or for another worker."""
        consumers = (found for found in self.container.entrypoints if isinstance(found, Consumer))
        return any(consumer.queue in self.after and consumer.behind(LATE) for consumer in consumers)

    def _fire_next(self) -> bool:
        """Fires the row that has been due longest; false when none is due."""
        now = clock.now()
        row = self._rows.find_one_and_update(
            {"kind": self.kind, "due_at": {"$lte": now}, "lease_until": {"$lt": now}},
            {"$set": {"lease_until": now + LEASE}},
            sort=[("due_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            return False
        self._call(Due(row["_id"], row["kind"], row["due_at"], row["data"]))
        return True

    def _call(self, row: Due) -> None:
        late = clock.now() - row.due_at > OVERDUE
        raised = called(self, row)
        if not raised:
            self._count(row, "late" if late else "in_time")
        elif is_away(raised):
            self._count(row, "waiting")
            self._give_back(row)
        else:
            self._count(row, "failed")
            log.error("timer failed", extra={"kind": row.kind, "id": row.id}, exc_info=raised)

    def _count(self, row: Due, outcome: str) -> None:
        TIMERS_FIRED.labels(row.kind, outcome).inc()

    def _give_back(self, row: Due) -> None:
        """The store was away, or another's transaction in the way: soon again, here or elsewhere."""
        unmoved = {"_id": row.id, "due_at": row.due_at}
        self._rows.update_one(unmoved, {"$set": {"lease_until": clock.now() + AGAIN}})

    @property
    def _rows(self) -> Any:
        store = next(found for found in self.container.dependencies if isinstance(found, Store))
        return store.db[TIMERS]


Handler = TypeVar("Handler", bound=Callable[..., None])


def timer(
    kind: str, every: timedelta | None = None, after: Queue | Sequence[Queue] = ()
) -> Callable[[Handler], Handler]:
    """`@timer("deadline")` gives a method each `Due` row of that kind.

    With `every` the service keeps one row of that name: the method sets it again with `due(row.id, row.kind, …)`.
    `after` queues no row fires while messages wait there that should have been handled by now: what is missed may be
    among them.
    """
    queues = (after,) if isinstance(after, Queue) else tuple(after)
    decorate: Callable[[Handler], Handler] = Timer.decorator(kind, every, queues)
    return decorate
