"""Notify's worker: what happened comes in, deliveries are planned and sent, receipts applied."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne

from chassis import clock, timers
from chassis.message import Message
from chassis.outgoing import Commit
from chassis.timers import Due
from chassis.worker.consumer import consume
from chassis.worker.mongo import Store
from chassis.worker.timer import timer
from contracts import topology
from contracts.findings import FindingsChangedV1
from contracts.inspection import CasesChangedV1, RecallsProposedV1, TasksChangedV1, TestsRecordedV1
from contracts.notices import BulletinPublishedV1
from contracts.recalls import RecallsChangedV1, RecallsClosedV1, RecallsOpenedV1
from contracts.registry import GridChangedV1, SitesAliasedV1, SitesChangedV1
from services.notify import announce, store, writes
from services.notify.deliveries import plan
from services.notify.deliveries.outcomes import Settled, bundled, received
from services.notify.deliveries.settling import known, settle
from services.notify.domain import Channel, State
from services.notify.events import notices
from services.notify.events.events import Occurrence
from services.notify.events.occurrences import Body, occurrences, sites_named
from services.notify.events.templates import words
from services.notify.hours import next_digest
from services.notify.providers import sender_of
from services.notify.replica import load
from services.notify.subscriptions import heard_as, in_force

Told = SitesChangedV1 | SitesAliasedV1 | GridChangedV1
Row = dict[str, Any]

EVERY: Final = timedelta(seconds=1)
RECEIPTS_AT_ONCE: Final = 500
LOOK_AGAIN: Final = timedelta(seconds=5)
"""When a receipt is looked at again that came before what it is a receipt of."""

words()  # A template that names what its event does not have keeps the process down.


class NotifyWorker:
    """The nameko service."""

    name = "notify"
    store = Store(store.COLLECTIONS)

    @consume(
        topology.NOTIFY_EVENTS,
        {
            "registry.sites_changed.v1": SitesChangedV1,
            "registry.sites_aliased.v1": SitesAliasedV1,
            "registry.grid_changed.v1": GridChangedV1,
            "trace.findings_changed.v1": FindingsChangedV1,
            "inspection.tests_recorded.v1": TestsRecordedV1,
            "inspection.tasks_changed.v1": TasksChangedV1,
            "inspection.cases_changed.v1": CasesChangedV1,
            "inspection.recalls_proposed.v1": RecallsProposedV1,
            "trace.recalls_opened.v1": RecallsOpenedV1,
            "trace.recalls_changed.v1": RecallsChangedV1,
            "trace.recalls_closed.v1": RecallsClosedV1,
            "reporting.bulletin_published.v1": BulletinPublishedV1,
        },
    )
    def events(self, messages: list[Message[Told | Body]]) -> None:
        """Replicates what the registry tells, and plans who is told of the rest."""
        self.store.commit(Commit(writes.replicated([m.body for m in messages if isinstance(m.body, Told)])))
        happened = [message for message in messages if not isinstance(message.body, Told)]
        if happened:
            bodies: list[Body] = [message.body for message in happened if not isinstance(message.body, Told)]
            sites = {site for body in bodies for site in sites_named(body)}
            known_sites = load(self.store.db, sites).sites
            told = [occurrence for body in bodies for occurrence in occurrences(body, known_sites)]
            # In pages: the first messages of a large recall are on their way while the last are planned.
            for at in range(0, len(told), notices.PAGE):
                page = told[at : at + notices.PAGE]
                self._plan(page, {each.site for each in page if each.site}, happened[0])

    @timer("send.sms", every=EVERY)
    @timer("send.wechat", every=EVERY)
    @timer("send.wecom", every=EVERY)
    @timer("send.webhook", every=EVERY)
    def send(self, row: Due) -> None:
        """Sends what is due on one channel. The row is set again first: other workers may send beside this one."""
        self.store.commit(Commit(timers.due(row.id, row.kind, clock.now() + EVERY)))
        sender_of(self.store).sweep(Channel(row.kind.removeprefix("send.")))

    @timer("receipts", every=EVERY)
    def receipts(self, row: Due) -> None:
        """Applies the receipts that callbacks brought, those first that have waited longest."""
        now = clock.now()
        waiting = {"applied": False, "look_at": {"$lte": now}}
        found = list(self.store.db[store.RECEIPTS].find(waiting).sort("look_at", 1).limit(RECEIPTS_AT_ONCE))
        deliveries = list(self.store.db[store.DELIVERIES].find(writes.told_of(found))) if found else []
        settled, seen = _matched(found, deliveries, now)
        marks = [_mark(receipt["_id"], receipt["_id"] in seen, now) for receipt in found]
        again = clock.now() if len(found) == RECEIPTS_AT_ONCE else now + EVERY
        settle(self.store, settled, {store.RECEIPTS: marks, **timers.due(row.id, row.kind, again)})

    @timer("digest", every=EVERY)
    def digest(self, row: Due) -> None:
        """Bundles what was held, once a day."""
        now = clock.now()
        held = list(self.store.db[store.DELIVERIES].find({"state": State.HELD.value, "due_at": {"$lte": now}}))
        settled = [
            Settled(each, bundled(each, now), plan.digested(group, now) if each is group[-1] else None)
            for group in plan.by_recipient(held)
            for each in group
        ]
        settle(self.store, settled, timers.due(row.id, row.kind, next_digest(now)))

    @timer("notice")
    def notice(self, row: Due) -> None:
        """Plans a page of the recipients of what a person sends, and comes back for the next."""
        notice = self.store.db[store.NOTICES].find_one({"_id": row.data["notice"]})
        if notice is None:
            self.store.commit(Commit(timers.done(row.id)))
            return
        page = list(
            self.store.db[store.SITES].find(notices.page(notice, row.data["after"])).sort("_id", 1).limit(notices.PAGE)
        )
        again = timers.due(row.id, row.kind, row.due_at, {**row.data, "after": page[-1]["_id"]}) if page else None
        sites = {site["_id"] for site in page}
        self._plan([notices.occurrence(notice, site) for site in page], sites, None, again or timers.done(row.id))

    def _plan(
        self,
        told: Iterable[Occurrence],
        sites: set[str],
        cause: Message[Any] | None,
        more: dict[str, list[Any]] | None = None,
    ) -> None:
        """Commits the deliveries that what happened leads to; what was told before leads to none."""
        db, now = self.store.db, clock.now()

        def decided() -> Commit:
            current = self._current(list(told))
            grid = load(db, sites, current)
            named = {name for each in current for name in heard_as(each.event)}
            subscriptions = in_force(db[store.SUBSCRIPTIONS].find({"events": {"$in": sorted(named)}}))
            stops = db[store.STOPS].find({"address": {"$in": sorted(grid.addresses(subscriptions))}})
            stopped = frozenset((row["channel"], row["address"]) for row in stops)
            rows = {row["_id"]: row for row in plan.planned(current, subscriptions, grid, stopped, now)}
            new = [rows[id] for id in rows.keys() - known(self.store, rows)]
            marks = [writes.subject_told(each.subject, each.version) for each in current]
            wanted = {store.DELIVERIES: writes.inserted(new), store.SUBJECTS: marks, **(more or {})}
            return Commit(wanted, announce.changed(new, cause.envelope if cause else None))

        self.store.decide(decided)

    def _current(self, told: list[Occurrence]) -> list[Occurrence]:
        """What no later word has overtaken."""
        ids = sorted({occurrence.subject for occurrence in told})
        versions = {row["_id"]: row["version"] for row in self.store.db[store.SUBJECTS].find({"_id": {"$in": ids}})}
        return [each for each in told if each.version >= versions.get(each.subject, 0)]


def _matched(receipts: list[Row], deliveries: list[Row], now: datetime) -> tuple[list[Settled], set[str]]:
    """What receipts change, and which of them found their delivery in a state to receive."""
    by_id = {row["_id"]: row for row in deliveries}
    by_provider = {(row["channel"], row.get("provider_id")): row for row in deliveries}
    settled: dict[str, Settled] = {}
    seen: set[str] = set()
    for receipt in receipts:
        row = by_id.get(receipt["delivery_id"]) or by_provider.get((receipt["channel"], receipt["provider_id"]))
        if row is None or row["state"] in (State.PENDING, State.SENDING):
            continue
        seen.add(receipt["_id"])
        if row["_id"] not in settled and (result := received(row, receipt["delivered"], receipt["error"], now)):
            settled[row["_id"]] = result
    return list(settled.values()), seen


def _mark(id: str, applied: bool, now: datetime) -> UpdateOne:
    return UpdateOne({"_id": id}, {"$set": {"applied": applied, "look_at": now + LOOK_AGAIN}})
