"""What becomes of records: new, known, or refused; which flags the registry's word adds; how events are written."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import kde
from contracts.egress import Outcome
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import CaptureV1, Category, Document, Lot, Party, Record, Step
from services.trace import rows
from services.trace.domain import Decision, decide
from services.trace.entry import MOST_CORRECTIONS, Known, candidate_ids, recorded
from services.trace.lineage import Event
from services.trace.told import said_by

NOON = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)
LOT = Lot(batch="SL1", product="大白菜", category=Category.VEGETABLE, quantity=Decimal("12.5"), unit="KGM")
CABBAGE = Record(
    id="E1",
    source="market",
    message_id="m1",
    line=1,
    document="XS-1",
    step=Step.SHIPPING,
    time=NOON,
    sent_at=NOON,
    site=Party(site="market:9", name="张三蔬菜", operator="uscc:1"),
    counterparty=Party(site="licence:JY1", name="实验小学食堂"),
    inputs=(LOT,),
    outputs=(LOT,),
)
MORE = (LOT.model_copy(update={"quantity": Decimal(99)}),)


def told(**changes: Any) -> Record:
    return CABBAGE.model_copy(update=changes)


def outcomes(decision: Decision, source: str = "market") -> list[Outcome]:
    return [verdict.outcome for verdict in decision.verdicts[source]]


def on_record(decision: Decision) -> dict[str, Known]:
    """What the store would hold: every event written and read back."""
    return {known.id: known for known in map(rows.known, written(decision))}


def written(decision: Decision) -> list[dict[str, Any]]:
    codec = bson.CodecOptions(dict[str, Any], tz_aware=True, tzinfo=UTC)
    documents = (rows.event_row(entry, "c1", NOON) for entry in decision.entries)
    return [bson.decode(bson.encode(document), codec) for document in documents]


def test_record_told_again_is_a_duplicate() -> None:
    first = decide([CABBAGE], {}, {})
    again = decide([told(message_id="m2", sent_at=NOON + timedelta(hours=1))], on_record(first), {})
    assert outcomes(again) == [Outcome.DUPLICATE]
    assert not again.entries
    assert again.verdicts["market"][0].event_id == "E1"
    assert again.verdicts["market"][0].batches == ("SL1",)


def test_same_id_with_other_content_is_refused() -> None:
    first = decide([CABBAGE], {}, {})
    again = decide([told(inputs=MORE, outputs=MORE)], on_record(first), {})
    assert outcomes(again) == [Outcome.REJECTED]
    assert again.refusals[0].error.rule == "id_reused"
    assert again.verdicts["market"][0].errors == (again.refusals[0].error,)


def test_same_event_from_two_apps_is_a_duplicate_and_the_other_source_is_kept() -> None:
    first = decide([CABBAGE], {}, {})
    other = told(source="one_network", message_id="n7", time=NOON + timedelta(minutes=3), kdes={"a": "b"})
    again = decide([other], on_record(first), {})
    assert outcomes(again, "one_network") == [Outcome.DUPLICATE]
    assert [(seen.event_id, seen.source) for seen in again.sightings] == [("E1", "one_network")]


def test_other_source_seen_before_is_not_noted_again() -> None:
    other = told(source="one_network")
    first = decide([CABBAGE, other], {}, {})
    assert written(first)[0]["also_from"] == ["one_network"]
    assert not decide([other], on_record(first), {}).sightings


@pytest.mark.parametrize(
    "change", [{"inputs": MORE, "outputs": MORE}, {"time": NOON + timedelta(days=1)}], ids=["goods", "day"]
)
def test_differing_report_of_another_source_is_recorded_apart_and_flagged(change: dict[str, Any]) -> None:
    other = told(source="one_network", **change)
    both = decide([CABBAGE, other], {}, {})
    assert [entry.id for entry in both.entries] == ["E1", "E1:one_network"]
    assert "possible_duplicate" in recorded(both.entries[1]).flags
    again = decide([other, told(source="one_network", time=NOON + timedelta(days=2))], on_record(both), {})
    assert outcomes(again, "one_network") == [Outcome.DUPLICATE, Outcome.REJECTED]


def test_what_was_declared_wrong_makes_room_for_what_is_right() -> None:
    wrong = {id: known._replace(declared=True) for id, known in on_record(decide([CABBAGE], {}, {})).items()}
    right, later = told(inputs=MORE, outputs=MORE), told(time=NOON + timedelta(days=1))
    corrected = decide([right], wrong, {})
    assert [(entry.id, entry.flags) for entry in corrected.entries] == [
        ("E1:market", decide([CABBAGE], {}, {}).entries[0].flags)
    ]
    both = wrong | on_record(corrected)
    again = decide([CABBAGE, right, later], both, {})
    assert outcomes(again) == [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.REJECTED]
    assert [verdict.event_id for verdict in again.verdicts["market"]] == ["E1", "E1:market", None]


def test_a_correction_may_be_corrected_and_so_on() -> None:
    wrong: dict[str, Known] = {}
    told_so_far: list[Record] = []
    for number in range(MOST_CORRECTIONS + 1):
        lots = tuple(lot.model_copy(update={"quantity": Decimal(100 + number)}) for lot in CABBAGE.outputs)
        told_so_far.append(told(inputs=lots, outputs=lots))
        decided = decide(told_so_far, wrong, {})
        assert outcomes(decided) == [*[Outcome.DUPLICATE] * number, Outcome.ACCEPTED]
        wrong |= {id: known._replace(declared=True) for id, known in on_record(decided).items()}
    assert [*wrong][:4] == ["E1", "E1:market", "E1:market:2", "E1:market:3"]
    assert outcomes(decide([told(time=NOON + timedelta(days=1))], wrong, {})) == [Outcome.REJECTED]


def test_what_was_declared_wrong_is_no_twin_of_another_source() -> None:
    wrong = {id: known._replace(declared=True) for id, known in on_record(decide([CABBAGE], {}, {})).items()}
    other = decide([told(source="one_network")], wrong, {})
    assert [entry.id for entry in other.entries] == ["E1:one_network"]
    assert "possible_duplicate" not in recorded(other.entries[0]).flags
    assert not other.sightings


def test_record_without_a_site_is_refused_and_spares_its_neighbours() -> None:
    both = decide([told(id="E2", site=Party(name="?")), CABBAGE], {}, {})
    assert outcomes(both) == [Outcome.REJECTED, Outcome.ACCEPTED]
    assert both.refusals[0].error.rule == "no_site"


def records() -> st.SearchStrategy[list[Record]]:
    """Records of two sources under few ids, some of them saying the same."""
    one = st.builds(
        lambda id, source, more: told(id=id, source=source, **({"inputs": MORE, "outputs": MORE} if more else {})),
        st.sampled_from(("E1", "E2")),
        st.sampled_from(("market", "one_network")),
        st.booleans(),
    )
    return st.lists(one, max_size=10)


def state(known: dict[str, Known]) -> set[tuple[Any, ...]]:
    return {(event.id, event.source, event.gist) for event in known.values()}


def handle(batches: Sequence[Sequence[Record]]) -> tuple[dict[str, Known], list[Outcome]]:
    """Batch after batch, each seeing what the ones before it recorded."""
    known: dict[str, Known] = {}
    answers: list[Outcome] = []
    for batch in batches:
        decision = decide(batch, known, {})
        known |= on_record(decision)
        answers += [outcome for source in decision.verdicts for outcome in outcomes(decision, source)]
    return known, sorted(answers)


@given(records(), st.lists(st.integers(0, 10), max_size=4))
def test_batch_boundaries_change_nothing(told: list[Record], cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(told)]
    batches = [told[first:last] for first, last in pairwise(places)]
    one, parts = handle([told]), handle(batches)
    assert state(one[0]) == state(parts[0])
    assert one[1] == parts[1]


@given(records())
def test_redelivery_records_nothing_and_refuses_the_same(told: list[Record]) -> None:
    first = decide(told, {}, {})
    again = decide(told, on_record(first), {})
    assert not again.entries
    assert [refusal.record for refusal in again.refusals] == [refusal.record for refusal in first.refusals]


@given(records(), st.randoms(use_true_random=False))
def test_order_of_agreeing_records_changes_nothing(told: list[Record], random: Any) -> None:
    agreeing = [record for record in told if record.inputs != MORE]
    shuffled = list(agreeing)
    random.shuffle(shuffled)
    assert {e.id for e in decide(agreeing, {}, {}).entries} == {e.id for e in decide(shuffled, {}, {}).entries}
    assert handle([agreeing])[1] == handle([shuffled])[1]


def facts(site: str, state: OperatorState = OperatorState.ACTIVATED, **more: Any) -> SiteFacts:
    return SiteFacts(site=site, operator=f"o:{site}", name=site, operator_name=site, state=state, version=1, **more)


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        (None, "operator_unregistered"),
        (OperatorState.LISTED, "operator_unregistered"),
        (OperatorState.REGISTERED, None),
        (OperatorState.ACTIVATED, None),
        (OperatorState.SUSPENDED, "operator_suspended"),
        (OperatorState.REVOKED, "operator_revoked"),
        (OperatorState.DEREGISTERED, "operator_revoked"),
    ],
)
def test_state_of_the_operator_flags_its_records(state: OperatorState | None, rule: str | None) -> None:
    known = {"licence:JY1": facts("licence:JY1")} | ({"market:9": facts("market:9", state)} if state else {})
    assert recorded(decide([CABBAGE], {}, known).entries[0]).flags == ((rule,) if rule else ())


def test_counterparty_the_registry_does_not_know_is_flagged_unless_it_is_external() -> None:
    known = {"market:9": facts("market:9")}
    abroad = told(id="E2", counterparty=Party(site="uscc:9", external=True))
    flags = [recorded(entry).flags for entry in decide([CABBAGE, abroad], {}, known).entries]
    assert flags == [("unknown_counterparty",), ()]


def test_registry_places_an_event_whose_record_does_not() -> None:
    placed, lost = (
        decide([CABBAGE], {}, known).entries[0] for known in ({"market:9": facts("market:9", division="370102")}, {})
    )
    assert recorded(placed).division == "370102"
    assert "unplaced" not in rows.event_row(placed, None, NOON)
    assert rows.event_row(lost, None, NOON)["unplaced"] == "market:9"


def test_event_is_written_as_it_was_told() -> None:
    record = CaptureV1.model_validate_json(
        CaptureV1(
            records=(told(documents=(Document(kind="conformity", number="HG-1"),), kdes={"$a.b\0": "c"}),)
        ).model_dump_json()
    ).records[0]
    row = written(decide([record], {}, {}))[0]
    assert (row["inputs"], row["outputs"]) == (["SL1@market:9"], ["SL1@licence:JY1"])
    assert row["lots"]["inputs"][0]["quantity"].to_decimal() == Decimal("12.5")
    assert row["documents"] == [{"kind": "conformity", "number": "HG-1"}]
    assert row["kdes"] == [{"name": "$a.b\0", "value": "c"}]
    assert row["parties"] == ["uscc:1"]
    walked = rows.event(row)
    assert isinstance(walked, Event)
    assert (walked.here.site, walked.here.name, walked.there.site) == ("market:9", "张三蔬菜", "licence:JY1")
    assert walked.inputs[0][:3] == ("SL1", Decimal("12.5"), "KGM")


def test_receipt_without_inputs_took_in_what_it_names() -> None:
    row = written(decide([told(step=Step.RECEIVING, inputs=())], {}, {}))[0]
    assert (row["inputs"], row["outputs"]) == (["SL1@licence:JY1"], ["SL1@market:9"])
    assert [[lot["batch"] for lot in lots] for lots in rows.lots_of(row)] == [["SL1"], ["SL1"]]


def test_candidate_ids_tell_sources_apart() -> None:
    assert [*candidate_ids(CABBAGE)][:3] == ["E1", "E1:market", "E1:market:2"]


@pytest.mark.parametrize(
    "change",
    [
        {"time": NOON + timedelta(microseconds=1_250)},
        {"kdes": {"a": "b"}},
        {"documents": (Document(kind="import", number="1", valid_until=date(2027, 1, 1)),)},
        {"counterparty": None},
        {"vehicle": "鲁A1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_record_says_is_told_from_its_event(change: dict[str, Any]) -> None:
    first = on_record(decide([told(**change)], {}, {}))
    assert outcomes(decide([told(**change, message_id="m2", line=7)], first, {})) == [Outcome.DUPLICATE]
    assert outcomes(decide([CABBAGE], first, {})) == [Outcome.REJECTED]


@pytest.mark.parametrize(
    "change",
    [
        {"time": NOON + timedelta(microseconds=999)},
        {"outputs": ()},
        {"counterparty": Party(site="licence:JY1", name="实验小学食堂", address="")},
        {"vehicle": "鲁A1"},
        {"documents": (Document(kind="conformity", number="HG-1"),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_record_told_again_gets_the_same_verdict_in_the_same_batch_and_in_a_later_one(change: dict[str, Any]) -> None:
    again = told(**change, message_id="m2")
    [_, together] = outcomes(decide([CABBAGE, again], {}, {}))
    [later] = outcomes(decide([again], on_record(decide([CABBAGE], {}, {})), {}))
    assert together is later


@given(
    st.sampled_from(Step),
    st.sampled_from([(), (LOT,), MORE]),
    st.sampled_from([(), (LOT,), MORE]),
    st.sampled_from([None, Party(name="?"), Party(site="uscc:9", external=True, licence_valid_until=date(2027, 1, 1))]),
    st.sampled_from(
        [(), (Document(kind="quarantine", number="1", form="animal_a", quantity=Decimal("1.50"), unit="KGM"),)]
    ),
    st.sampled_from([{}, {"$a.b": "c"}]),
)
def test_a_record_is_read_back_from_its_event(
    step: Step, inputs: Any, outputs: Any, other: Party | None, papers: Any, kdes: Any
) -> None:
    record = told(step=step, inputs=inputs, outputs=outputs, counterparty=other, documents=papers, kdes=kdes)
    [row] = written(decide([record], {}, {}))
    again = rows.record(row)
    assert said_by(again) == said_by(record)
    assert kde.completeness(again) == kde.completeness(record)


def test_a_clean_down_is_recorded_and_announced_without_goods() -> None:
    cleaned = told(step=Step.CLEANING, inputs=(), outputs=(), counterparty=None, production_line="3号线")
    decision = decide([cleaned], {}, {})
    [row] = written(decision)
    assert (row["production_line"], row["batches"], row["inputs"], row["outputs"]) == ("3号线", [], [], [])
    assert recorded(decision.entries[0]).batches == ()
    assert outcomes(decide([cleaned], on_record(decision), {})) == [Outcome.DUPLICATE]


def test_papers_and_animals_are_what_an_event_can_be_asked_by() -> None:
    pigs = (LOT.model_copy(update={"ear_tags": ("137018100000001", "137018100000002")}),)
    papers = (Document(kind="quarantine", number="q 37-1"), Document(kind="meat", number="XS-1"))
    row = written(decide([told(documents=papers, inputs=pigs, outputs=pigs)], {}, {}))[0]
    assert row["references"] == ["XS-1", "Q37-1", "137018100000001", "137018100000002"]
    assert "references" not in written(decide([told(document=None)], {}, {}))[0]


def test_goods_that_only_moved_are_stored_once() -> None:
    moved, renamed = (written(decide([told(step=Step.RECEIVING, outputs=lots)], {}, {}))[0] for lots in ((LOT,), MORE))
    assert list(moved["lots"]) == ["inputs"]
    assert [lot["quantity"].to_decimal() for lot in renamed["lots"]["outputs"]] == [99]
