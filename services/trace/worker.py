"""Trace's worker: records in, events out; the registry's word replicated; receipts proposed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import ClassVar, Final

from pymongo import InsertOne

from chassis import clock
from chassis.collections import INBOX
from chassis.message import Message
from chassis.outgoing import Commit
from chassis.timers import Due
from chassis.worker.consumer import consume
from chassis.worker.mongo import Store
from chassis.worker.timer import timer
from contracts import topology
from contracts.corrections import DeclareErrorsV1, ErrorsDeclaredV1
from contracts.envelope import Envelope
from contracts.registry import SitesAliasedV1, SitesChangedV1
from contracts.trace import CaptureV1, EventsRecordedV1, Record
from services.trace import announce, proposals, replica, rows, store
from services.trace.corrections.declaring import Declaring
from services.trace.domain import decide
from services.trace.entry import Known
from services.trace.evidence.lanes import Lanes, head
from services.trace.lineage import HANDOVERS
from services.trace.reading import Reader
from services.trace.recalls import recalls
from services.trace.recalls import watch as recall_watch
from services.trace.truth import watch as truth_watch
from services.trace.watch import handoff_watch, silence_watch
from services.trace.watch.watching import SWEEP, Watching

ANNOUNCEMENTS: Final = 20
ANNOUNCED_BYTES: Final = 128 << 10
"""To a batch, for one may tell of 500 events: 150 kB of JSON and more, ten times that read into models. Raw, a window
keeps more of them (`window.WINDOW_BYTES`).
"""


class TraceWorker:
    """The nameko service."""

    name = "trace"
    store = Store(store.COLLECTIONS, api_writes=False)
    lanes: ClassVar[Lanes] = Lanes()

    @consume(topology.TRACE_CAPTURE, {"trace.capture.v1": CaptureV1}, at_once=2)
    def capture(self, messages: list[Message[CaptureV1]]) -> None:
        """Records a batch of bundles: events, announcement and answers in one transaction.

        Nearly every record is new, so what is on record is read only after an insert met a duplicate key. After a
        crash a redelivered batch is told to be known, and need not be announced again: its announcement was
        committed with it.
        """
        records = [record for message in messages for record in message.body.records]
        parents = {record.id: message.envelope for message in messages for record in message.body.records}
        facts = self._reader.facts(store.sites_named(records))
        known: dict[str, Known] = {}

        def recording() -> Commit:
            decision = decide(records, known, facts)
            correlations = {id: envelope.correlation_id for id, envelope in parents.items()}
            writes = store.writes(decision, correlations, datetime.now(UTC), lane)
            return Commit(writes, announce.announcements(decision, parents))

        def reread() -> None:
            known.update(self._known(records))
            lane.head = head(self.store.db, lane.id)

        if records:
            with self.lanes.one(self.store.db) as lane:
                self.store.decide(recording, reread)
            self._place(store.sites_to_place(records) - facts.keys())

    @consume(topology.TRACE_DECLARATIONS, {"trace.declare_errors.v1": DeclareErrorsV1})
    def declare(self, messages: list[Message[DeclareErrorsV1]]) -> None:
        """Takes in what sources declare wrong of what they recorded."""
        Declaring(self.store).declare(messages)

    @consume(
        topology.TRACE_REGISTRY,
        {"registry.sites_changed.v1": SitesChangedV1, "registry.sites_aliased.v1": SitesAliasedV1},
    )
    def replicate(self, messages: list[Message[SitesChangedV1 | SitesAliasedV1]]) -> None:
        """Keeps what the registry tells of sites, and places the events that came before their site was known."""
        bodies = [message.body for message in messages]
        changed = [facts for body in bodies if isinstance(body, SitesChangedV1) for facts in body.sites]
        aliased = [alias for body in bodies if isinstance(body, SitesAliasedV1) for alias in body.aliases]
        now = clock.recorded()
        writes = [*map(replica.site_changed, changed), *(replica.site_aliased(alias, now) for alias in aliased)]
        self.store.commit(Commit({store.SITES: writes}))
        told = {facts.site for facts in changed} | {alias.alias for alias in aliased}
        self._watching.reconsider(told)
        self.store.decide(lambda: truth_watch.reconsidering(self._reader, told, clock.now()))
        self._place(told | {row["_id"] for row in self._reader.find(store.SITES, replica.aliases_of(told), {"_id": 1})})

    @consume(
        topology.TRACE_PROPOSALS,
        {"trace.events_recorded.v1": EventsRecordedV1},
        most=ANNOUNCEMENTS,
        most_bytes=ANNOUNCED_BYTES,
    )
    def propose(self, messages: list[Message[EventsRecordedV1]]) -> None:
        """Proposes the receipts of recorded shipments to the receivers' systems, once for each shipment.

        The announcement tells whom goods went to: a shipment is read only when its receiver has such a system.
        """
        for message in messages:
            self._watching.hear(message.body.events, message.envelope)
            Declaring(self.store).hear((event.id for event in message.body.events), message.envelope)
        handovers = [*_handovers(messages)]
        receivers = self._reader.facts({site for site, *_ in handovers})
        named = {id: envelope for site, id, envelope in handovers if site in receivers and receivers[site].sources}
        if not named:
            return
        shipments = self._reader.find(store.EVENTS, store.shipments([*named]))
        facts = {**receivers, **self._reader.facts({row["site"] for row in shipments})}
        nodes = [node for row in shipments if (to := facts.get(row["there"])) for node in proposals.nodes_to(row, to)]
        receipts = self._reader.find(store.EVENTS, store.receipts(nodes), {"source": 1, "outputs": 1}) if nodes else []
        proposed = {proposals.mark(body): body for body in proposals.propose(shipments, receipts, facts)}

        def proposing() -> Commit:
            done = {row["_id"] for row in self._reader.find(INBOX, {"_id": {"$in": [*proposed]}}, {"_id": 1})}
            new = {mark: body for mark, body in proposed.items() if mark not in done}
            marks = [InsertOne({"_id": mark, "at": datetime.now(UTC)}) for mark in new]
            return Commit({INBOX: marks}, [announce.proposal(body, named[body.event_id]) for body in new.values()])

        self.store.decide(proposing)

    @consume(
        topology.TRACE_TRUTH,
        {"trace.events_recorded.v1": EventsRecordedV1, "trace.errors_declared.v1": ErrorsDeclaredV1},
        after=topology.TRACE_CAPTURE,
        most=ANNOUNCEMENTS,
        most_bytes=ANNOUNCED_BYTES,
    )
    def examine(self, messages: list[Message[EventsRecordedV1 | ErrorsDeclaredV1]]) -> None:
        """Looks for what does not look true, after the records have been taken in: what is found is never a refusal."""
        for message in messages:
            truth_watch.examined(self.store, _told_of(message.body), clock.now(), message.envelope)

    @timer("trace.handoffs", every=SWEEP, after=topology.TRACE_CAPTURE)
    def sweep_handoffs(self, row: Due) -> None:
        """Finds broken chains: handoffs of which one half is overdue."""
        self._watching.sweep(row, handoff_watch.sweep)

    @timer(recalls.TIMER, after=topology.TRACE_CAPTURE)
    def follow_recall(self, row: Due) -> None:
        """Simulates an open recall again when late records touched its chain, and tells what they add."""
        self.store.decide(lambda: recall_watch.look(self._reader, row, clock.stamp()))

    @timer("trace.silence", every=SWEEP, after=(topology.TRACE_CAPTURE, topology.TRACE_PROPOSALS))
    def sweep_sites(self, row: Due) -> None:
        """Finds sites that fell silent: days with events are marked as they are announced, after they are recorded."""
        self._watching.sweep(row, silence_watch.sweep)

    @timer("trace.truth", every=SWEEP, after=(topology.TRACE_CAPTURE, topology.TRACE_TRUTH))
    def sweep_doubts(self, row: Due) -> None:
        """Finds what could still be put right until now: animals that did not arrive, meat that nobody explained."""
        self._watching.sweep(row, truth_watch.sweep)

    @property
    def _reader(self) -> Reader:
        return Reader(self.store)

    @property
    def _watching(self) -> Watching:
        return Watching(self.store)

    def _known(self, records: Iterable[Record]) -> dict[str, Known]:
        found = self._reader.find(store.EVENTS, store.recorded_already(records), store.KNOWN_FIELDS)
        return {row["_id"]: rows.known(row) for row in found}

    def _place(self, sites: set[str]) -> None:
        """Gives events their division once the registry tells where their site is.

        Capture asks again after it has committed, so that no event slips between a site's facts and its own commit.
        """
        if sites:
            self.store.commit(Commit({store.EVENTS: replica.placed(self._reader.facts(sites))}))


def _told_of(body: EventsRecordedV1 | ErrorsDeclaredV1) -> list[str]:
    """Ids of the events that were recorded, or declared errors."""
    events = body.events if isinstance(body, EventsRecordedV1) else [error.event for error in body.errors]
    return [event.id for event in events]


def _handovers(messages: Iterable[Message[EventsRecordedV1]]) -> Iterator[tuple[str, str, Envelope]]:
    """Receiving site, event id and cause of every event that hands goods over to somebody named."""
    for message in messages:
        for event in message.body.events:
            if event.counterparty and event.step in HANDOVERS:
                yield event.counterparty, event.id, message.envelope
