"""Error declarations as a worker takes them in: from sources, and for events that come after what is said of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from chassis.asking import answered
from chassis.message import Message, dead_bundle
from chassis.outgoing import Commit, Outgoing
from chassis.worker.mongo import Store
from contracts.corrections import DeclareErrorsV1, ErrorReport
from contracts.egress import Verdict
from contracts.envelope import Envelope
from contracts.topology import TRACE_DECLARATIONS
from services.trace import announce
from services.trace.corrections import rows
from services.trace.corrections.declarations import Declaration, State, reported, verdict
from services.trace.corrections.rows import ANY_WAITING, Ask, Settling, Steps
from services.trace.store import DECLARATIONS
from services.trace.told import Stored


class Declaring:
    """What the worker's entrypoints call."""

    def __init__(self, own: Store) -> None:
        self._store = own

    def declare(self, messages: Sequence[Message[DeclareErrorsV1]]) -> None:
        """Takes in what sources declare, answers them, and looks once more for events that came meanwhile."""
        reports = [report for message in messages for report in message.body.declarations]
        parent = messages[0].envelope
        found: list[Settling] = []

        def decided() -> Commit:
            now = datetime.now(UTC)
            told = [reported(report, now) for report in reports]
            found[:] = [self._ask(rows.settling(told, now))]
            return Commit(found[0].writes, _told(found[0], told, reports, parent))

        self._store.decide(decided)
        states = found[0].states
        # Those told again, too: who told them first may have been killed before it looked.
        self.hear([each.event_id for each in reports if states[each.id] is State.PENDING], parent)

    def hear(self, events: Iterable[str], parent: Envelope) -> None:
        """Settles what waited for these events, which are recorded now; mostly nothing does."""
        ids = list(events)
        if ids and self._store.db[DECLARATIONS].find_one(ANY_WAITING, {"_id": 1}):
            self._store.decide(lambda: self._arrived(ids, parent))

    def _arrived(self, ids: Sequence[str], parent: Envelope) -> Commit:
        settled = self._ask(rows.arrived(ids, datetime.now(UTC)))
        refused = [each for each in settled.new if each.state is State.REFUSED]
        answers = [
            announce.answer(each.declaration.who, [verdict(each.declaration, each.state)], parent) for each in refused
        ]
        return Commit(settled.writes, [*announce.errors_declared(settled.new, parent), *answers])

    def _ask(self, steps: Steps) -> Settling:
        return answered(steps, self._answer)

    def _answer(self, ask: Ask) -> list[Stored]:
        found = self._store.db[ask.collection].find(ask.where)
        return list(found.sort("_id", -1).limit(ask.most) if ask.most else found)


def _told(
    settling: Settling, declarations: Sequence[Declaration], reports: Sequence[ErrorReport], parent: Envelope
) -> list[Outgoing]:
    """The announcement, each source's answers, and what is refused as dead letters."""
    states, known = settling.states, {*settling.known}
    answers: dict[str, list[Verdict]] = {}
    dead: list[Outgoing] = []
    for each, report in zip(declarations, reports, strict=True):
        told = verdict(each, states[each.id], each.id in known)
        known.add(each.id)
        answers.setdefault(each.who, []).append(told)
        if told.errors:
            bundle = DeclareErrorsV1(declarations=(report,))
            dead.append(dead_bundle(TRACE_DECLARATIONS, report.source, report.id, bundle, told.errors, parent))
    sent = [announce.answer(source, verdicts, parent) for source, verdicts in answers.items()]
    return [*announce.errors_declared(settling.new, parent), *sent, *dead]
