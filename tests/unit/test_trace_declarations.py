"""Error declarations: which take effect, which wait, which are refused; in whatever order things come."""

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import InsertOne

from chassis.asking import answered
from contracts.corrections import Declarer, ErrorReport, declaration_id
from contracts.egress import Outcome
from services.trace import rows
from services.trace.corrections import rows as declaration_rows
from services.trace.corrections.declarations import State, declared, reported, settle, verdict
from services.trace.corrections.rows import Ask, Settling
from services.trace.domain import decide
from services.trace.evidence import sealing
from services.trace.store import DECLARATIONS, EVENTS
from services.trace.watch import store as watch_store
from tests.unit.test_trace_capture import CABBAGE, NOON, told

Row = dict[str, Any]

NOW = NOON + timedelta(hours=2)
OPTIONS: Any = bson.CodecOptions(tz_aware=True, tzinfo=UTC)


def report(event: str = "E1", reason: str = "数量误录", source: str = "market", *corrections: str) -> ErrorReport:
    return ErrorReport(
        id=declaration_id(event, Declarer.SOURCE, source, reason, corrections),
        source=source,
        message_id="m-9",
        line=2,
        event_id=event,
        reason=reason,
        corrections=corrections,
        sent_at=NOON,
    )


class Kept:
    """What the store holds of events and declarations."""

    def __init__(self) -> None:
        self.events: dict[str, Row] = {}
        self.declarations: dict[str, Row] = {}
        self.blocks: list[Row] = []
        self.withdrawn: list[Any] = []
        self.announced: list[str] = []

    def record(self, *ids: str, source: str = "market") -> None:
        entries = decide([told(id=id, source=source, document=id) for id in ids], {}, {}).entries
        self.events |= {entry.id: stored(rows.event_row(entry, None, NOON)) for entry in entries}
        self._apply(answered(declaration_rows.arrived(ids, NOW), self._answer))

    def declare(self, *reports: ErrorReport) -> Settling:
        settled = answered(declaration_rows.settling([reported(each, NOW) for each in reports], NOW), self._answer)
        self._apply(settled)
        return settled

    @property
    def wrong(self) -> set[str]:
        return {id for id, row in self.events.items() if "declared" in row}

    @property
    def states(self) -> dict[str, str]:
        return {row["event_id"]: row["state"] for row in self.declarations.values()}

    def _answer(self, ask: Ask) -> list[Row]:
        if ask.collection == sealing.BLOCKS:
            return self.blocks[-1:]
        rows = {EVENTS: self.events, DECLARATIONS: self.declarations}[ask.collection].values()
        return [row for row in rows if all(_meets(row.get(name), wanted) for name, wanted in ask.where.items())]

    def _apply(self, settled: Settling) -> None:
        self.announced += [each.event.id for each in declared(settled.new)]
        self.withdrawn += settled.writes.get(watch_store.HANDOFFS, [])
        self.blocks += [each._doc for each in settled.writes.get(sealing.BLOCKS, [])]
        kept: list[Any] = settled.writes.get(DECLARATIONS, [])
        for operation in kept:
            if not isinstance(operation, InsertOne):
                where, news = operation._filter, operation._doc
                assert self.declarations[where["_id"]]["state"] == where["state"]
                self.declarations[where["_id"]] |= news["$set"]
            else:
                row = bson.decode(operation._doc.raw, OPTIONS)
                self.declarations[row["_id"]] = row
        marks: list[Any] = settled.writes.get(EVENTS, [])
        for operation in marks:
            event = self.events[operation._filter["_id"]]
            if "declared" not in event:
                event |= operation._doc["$set"]


def _meets(value: Any, wanted: Any) -> bool:
    return value in wanted["$in"] if isinstance(wanted, dict) else value == wanted


def stored(row: Row) -> Row:
    found: Row = bson.decode(bson.encode(row), OPTIONS)
    return found


def test_a_source_declares_its_own_event_wrong() -> None:
    kept = Kept()
    kept.record("E1", "E2")
    (settled,) = kept.declare(report()).new
    assert settled.state is State.APPLIED
    assert kept.wrong == {"E1"}
    assert kept.events["E1"]["declared"] == {"id": settled.declaration.id, "at": NOW}
    assert kept.announced == ["E1"]
    assert [operation._filter for operation in kept.withdrawn] == [{"batch": {"$in": ["SL1"]}}]
    answer = verdict(settled.declaration, settled.state)
    assert (answer.outcome, answer.message_id, answer.record) == (Outcome.ACCEPTED, "m-9", 2)


def test_what_is_announced_is_what_was_recorded() -> None:
    kept = Kept()
    kept.record("E1")
    (error,) = declared(kept.declare(report("E1", "误", "market", "E7")).new)
    assert (error.reason, error.corrections, error.by, error.who) == ("误", ("E7",), Declarer.SOURCE, "market")
    event = error.event
    assert (event.id, event.step, event.time, event.batches) == ("E1", CABBAGE.step, NOON, ("SL1",))
    assert (event.site, event.counterparty, event.operator) == ("market:9", "licence:JY1", "uscc:1")


def test_another_sources_event_is_not_its_to_declare() -> None:
    kept = Kept()
    kept.record("E1")
    (settled,) = kept.declare(report(source="catering")).new
    answer = verdict(settled.declaration, settled.state)
    assert (answer.outcome, [fault.rule for fault in answer.errors]) == (Outcome.REJECTED, ["not_own_event"])
    assert (kept.wrong, kept.declarations, kept.announced) == (set(), {}, [])


def test_a_declaration_waits_for_its_event() -> None:
    kept = Kept()
    (settled,) = kept.declare(report()).new
    answer = verdict(settled.declaration, settled.state)
    assert (answer.outcome, [flag.rule for flag in answer.flags]) == (Outcome.ACCEPTED, ["unknown_event"])
    assert kept.announced == []
    kept.record("E1")
    assert (kept.wrong, kept.announced, kept.states) == ({"E1"}, ["E1"], {"E1": "applied"})
    kept.record("E2")
    assert kept.announced == ["E1"]


def test_an_event_that_comes_from_another_source_ends_the_waiting() -> None:
    kept = Kept()
    kept.declare(report(source="catering"))
    kept.record("E1")
    assert (kept.wrong, kept.states) == (set(), {"E1": "refused"})


def test_what_is_declared_twice_is_declared_once_and_may_be_added_to() -> None:
    kept = Kept()
    kept.record("E1")
    kept.declare(report(), report())
    again = kept.declare(report())
    assert (len(kept.declarations), again.new, [*again.known.values()]) == (1, [], [State.APPLIED])
    first = kept.events["E1"]["declared"]
    kept.declare(report("E1", "数量误录", "market", "E7"))
    assert len(kept.declarations) == 2
    assert kept.events["E1"]["declared"] == first


def test_declarations_are_sealed_in_one_lane() -> None:
    kept = Kept()
    kept.declare(report("E1"), report("E2"))
    kept.declare(report("E3"))
    assert [(row["lane"], row["number"], row["size"]) for row in kept.blocks] == [
        (DECLARATIONS, 1, 2),
        (DECLARATIONS, 2, 1),
    ]
    assert kept.blocks[1]["previous"] == kept.blocks[0]["hash"]


def test_a_clock_that_runs_ahead_declares_now() -> None:
    late = report().model_copy(update={"sent_at": NOW + timedelta(days=400)})
    assert reported(late, NOW).at == NOW
    assert reported(report(), NOW).at == NOON


@given(st.permutations(["E1", "E2", "E3", "D1", "D2", "D4", "D1"]))
def test_order_and_repetition_do_not_matter(acts: Iterable[str]) -> None:
    kept = Kept()
    for act in acts:
        if act.startswith("E"):
            kept.record(act)
        else:
            kept.declare(report(f"E{act[1:]}"))
    assert kept.wrong == {"E1", "E2"}
    assert sorted(kept.announced) == ["E1", "E2"]
    assert kept.states == {"E1": "applied", "E2": "applied", "E4": "pending"}


@pytest.mark.parametrize("by", [Declarer.OPERATOR, Declarer.REGULATOR])
def test_an_operator_and_a_regulator_need_not_be_the_source(by: Declarer) -> None:
    kept = Kept()
    kept.record("E1")
    told = reported(report(source="somebody"), NOW)._replace(by=by)
    assert [each.state for each in settle([told], kept.events)] == [State.APPLIED]


def test_a_declaration_reads_back_as_it_was() -> None:
    kept = Kept()
    (settled,) = kept.declare(report("E1", "误", "market", "E7", "E8")).new
    assert declaration_rows.declaration(kept.declarations[settled.declaration.id]) == settled.declaration
