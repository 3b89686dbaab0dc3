"""A decision as one commit: what is written, and the messages that tell others. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from chassis.message import dead_bundle
from chassis.outgoing import Commit, Outgoing, outgoing
from contracts.egress import Outcome, Verdict, VerdictsV1
from contracts.envelope import Envelope
from contracts.inspection import (
    CasesChangedV1,
    RecallsProposedV1,
    RecordTestsV1,
    TasksChangedV1,
    TestResult,
    TestsRecordedV1,
)
from contracts.topology import INSPECTION_TESTS
from services.inspection.cases import cases
from services.inspection.decision import Decision
from services.inspection.results import results
from services.inspection.results.results import content_of
from services.inspection.tasks import tasks
from services.inspection.writes import writes

SELF: Final = "inspection"


def commit(decision: Decision, parent: Envelope | None) -> Commit:
    """State and announcements; `parent` is the message or the call that caused them, none for a timer."""
    return Commit(writes(decision), [*_announcements(decision, parent)])


def _announcements(decision: Decision, parent: Envelope | None) -> Iterator[Outgoing]:
    if tested := tuple(map(results.facts, decision.tests.changed())):
        yield outgoing("inspection.tests_recorded.v1", TestsRecordedV1(tests=tested), source=SELF, parent=parent)
    if changed := tuple(map(tasks.facts, decision.tasks.changed())):
        yield outgoing("inspection.tasks_changed.v1", TasksChangedV1(tasks=changed), source=SELF, parent=parent)
    if filed := tuple(map(cases.facts, decision.cases.changed())):
        yield outgoing("inspection.cases_changed.v1", CasesChangedV1(cases=filed), source=SELF, parent=parent)
    if decision.recalls:
        proposed = RecallsProposedV1(proposals=tuple(decision.recalls))
        yield outgoing("inspection.recalls_proposed.v1", proposed, source=SELF, parent=parent)


def answers(
    verdicts: Mapping[str, Sequence[Verdict]],
    tests: Iterable[TestResult],
    parents: Mapping[str, Envelope],
) -> Iterator[Outgoing]:
    """What each source is told, and a dead letter for each test refused. `parents` are the bundles' by test id."""
    parent = next(iter(parents.values()))
    by_line = {(test.source, test.message_id, test.line): test for test in tests}
    for source, told in verdicts.items():
        body = VerdictsV1(source=source, verdicts=tuple(told))
        yield outgoing("egress.verdicts.v1", body, source=SELF, parent=parent, key=source)
        for verdict in told:
            if verdict.outcome is Outcome.REJECTED:
                test = by_line[source, verdict.message_id, verdict.record]
                yield _dead_letter(test, verdict, parents[test.id])


def _dead_letter(test: TestResult, verdict: Verdict, parent: Envelope) -> Outgoing:
    """A bundle of just the refused test. Message, line and content are its id, so that a replay counts once."""
    id = f"{test.message_id}#{test.line}/{content_of(test)[:8]}"
    return dead_bundle(INSPECTION_TESTS, test.source, id, RecordTestsV1(tests=(test,)), verdict.errors, parent)
