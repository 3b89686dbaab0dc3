"""Inspection's worker: findings, tests and facts in; tasks, cases and answers out; clocks that run out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pymongo import InsertOne

from chassis import clock, replicas, timers
from chassis.asking import answered
from chassis.message import Message
from chassis.outgoing import Commit
from chassis.timers import Due
from chassis.worker.consumer import consume
from chassis.worker.mongo import Store
from chassis.worker.timer import timer
from contracts import topology
from contracts.corrections import ErrorsDeclaredV1
from contracts.envelope import Envelope
from contracts.findings import FindingsChangedV1
from contracts.inspection import RecordTestsV1
from contracts.recalls import EndedRecall, Recall, RecallsClosedV1, RecallsOpenedV1
from contracts.registry import GridChangedV1, SiteFacts, SitesAliasedV1, SitesChangedV1
from contracts.trace import EventsRecordedV1
from services.inspection import announce, replica, store
from services.inspection.decision import Decision, Shelf, system
from services.inspection.documents import Case, Document, FindingRow, Task, Test
from services.inspection.domain import Step
from services.inspection.places import Sites
from services.inspection.recalls.tasks import asked_tasks as asked_tasks_of
from services.inspection.recalls.tasks import end_recalls, take_recalls
from services.inspection.results.parking import asked_parked, link
from services.inspection.results.results import asked_known, take_tests
from services.inspection.risk import marks
from services.inspection.store import Query
from services.inspection.tasks import tasks
from services.inspection.tasks.shipments import asked_tasks, shipment, take_findings
from services.inspection.writes import TIMER

RegistryFacts = SitesChangedV1 | SitesAliasedV1 | GridChangedV1


class InspectionWorker:
    """The nameko service."""

    name = "inspection"
    store = Store(store.COLLECTIONS)

    @consume(topology.INSPECTION_TESTS, {"inspection.record_tests.v1": RecordTestsV1})
    def record(self, messages: list[Message[RecordTestsV1]]) -> None:
        """Records tests; one that failed becomes a case and a task."""
        tests = [test for message in messages for test in message.body.tests]
        parents = {test.id: message.envelope for message in messages for test in message.body.tests}
        if not tests:
            return
        sites = self._sites(test.site for test in tests)

        def recording() -> Commit:
            decision = Decision(clock.stamp())
            known = answered(asked_known(decision, tests, sites), self._ask)
            verdicts = take_tests(decision, tests, known, sites)
            made = announce.commit(decision, next(iter(parents.values())))
            return Commit(made.writes, [*made.outgoing, *announce.answers(verdicts, tests, parents)])

        self.store.decide(recording)
        self._place_unknown({test.site for test in tests}, sites)
        self._link({test.batch for test in tests if test.batch})

    @consume(
        topology.INSPECTION_EVENTS,
        {
            "trace.findings_changed.v1": FindingsChangedV1,
            "trace.recalls_opened.v1": RecallsOpenedV1,
            "trace.recalls_closed.v1": RecallsClosedV1,
            "registry.sites_changed.v1": SitesChangedV1,
            "registry.sites_aliased.v1": SitesAliasedV1,
            "registry.grid_changed.v1": GridChangedV1,
        },
    )
    def learn(
        self, messages: list[Message[FindingsChangedV1 | RecallsOpenedV1 | RecallsClosedV1 | RegistryFacts]]
    ) -> None:
        """Keeps what the registry tells, places what it was missing for, then turns findings and recalls into tasks."""
        self._replicate([message.body for message in messages if isinstance(message.body, RegistryFacts)])
        found = [message for message in messages if isinstance(message.body, FindingsChangedV1)]
        if found:
            self._find_out(cast("list[Message[FindingsChangedV1]]", found))
        for message in messages:
            if isinstance(message.body, RecallsOpenedV1 | RecallsClosedV1):
                self._recall(message.body.recalls, message.envelope)

    def _recall(self, recalls: Sequence[Recall | EndedRecall], parent: Envelope) -> None:
        told = {site for recall in recalls for site in recall.sites}
        sites = self._sites(told)

        def deciding() -> Commit:
            there = cast("list[Task]", answered(asked_tasks_of(recalls, sites), self._ask))
            decision = Decision(clock.stamp(), tasks=Shelf(there))
            take_recalls(decision, (each for each in recalls if isinstance(each, Recall)), sites)
            end_recalls(decision, (each for each in recalls if isinstance(each, EndedRecall)), sites)
            return announce.commit(decision, parent)

        self.store.decide(deciding)
        self._place_unknown(told, sites)

    def _find_out(self, messages: list[Message[FindingsChangedV1]]) -> None:
        findings = [finding for message in messages for finding in message.body.findings]
        sites = self._sites(finding.site for finding in findings)

        def deciding() -> Commit:
            rows = cast("list[FindingRow]", self._find(store.FINDINGS, {finding.id for finding in findings}))
            known = self._find(store.TASKS, {row["task"] for row in rows})
            steps = asked_tasks({shipment(finding, sites) for finding in findings})
            there = cast("list[Task]", [*known, *answered(steps, lambda ids: self._find(store.TASKS, ids))])
            decision = Decision(clock.stamp(), tasks=Shelf(there), findings=Shelf(rows))
            take_findings(decision, findings, sites)
            return announce.commit(decision, messages[0].envelope)

        self.store.decide(deciding)
        self._place_unknown({finding.site for finding in findings}, sites)

    def _replicate(self, bodies: Iterable[RegistryFacts]) -> None:
        sites: list[Any] = []
        cells: list[Any] = []
        told: set[str] = set()
        for body in bodies:
            if isinstance(body, GridChangedV1):
                cells += map(replica.cell_changed, body.cells)
            elif isinstance(body, SitesAliasedV1):
                sites += map(replica.site_aliased, body.aliases)
                told |= {alias.alias for alias in body.aliases}
            else:
                sites += map(replica.site_changed, body.sites)
                told |= {facts.site for facts in body.sites}
        self.store.decide(lambda: Commit({store.SITES: sites, store.CELLS: cells}))
        if told:
            self.store.decide(lambda: self._placing(told))

    def _place_unknown(self, told: set[str], sites: Sites) -> None:
        """A site that the registry told of meanwhile, to another worker: whoever commits last sees what both wrote."""
        if unknown := told - sites.keys():
            self.store.decide(lambda: self._placing(unknown))

    def _placing(self, told: set[str]) -> Commit:
        """Moves what is open with its site: to its division once that is known, to the station that has it now.

        A test stays on record where it was taken, once that is known.
        """
        asked = store.open_at(told)
        tests_there = cast("list[Test]", list(self.store.db[store.TESTS].find(store.unplaced_at(told))))
        tasks_there = cast("list[Task]", list(self.store.db[store.TASKS].find(asked)))
        cases_there = cast("list[Case]", list(self.store.db[store.CASES].find(asked)))
        found = Decision(clock.stamp(), Shelf(tasks_there), Shelf(cases_there), tests=Shelf(tests_there))
        found.move(self._sites(found.sites()))
        return announce.commit(found, None)

    @consume(
        topology.INSPECTION_FACTS,
        {"trace.events_recorded.v1": EventsRecordedV1, "trace.errors_declared.v1": ErrorsDeclaredV1},
    )
    def mark(self, messages: list[Message[EventsRecordedV1 | ErrorsDeclaredV1]]) -> None:
        """Keeps a mark of each event. Nearly every one is new: what is there is read after a duplicate key only."""
        bodies = [message.body for message in messages]
        wrong = [error.event for body in bodies if isinstance(body, ErrorsDeclaredV1) for error in body.errors]
        if wrong:
            self.store.decide(lambda: Commit({store.MARKS: [*map(marks.withdrawn, wrong)]}))
        told = (event for body in bodies if isinstance(body, EventsRecordedV1) for event in body.events)
        rows = {event.id: marks.mark(event) for event in told}
        batches = {batch for row in rows.values() for batch in row["batches"]}

        def marking() -> Commit:
            return Commit({store.MARKS: [InsertOne(row) for row in rows.values()]})

        def drop_known() -> None:
            for row in self._find(store.MARKS, rows, {"_id": 1}):
                del rows[row["_id"]]

        self.store.decide(marking, drop_known)
        self._link(batches)

    def _link(self, batches: set[str]) -> None:
        def linking() -> Commit:
            found = answered(asked_parked(batches), self._ask)
            decision = Decision(clock.stamp(), cases=Shelf(found.cases), tests=Shelf(found.tests))
            link(decision, found)
            return announce.commit(decision, None)

        self.store.decide(linking)

    @timer(TIMER, after=topology.INSPECTION_EVENTS)
    def overdue(self, row: Due) -> None:
        """A clock ran out: the task goes one level up, as of when it was due, however late it is."""

        def escalating() -> Commit:
            task = cast("Task | None", self.store.db[store.TASKS].find_one({"_id": row.data["task"]}))
            if task is None or not tasks.timed(task):
                return Commit(timers.done(row.id))
            if task["due_at"] != row.due_at:
                return Commit()  # Its clock was set anew while this one fired.
            decision = Decision(clock.stamp(), tasks=Shelf([task]))
            decision.step(task, Step.ESCALATE, system(row.due_at, "逾期自动上报"))
            return announce.commit(decision, None)

        self.store.decide(escalating)

    def _ask(self, query: Query) -> list[Document]:
        return list(self.store.db[query.collection].find(query.filter, query.fields, limit=query.most))

    def _sites(self, ids: Iterable[str]) -> Sites:
        return answered(replicas.meant(ids, SiteFacts), lambda where: list(self.store.db[store.SITES].find(where)))

    def _find(self, name: str, ids: Iterable[str], fields: Mapping[str, Any] | None = None) -> list[Document]:
        return list(self.store.db[name].find({"_id": {"$in": list(ids)}}, fields))
