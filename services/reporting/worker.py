"""Reporting's worker: facts in as marks, bulletins out on the fifth and after late records."""

from collections.abc import Generator, Iterable
from datetime import timedelta
from typing import Any, Final, TypeVar

from chassis import clock
from chassis.asking import answered
from chassis.collections import TIMERS
from chassis.message import Message
from chassis.outgoing import Commit, Outgoing, outgoing
from chassis.timers import Due, done, due
from chassis.worker.consumer import consume
from chassis.worker.mongo import Store
from chassis.worker.timer import timer
from contracts import topology
from services.reporting import months, store
from services.reporting.bulletin import freeze
from services.reporting.bulletin.freeze import Frozen
from services.reporting.intake import MODELS, declared_wrong, events, writes
from services.reporting.queries import Query
from services.reporting.settings import ReportingSettings
from services.reporting.store import LATE, Document, Writes

T = TypeVar("T")

SOURCE: Final = "reporting"


class ReportingWorker:
    """The nameko service."""

    name = "reporting"
    store = Store(store.COLLECTIONS, api_writes=False)

    @consume(topology.REPORTING_FACTS, MODELS)
    def mark(self, messages: list[Message[Any]]) -> None:
        """Takes a batch of facts in, in one transaction; repeated and reordered ones change nothing."""
        marked = writes(messages)
        late = self._late(messages)
        self.store.decide(lambda: Commit({**marked, **late}))

    @timer("bulletin.freeze", every=timedelta(days=1), after=topology.REPORTING_FACTS)
    def freeze(self, row: Due) -> None:
        """Freezes the month before on the fifth; after downtime one month after the other, none twice."""
        month = months.month_to_freeze(row.due_at)
        following = due(row.id, row.kind, months.next_freeze(row.due_at))
        self._publish(self._ask(freeze.first(month, clock.now())) if month else None, following)

    @timer(LATE, after=topology.REPORTING_FACTS)
    def freeze_again(self, row: Due) -> None:
        """Freezes a next version when records that came late changed what a month's bulletin counted."""
        month = store.month_of_look(row.id)
        self._publish(self._ask(freeze.next_version(month, clock.now())), done(row.id))

    def _publish(self, frozen: Frozen | None, timers: Writes) -> None:
        """A version is looked at once more: what was recorded while it was computed did not find it frozen yet."""
        if frozen is None:
            self.store.commit(Commit(timers))
            return
        told = [_told(body) for body in freeze.announcements(frozen.document)]
        again = self._look_again([frozen.document["month"]])
        timers = {TIMERS: [*timers[TIMERS], *again[TIMERS]]}
        self.store.commit(Commit({**store.published(frozen.document, frozen.parts), **timers}, told))

    def _late(self, messages: list[Message[Any]]) -> Writes:
        """Timers for the frozen months that records belong to."""
        past = sorted(store.past_months([*events(messages), *declared_wrong(messages)], clock.now()))
        frozen = self.store.db[store.BULLETINS].distinct("month", {"month": {"$in": past}}) if past else []
        return self._look_again(frozen)

    def _look_again(self, months: Iterable[str]) -> Writes:
        settings: ReportingSettings = self.store.container.config["settings"]
        return store.late(months, clock.now(), timedelta(seconds=settings.late_after_s))

    def _ask(self, steps: Generator[Query, list[Document], T]) -> T:
        """Sends a generator the rows of every query it yields; what it returns in the end."""
        return answered(steps, self._rows_of)

    def _rows_of(self, query: Query) -> list[Document]:
        return list(self.store.db[query.collection].aggregate(query.pipeline, allowDiskUse=True))


def _told(body: Any) -> Outgoing:
    return outgoing("reporting.bulletin_published.v1", body, source=SOURCE)
