"""The benchmarks' own sums, and that both sides of an ingest benchmark write and say the same."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic_core import to_json
from pymongo import InsertOne
from rich.console import Console
from rich.table import Table

import services.inspection.announce
import services.reporting.intake
from bench import __main__ as command
from bench import facts, grove, halves, month, notes, plain, recall, triggers
from bench.chain import Chain
from bench.filling import Sent
from bench.hearing import Wrong, compare
from bench.line import EVENT
from bench.result import Result, Side, measured, reaches, table, write
from chassis.message import Message
from contracts.envelope import Envelope
from contracts.findings import FindingsChangedV1
from contracts.model import Contract
from contracts.trace import CaptureV1
from services.inspection.decision import Decision as InspectionDecision
from services.inspection.tasks.shipments import take_findings
from services.reporting import months
from services.reporting.store import MARKS
from services.trace import announce, rows
from services.trace.domain import Decision, decide
from services.trace.evidence import blocks, sealing
from services.trace.evidence.lanes import Lane
from services.trace.watch import handoffs
from services.trace.watch import store as watch_store

NOW = datetime(2026, 1, 6, tzinfo=UTC)
KEYS = "name unit ours limit limit_name ratio target peer peer_name peer_ratio peer_target"
COUNT = 45


@pytest.fixture(scope="module")
def body() -> bytes:
    return notes.bodies(notes.records(COUNT), COUNT)[0]


@pytest.fixture(scope="module")
def decision(body: bytes) -> Decision:
    facts = {site.site: site for site in notes.sites()}
    return decide(CaptureV1.model_validate_json(body).records, {}, facts)


@pytest.fixture(scope="module")
def plain_rows(body: bytes) -> list[dict[str, Any]]:
    return [plain.event(record, "c", NOW) for record in json.loads(body)["records"]]


def test_both_sides_store_the_same_documents(decision: Decision, plain_rows: list[dict[str, Any]]) -> None:
    assert plain_rows == [rows.event_row(entry, "c", NOW) for entry in decision.entries]


def test_both_sides_note_the_same_handoffs(decision: Decision, plain_rows: list[dict[str, Any]]) -> None:
    ours = [watch_store.half_told(told) for entry in decision.entries for told in handoffs.told(entry)]
    assert halves.operations(plain_rows) == ours


def test_both_sides_seal_the_same_blocks(plain_rows: list[dict[str, Any]]) -> None:
    chain = Chain()
    for _ in range(2):
        documents, block = chain.seal(plain_rows, NOW)
    lane = Lane(block["lane"], NOW, chain_head := blocks.seal(block["lane"], None, plain_rows, NOW).block)
    sealed = lane.seal(plain_rows, NOW)
    assert sealed
    assert [each.raw for each in documents] == [each.raw for each in sealed.documents]
    assert sealing.stored(sealed)[sealing.BLOCKS] == [InsertOne(block)]
    assert block["previous"] == chain_head.hash


def test_both_sides_announce_and_answer_the_same(
    body: bytes, decision: Decision, plain_rows: list[dict[str, Any]]
) -> None:
    parents = dict.fromkeys((entry.id for entry in decision.entries), Envelope.new("trace.capture.v1", "adapter"))
    announced, *answers = announce.announcements(decision, parents)
    told = zip(plain_rows, json.loads(body)["records"], strict=True)
    assert json.loads(announced.body) == {"events": [plain.announced(row, record) for row, record in told]}
    assert {answer.key: json.loads(answer.body) for answer in answers} == plain.answers(plain_rows)
    assert announced.body.count(EVENT) == COUNT


def test_events_of_a_load_are_clean_and_different(decision: Decision) -> None:
    assert len({entry.id for entry in decision.entries}) == COUNT
    assert not [entry.flags for entry in decision.entries if entry.flags]


def test_every_shipment_of_a_soak_is_received(decision: Decision) -> None:
    facts = {site.site: site for site in notes.sites()}
    taken = decide(notes.receipts(notes.records(COUNT)), {}, facts).entries
    assert not [entry.flags for entry in taken if entry.flags]
    received = {told.id for entry in taken for told in handoffs.told(entry) if not told.handed_over}
    assert received == {told.id for entry in decision.entries for told in handoffs.told(entry)}


def test_loads_from_different_numbers_share_no_event() -> None:
    first, second = notes.records(40), notes.records(40, first=40)
    assert not {record.id for record in first} & {record.id for record in second}


@pytest.mark.parametrize("seen", ["ab", "abcc", "abcd"])
def test_lost_and_doubled_events_have_no_figure(seen: str) -> None:
    with pytest.raises(Wrong):
        compare("stored", Counter(seen), Counter("abc"))


def test_sides_take_turns_and_medians_count() -> None:
    turns: list[str] = []

    def side(name: str, *figures: float) -> Any:
        left = iter(figures)

        def trial() -> float:
            turns.append(name)
            return next(left)

        return trial

    found = measured(
        "x",
        "calls/s",
        3,
        ours=side("ours", 9, 6, 1),
        limit=Side("raw", side("limit", 10, 12, 99), 0.6),
        peer=Side("stock", side("peer", 1, 2, 3), 10),
    )
    assert "".join(name[0] for name in turns) == "olpplool" + "p"
    assert (found.ours, found.limit, found.ratio, found.peer, found.peer_ratio) == (6, 12, 0.5, 2, 3)


def test_spread_is_of_rounds_and_only_in_the_table() -> None:
    ours, limit = iter([9.0, 6.0, 1.0]), iter([10.0, 12.0, 4.0])
    found = measured("x", "calls/s", 3, ours=lambda: next(ours), limit=Side("raw", lambda: next(limit), 0.6))
    assert found.spread == (0.25, 0.9)
    assert "0.25–0.90" in _printed(table([found], 0.1, 66))


def test_a_busy_machine_is_told_of() -> None:
    row = Result("x", "calls/s", 2.0, 3.0, "raw", 0.66667, 0.6)
    assert "BUSY" in _printed(table([row], 99.0, 66))
    assert "BUSY" not in _printed(table([row], 0.0, 66))


def _printed(shown: Table) -> str:
    console = Console(width=200, file=StringIO(), record=True)
    console.print(shown)
    return console.export_text()


def test_a_draw_does_not_beat() -> None:
    assert not reaches(1.0, 1.0)
    assert reaches(1.01, 1.0)
    assert reaches(0.6, 0.6)


def test_file_has_the_agreed_keys(tmp_path: Path) -> None:
    write([Result("x", "calls/s", 2.0, 3.0, "raw", 0.66667, 0.6, spread=(0.5, 0.7))], tmp_path / "bench.json")
    (row,) = json.loads((tmp_path / "bench.json").read_text())
    assert list(row) == KEYS.split()
    assert row["ratio"] == 0.667
    assert row["peer"] is None


def test_only_runs_one_and_full_the_long_ones() -> None:
    assert list(command.chosen("get_operator", full=False)) == ["get_operator"]
    usual = "ingest_single ingest_bundle two_workers get_operator audited_call worklist_page fact_intake trigger_intake"
    assert list(command.chosen(None, full=False)) == [
        *usual.split(),
        "recall_notice",
        "bulletin",
        "walk",
        "trace_call",
        "recall_simulate",
    ]
    longer = command.chosen(None, full=True).keys() - command.chosen(None, full=False).keys()
    assert longer == {"bulletin_full", "walk_larger", "soak"}
    assert list(command.chosen("soak", full=False)) == ["soak"]
    with pytest.raises(typer.BadParameter):
        command.chosen("nothing", full=False)


def test_both_sides_write_the_same_facts() -> None:
    messages = facts.messages(COUNT)
    told = [_parsed(sent, services.reporting.intake.MODELS) for sent in messages]
    ours = services.reporting.intake.writes(told)
    theirs = facts.operations(sent.body for sent in messages)
    assert {name: by_id(found) for name, found in theirs.items()} == {
        name: by_id(found) for name, found in ours.items()
    }
    assert len(theirs[MARKS]) == COUNT


def _parsed(sent: Sent, models: Mapping[str, type[Contract]]) -> Message[Any]:
    return Message(Envelope.new(sent.type, "trace"), models[sent.type].model_validate_json(sent.body), sent.key)


def by_id(operations: Iterable[Any]) -> dict[str, Any]:
    return {operation._filter["_id"]: operation for operation in operations}


def test_both_sides_make_the_same_of_a_finding() -> None:
    messages = triggers.messages(COUNT)
    sites = {facts.site: facts for facts in map(triggers.site, range(COUNT + 1))}
    decision = InspectionDecision(NOW)
    for sent in messages:
        take_findings(decision, FindingsChangedV1.model_validate_json(sent.body).findings, sites)
    made = services.inspection.announce.commit(decision, None)
    operations, told = triggers.decided([sent.body for sent in messages], triggers.places(sites.values()), NOW)
    ids = {task["_id"]: triggers.task_id(task["cause_id"] or "") for task in decision.tasks.changed()}
    assert repr(operations) == _renamed(repr({name: made.writes[name] for name in operations}), ids)
    assert not [name for name in made.writes.keys() - operations.keys() if made.writes[name]]
    assert json.loads(to_json(told)) == json.loads(_renamed(made.outgoing[0].body.decode(), ids))


@pytest.mark.parametrize(
    ("now", "name"),
    [
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-10"),
        (datetime(2026, 11, 5, tzinfo=UTC), "2026-10"),  # Eight o'clock in Shanghai.
        (datetime(2026, 11, 4, 23, 59, tzinfo=UTC), "2026-09"),
        (datetime(2026, 3, 6, tzinfo=UTC), "2026-02"),
    ],
)
def test_the_month_is_the_one_frozen_last(now: datetime, name: str) -> None:
    found = month.Month.last(now)
    assert (found.name, months.next_freeze(found.due_at) > now >= found.due_at) == (name, True)


def test_a_site_has_ten_days_of_the_month() -> None:
    window = months.window(month.Month.last(datetime.now(UTC)).name)
    days = [row["day"] for row in month.mark_rows(range(7, 8))]
    assert len(set(days)) == month.MARKS_PER_SITE
    assert all(window.first.isoformat() <= day < window.after.isoformat() for day in days)


def test_a_recall_names_everybody_once() -> None:
    bodies = [sent.body for sent in recall.messages()]
    named = Counter(site for body in bodies for told in json.loads(body)["recalls"] for site in told["sites"])
    assert len(named) == recall.RECIPIENTS
    assert named.total() == recall.RECIPIENTS


def _renamed(text: str, ids: Mapping[str, str]) -> str:
    """The other side's ids are of the same length, and not hashed."""
    return re.sub(r"T[0-9a-f]{24}", lambda found: ids[found[0]], text)


def test_chain_of_the_walk_has_the_nodes_it_is_said_to_have() -> None:
    told = [*grove.documents(2 * grove.TOLD, range(2 * grove.TOLD))]
    chain, apart = told[::2], told[1::2]
    tails, heads, others = (
        {node for row in rows for node in row[side]}
        for rows, side in ((chain, "inputs"), (chain, "outputs"), (apart, "inputs"))
    )
    assert len(tails | heads) == grove.NODES
    assert len(heads) == grove.TOLD / 2
    assert not others & (tails | heads)
