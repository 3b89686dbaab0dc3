"""When trace looks for broken chains and silent sites: as events and the registry's word come, and by the clock."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Final

from chassis import clock
from chassis.outgoing import Commit
from chassis.timers import Due, due
from chassis.worker.mongo import Store
from contracts.envelope import Envelope
from contracts.trace import RecordedEvent
from services.trace.reading import Reader
from services.trace.watch import handoff_watch, silence_watch, store
from services.trace.watch.silence_watch import Marks

SWEEP: Final = timedelta(seconds=30)

Sweep = Callable[[Reader, datetime], tuple[Commit, bool]]


class Watching:
    """What the worker's entrypoints call."""

    marks: ClassVar[Marks] = Marks()

    def __init__(self, own: Store) -> None:
        self._reader = Reader(own)
        self._store = own

    def sweep(self, row: Due, judged: Sweep) -> None:
        """Judges a page and sets the row again, in one commit: for now while there is more, else for the next time."""

        def decided() -> Commit:
            now = clock.now()
            commit, more = judged(self._reader, now)
            again = due(row.id, row.kind, now if more else now + SWEEP)
            return Commit({**commit.writes, **again}, commit.outgoing)

        self._store.decide(decided)

    def hear(self, events: Iterable[RecordedEvent], parent: Envelope) -> None:
        """Judges at once what events just recorded may put right."""
        self._hear_sites(events, parent)
        if asked := handoff_watch.concerned(self._reader, events):
            self._store.decide(lambda: handoff_watch.heard(self._reader, asked, clock.now(), parent))

    def _hear_sites(self, events: Iterable[RecordedEvent], parent: Envelope) -> None:
        """The marks are committed before findings are read: a sweep that did not see them collides with them."""
        days = self.marks.new(events)
        if not days:
            return
        self._store.decide(lambda: silence_watch.marking(days))
        self.marks.keep(days)
        if spoke := silence_watch.concerned(self._reader, days):
            self._store.decide(lambda: silence_watch.judged(self._reader, spoke, clock.now(), parent))

    def reconsider(self, sites: set[str]) -> None:
        """Has the next sweep judge what the registry's word may change: who sites are, where, whether they trade."""
        now = clock.now()
        handoffs = store.handoffs_woken(handoff_watch.batches_at(self._reader, sites), now)
        writes = {store.HANDOFFS: [handoffs], store.ACTIVITY: [store.sites_woken(sites, now)]}
        self._store.decide(lambda: Commit(writes))
