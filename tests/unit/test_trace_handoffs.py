"""What both sides of a handoff say: by example, and at random, in any order and split, against brute force."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.asking import answered
from chassis.outgoing import Commit
from contracts.fields import measure, split_quantity
from contracts.findings import Finding, FindingKind
from contracts.trace import Category, Link, Lot, Party, Step
from services.trace.asks import EventsNamed
from services.trace.entry import Entry
from services.trace.entry import recorded as announced
from services.trace.lineage import Place
from services.trace.sites import Row
from services.trace.watch import handoff_watch, terms
from services.trace.watch import store as watch_store
from services.trace.watch.broken import HandoffsOf
from services.trace.watch.handoffs import Half, told
from services.trace.watch.terms import Duty, Term
from tests.unit import trace_handoff_model as model
from tests.unit.trace_handoff_model import Said
from tests.unit.trace_handoffs import (
    HOUR,
    MONDAY,
    C,
    R,
    S,
    applied,
    broken,
    entry,
    event,
    judged,
    pulled,
    receive,
    rows_of,
    ship,
)

MISMATCH, BEFORE = FindingKind.QUANTITY_MISMATCH, FindingKind.RECEIVED_BEFORE_SHIPPED


def kg(quantity: str | int) -> dict[str, Any]:
    return {"amount": (quantity, "KGM")}


def wrong(*entries: Entry, **more: Any) -> list[tuple[FindingKind, float]]:
    """Kinds of what is broken, and the hours when it was due."""
    return sorted((each.discrepancy.kind, (each.due_at - MONDAY) / HOUR) for each in broken(*entries, **more))


# How much


def test_a_part_received_is_a_mismatch_once_its_time_is_over_and_none_when_the_rest_comes() -> None:
    shipped, part = ship("e1", S, R, **kg(100)), receive("e2", R, S, hour=2, **kg(60))
    (found,) = broken(shipped, part)
    assert (found.discrepancy.kind, found.due_at, found.event.id) == (MISMATCH, MONDAY + 24 * HOUR, "e1")
    assert (found.site.site, found.other.site) == (R, S)
    assert found.discrepancy[3:] == (("e1", "e2"), "≥ 95 KGM", "60 KGM", "5%")
    assert not broken(shipped, part, receive("e3", R, S, hour=9, **kg("39.5")))


def test_more_received_than_shipped_is_a_mismatch_once_the_senders_time_is_over() -> None:
    entries = ship("e1", S, R, **kg(100)), receive("e2", R, S, hour=2, **kg(100)), receive("e3", R, S, hour=5, **kg(40))
    (found,) = broken(*entries)
    assert (found.discrepancy.kind, found.due_at, found.event.id) == (MISMATCH, MONDAY + 29 * HOUR, "e3")
    assert found.discrepancy[3:] == (("e2", "e3", "e1"), "≤ 105 KGM", "140 KGM", "5%")
    assert (found.site.site, found.other.site) == (R, S)
    assert not broken(*entries, ship("e4", S, R, hour=30, **kg(40)))


def test_goods_due_later_are_not_missed_yet() -> None:
    first, second = ship("e1", S, R, **kg(100)), ship("e2", S, R, hour=10, **kg(100))
    received = receive("e3", R, S, hour=1, **kg(100))
    assert wrong(first, second, received) == [(MISMATCH, 34)]
    assert wrong(first, second, receive("e3", R, S, hour=1, **kg(90))) == [(MISMATCH, 24)]


@pytest.mark.parametrize(
    ("category", "unit", "received", "agrees"),
    [
        (Category.VEGETABLE, "KGM", "95", True),
        (Category.VEGETABLE, "KGM", "94.9", False),
        (Category.VEGETABLE, "KGM", "105", True),
        (Category.VEGETABLE, "KGM", "105.1", False),
        (Category.DAIRY, "LTR", "98", True),
        (Category.DAIRY, "LTR", "97.9", False),
        (Category.MEAT, "HEA", "100", True),
        (Category.MEAT, "HEA", "99", False),
    ],
)
def test_scales_and_losses_are_tolerated(category: Category, unit: str, received: str, agrees: bool) -> None:
    shipped = ship("e1", S, R, category=category, amount=(100, unit))
    came = receive("e2", R, S, category=category, amount=(received, unit))
    assert (len(broken(shipped, came)) == 0) is agrees


def test_units_convert_before_they_are_compared() -> None:
    jin = measure(split_quantity("200斤"))
    shipped = ship("e1", S, R, amount=(jin.quantity, jin.unit))
    assert not broken(shipped, receive("e2", R, S, **kg(100)))
    assert broken(shipped, receive("e2", R, S, **kg(200)))


@pytest.mark.parametrize("amount", [(7, "HEA"), (None, None)])
def test_what_cannot_convert_is_not_compared(amount: tuple[int | None, str | None]) -> None:
    shipped = ship("e1", S, R, **kg(100))
    assert not broken(shipped, receive("e2", R, S, amount=amount))
    assert not broken(shipped, receive("e2", R, S, **kg(10)), receive("e3", R, S, amount=amount))


def test_a_new_batch_code_at_the_receiver_is_the_same_handoff() -> None:
    own = (Lot(batch="own", category=Category.VEGETABLE, quantity=Decimal(50), unit="KGM"),)
    theirs = (Lot(batch="A", category=Category.VEGETABLE, quantity=Decimal(50), unit="KGM"),)
    renamed = receive("e2", R, S, lots=theirs, outputs=own)
    assert not broken(ship("e1", S, R, **kg(50)), renamed)
    assert wrong(ship("e1", S, R, **kg(100)), renamed) == [(MISMATCH, 24)]


def test_lots_of_one_batch_in_one_record_add_up() -> None:
    lots = tuple(Lot(batch="A", category=Category.VEGETABLE, quantity=Decimal(50), unit="KGM") for _ in range(2))
    (half,) = told(ship("e1", S, R, lots=lots))
    assert half.half == Half(MONDAY, "e1", Step.SHIPPING, Category.VEGETABLE, Decimal(100), "KGM")
    mixed = (*lots, lots[0].model_copy(update={"unit": "HEA"}), lots[0])
    (half,) = told(ship("e1", S, R, lots=mixed))
    assert (half.half.quantity, half.half.unit) == (None, None)


def test_what_two_sources_tell_of_one_event_counts_once() -> None:
    shipped = ship("e1", S, R, **kg(100)), ship("e1:one_network", S, R, **kg(120))
    assert not broken(*shipped, receive("e2", R, S, **kg(100)))
    assert not broken(*shipped, receive("e2", R, S, **kg(120)))
    assert wrong(*shipped, receive("e2", R, S, **kg(200))) == [(MISMATCH, 24)]
    # Neither do they explain two receipts of others.
    entries = ship("e1", S), ship("e1:one_network", S, hour=1), receive("e3", R, S), receive("e4", C, S)
    assert wrong(*entries) == [(FindingKind.UNKNOWN_SOURCE, 24)]


def test_halves_that_name_nobody_may_be_the_difference() -> None:
    shipped, part = ship("e1", S, R, **kg(100)), receive("e2", R, S, **kg(60))
    unnamed = FindingKind.UNKNOWN_SOURCE, 24
    assert wrong(shipped, part, receive("e3", R, **kg(40))) == [unnamed]
    assert wrong(shipped, part, receive("e3", R, **kg(4))) == [(MISMATCH, 24), unnamed]
    entries = ship("e1", S, R, **kg(60)), ship("e3", S, **kg(40)), receive("e2", R, S, **kg(100))
    assert wrong(*entries) == [(FindingKind.OVERDUE_SHIPMENT, 24)]


def test_goods_told_in_two_steps_may_be_the_same_goods() -> None:
    sold, shipped = entry("e1", Step.SELLING, S, R, **kg(100)), ship("e2", S, R, **kg(100))
    bought, received = entry("e3", Step.PURCHASE, R, S, **kg(100)), receive("e4", R, S, **kg(100))
    assert not broken(sold, shipped, bought)
    assert not broken(shipped, bought, received)
    assert not broken(sold, shipped, bought, received)
    assert wrong(shipped, bought, received, receive("e5", R, S, **kg(100))) == [(MISMATCH, 24)]


def test_goods_sent_back_may_never_have_been_taken_in() -> None:
    shipped, kept = ship("e1", S, R, **kg(100)), receive("e2", R, S, **kg(60))
    back = entry("e3", Step.RETURNING, R, S, **kg(40)), receive("e4", S, R, **kg(40))
    assert not broken(shipped, kept, *back)
    # A return of its own, of which less came back than left.
    lost = back[0], receive("e4", S, R, **kg(20))
    assert [each.site.site for each in broken(shipped, receive("e2", R, S, **kg(100)), *lost)] == [S]


def test_documented_borders_are_not_compared() -> None:
    abroad = Party(site="licence:X", external=True)
    assert not broken(receive("e1", R, abroad, **kg(100)), ship("e2", "licence:X", R, **kg(10)))


def test_merged_sites_are_judged_once_by_all_they_said() -> None:
    entries = ship("e1", S, "market:9", **kg(100)), receive("e2", R, S, **kg(60)), ship("e3", S, R, hour=-1, **kg(10))
    merged = [Row("market:9", R), Row(R, None, Place(R, division="370102"))]
    (found,) = broken(*entries, sites=merged)
    assert (found.discrepancy.kind, found.discrepancy.allowed, found.discrepancy.told) == (
        MISMATCH,
        "≥ 104.5 KGM",
        "60 KGM",
    )
    assert found.site.division == "370102"
    ids = [{id for id, each in judged(*told, sites=merged).items() if each.broken} for told in (entries, entries[::-1])]
    assert ids == [{f"A@{S}@{R}"}] * 2


def test_each_side_has_the_time_of_its_own_link_and_division_on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        Term(Duty.RECEIPT, terms.OPENING, 5 * HOUR, "", link=Link.CATERING),
        Term(Duty.SHIPMENT, terms.OPENING, 6 * HOUR, "", division="3702"),
        Term(Duty.SHIPMENT, (MONDAY + timedelta(days=1)).date(), 7 * HOUR, "", division="3702"),
    )
    monkeypatch.setattr(terms, "allowed", partial(terms.allowed, table=(*terms.TERMS, *rows)))
    places = [Row(S, None, Place(S, division="370202")), Row(R, None, Place(R, link=Link.CATERING, division="370102"))]

    def due(*entries: Entry) -> list[tuple[FindingKind, float]]:
        return wrong(*entries, sites=places)

    assert due(ship("e1", S, R)) == [(FindingKind.OVERDUE_SHIPMENT, 5)]
    assert due(receive("e1", R, S)) == [(FindingKind.UNKNOWN_SOURCE, 6)]
    assert due(receive("e1", R, S, hour=24)) == [(FindingKind.UNKNOWN_SOURCE, 24 + 7)]
    assert due(ship("e1", S, R, **kg(9)), receive("e2", R, S, **kg(3))) == [(MISMATCH, 5)]
    assert due(ship("e1", S, R, **kg(3)), receive("e2", R, S, **kg(9))) == [(MISMATCH, 6)]
    assert due(ship("e1", S, R, hour=30), receive("e2", R, S)) == [(BEFORE, 6)]


# Which was first


def test_goods_received_before_the_day_they_were_shipped() -> None:
    shipped, received = ship("e1", S, R, hour=13), receive("e2", R, S, hour=2)
    (found,) = broken(shipped, received)
    assert (found.discrepancy.kind, found.due_at, found.event.id) == (BEFORE, MONDAY + 26 * HOUR, "e2")
    assert (found.site.site, found.other.site) == (R, S)
    assert found.discrepancy[3:] == (
        ("e2", "e1"), "≥ 2026-03-03T01:00:00+08:00", "2026-03-02T14:00:00+08:00", "same day",
    )  # fmt: skip


def test_a_day_is_one_time_and_clocks_differ() -> None:
    assert not broken(ship("e1", S, R, hour=11.9), receive("e2", R, S, hour=-12))
    assert not broken(ship("e1", S, R, hour=12.05), receive("e2", R, S, hour=11.95))
    assert broken(ship("e1", S, R, hour=12.05), receive("e2", R, S, hour=11.8))


def test_an_earlier_shipment_told_late_explains_a_receipt() -> None:
    shipped, received = ship("e1", S, R, hour=20), receive("e2", R, S)
    assert wrong(shipped, received) == [(BEFORE, 24)]
    assert BEFORE not in dict(wrong(shipped, received, ship("e0", S, hour=-1)))
    assert wrong(shipped, received, ship("e0", S, R, hour=-1)) == [(MISMATCH, 44)]


# Corrections


def test_a_withdrawn_event_is_as_if_it_had_not_been() -> None:
    shipped, double, received = ship("e1", S, R), ship("e2", S, R, hour=3), receive("e3", R, S)
    rows = rows_of([shipped, double, received])
    pulled(rows, watch_store.halves_withdrawn(["e2"], ["A"], MONDAY))
    assert {row["look_at"] for row in rows.values()} == {MONDAY}
    assert not [each for one in judged(shipped, double, received, rows=rows).values() for each in one.broken]
    pulled(rows, watch_store.halves_withdrawn(["e1", "e3"], ["A", "B"], MONDAY))
    ((handoff, faults),) = judged(shipped, double, received, rows=rows).values()
    assert (handoff.halves, handoff.categories, faults) == (frozenset(), frozenset(), ())


# At random


class Platform:
    """Capture, hearing and sweeping with the rules and writes of trace, on documents in memory."""

    def __init__(self, events: Mapping[str, Any], sites: Sequence[Row]) -> None:
        self._events, self._sites = events, sites
        self.rows: dict[str, Any] = {}
        self.found: dict[str, Finding] = {}

    def capture(self, entries: Sequence[Entry], now: datetime) -> None:
        """Records a batch, and judges what it may put right."""
        for each in entries:
            for half in told(each):
                applied(self.rows, watch_store.half_told(half))
        if asked := handoff_watch.concerned(self, map(announced, entries)):
            self._judge(handoff_watch.heard(self, asked, now, None))

    def sweep(self, now: datetime) -> None:
        """Judges what is to be looked at by then."""
        more = True
        while more:
            commit, more = handoff_watch.sweep(self, now)
            self._judge(commit)

    def sweep_until(self, end: datetime) -> None:
        """Sweeps each time that something is to be looked at."""
        while (now := min((row["look_at"] for row in self.rows.values() if "look_at" in row), default=end)) < end:
            self.sweep(now)
        self.sweep(end)

    def withdraw(self, events: Sequence[str], batches: Sequence[str], now: datetime) -> None:
        pulled(self.rows, watch_store.halves_withdrawn(events, batches, now))

    def _judge(self, commit: Commit) -> None:
        for operation in commit.writes[watch_store.HANDOFFS]:
            self._looked(operation)
        for operation in commit.writes[watch_store.FINDINGS]:
            row = operation._doc
            self.found[row["_id"]] = watch_store.finding(row)

    def _looked(self, operation: Any) -> None:
        row = self.rows[operation._filter["_id"]]
        assert row.get("look_at") == operation._filter["look_at"]
        row.pop("look_at", None)
        row.update(operation._doc.get("$set", {}))

    # As `reading.Reader`

    def find(self, name: str, where: dict[str, Any], fields: Any = None) -> list[dict[str, Any]]:
        rows = self.rows.values() if name == watch_store.HANDOFFS else map(_row, self.found.values())
        return [row for row in rows if all(_fits(row.get(field), asked) for field, asked in where.items())]

    def due(self, name: str, where: dict[str, Any], most: int) -> list[dict[str, Any]]:
        until = where["look_at"]["$lte"]
        return [row for row in self.rows.values() if row.get("look_at", until + HOUR) <= until][:most]

    def driven(self, steps: Any) -> Any:
        def answer(request: Any) -> list[Any]:
            match request:
                case HandoffsOf(batches, sites):
                    between = [row for row in self.rows.values() if not sites or {row["from"], row["to"]} <= {*sites}]
                    return [watch_store.handoff(row) for row in between if row["batch"] in batches]
                case EventsNamed(ids):
                    return [self._events[id] for id in ids]
                case _:
                    return [row for row in self._sites if {row.site, row.alias_of} & {*request.sites}]

        return answered(steps, answer)


def _row(finding: Finding) -> dict[str, Any]:
    return {"_id": finding.id, **finding.model_dump(exclude={"id"})}


def _fits(value: Any, asked: Any) -> bool:
    """A MongoDB filter's clause: a value, or `$in`, of a field that may be a list."""
    values = value if isinstance(value, list | tuple) else [value]
    return bool({*values} & {*(asked["$in"] if isinstance(asked, dict) else [asked])})


MERGED = [Row(old, today) for old, today in model.TODAY.items()]
SITES = st.sampled_from(["s0", "s1", "s2", "old"])
STEPS = st.sampled_from(["shipping", "shipping", "receiving", "receiving", "returning", "selling", "purchase"])
HOURS = st.sampled_from([0, 3, 11.9, 12, 12.1, 20, 30, 40, 64, 70])
AMOUNTS = st.sampled_from([10, 19, 20, 21, 40, 100, 104, None])
END = MONDAY + timedelta(days=30)


@st.composite
def said(draw: st.DrawFn) -> list[Said]:
    """Shipments and receipts of two batches among three sites, one with two ids; some name nobody, some a border,
    some are told by two apps.
    """
    units = {"A": draw(st.sampled_from(["KGM", "HEA"])), "B": "KGM"}
    found: list[Said] = []
    for number in range(draw(st.integers(0, 6))):
        batch = draw(st.sampled_from("AAB"))
        one = Said(
            f"e{number}", draw(STEPS), draw(SITES), draw(SITES | st.sampled_from(["", model.ABROAD])), batch,
            draw(HOURS), draw(AMOUNTS), units[batch],
        )  # fmt: skip
        found.append(one)
        if draw(st.integers(0, 4)) == 0:
            found.append(one._replace(id=f"{one.id}:x", hour=draw(HOURS), amount=draw(AMOUNTS)))
    return found


def recorded(one: Said) -> Entry:
    """As an event, its time and amount as told."""
    external = one.there == model.ABROAD
    there = (
        Party(name="省外", external=True) if external else Party(site=one.there) if one.there else Party(name="某店")
    )
    category = Category.VEGETABLE if one.batch in model.PRODUCE else Category.DAIRY
    amount = (one.amount, one.unit if one.amount is not None else None)
    return entry(one.id, Step(one.step), one.here, there, one.batch, one.hour, category=category, amount=amount)


def platform(told: Sequence[Said]) -> Platform:
    return Platform({one.id: event(recorded(one)) for one in told}, MERGED)


def split(told: Sequence[Said], random: Any) -> list[list[Said]]:
    """In any order, some of it twice, in batches of any size."""
    again = [*told, *(one for one in told if random.random() < 0.4)]
    random.shuffle(again)
    batches: list[list[Said]] = [[]]
    for one in again:
        if random.random() < 0.4:
            batches.append([])
        batches[-1].append(one)
    return batches


def open_ones(found: Mapping[str, Finding]) -> dict[model.Fault, Finding]:
    """By what is wrong: kind, batch, sender and receiver in today's ids."""
    faults: dict[model.Fault, Finding] = {}
    for each in found.values():
        ends = (each.counterparty or "", each.site)
        # Laid to a sender that names nobody.
        if each.kind is FindingKind.OVERDUE_SHIPMENT and not each.counterparty:
            ends = (each.site, "")
        if each.open:
            faults[str(each.kind), each.batches[0], *ends] = each
    return faults


def test_one_sweep_judges_no_more_of_a_batch_than_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handoff_watch, "PAGE", 2)
    told = [Said(f"e{number}", "shipping", "s0", f"r{number}", "A", 0, 10, "KGM") for number in range(5)]
    shilian = platform(told)
    shilian.capture([recorded(one) for one in told], MONDAY)
    commit, more = handoff_watch.sweep(shilian, END)
    assert more
    assert len(commit.writes[watch_store.FINDINGS]) == 2
    shilian.sweep(END)
    assert len(open_ones(shilian.found)) == 5


def test_hearing_of_a_lot_sold_all_day_writes_nothing_while_nothing_changes() -> None:
    told = [Said(f"e{number}", "shipping", "s0", "", "B", 0, 10, "KGM") for number in range(3)]
    shilian, entries = platform(told), [recorded(one) for one in told]
    shilian.capture(entries, MONDAY)
    assert handoff_watch.concerned(shilian, map(announced, entries))
    assert [row["look_at"] for row in shilian.rows.values()] == [MONDAY + terms.SHORTEST]


def test_what_a_late_half_puts_right_is_closed_at_once_whatever_id_its_site_goes_by() -> None:
    told = [
        Said("e0", "shipping", "s0", "old", "A", 0, 10, "KGM"),
        Said("e1", "receiving", "s2", "s0", "A", 1, 10, "KGM"),
    ]
    shilian = platform(told)
    shilian.capture([recorded(told[0])], MONDAY)
    shilian.sweep_until(END)
    assert {*open_ones(shilian.found)} == {("overdue_shipment", "A", "s0", "s2")}
    shilian.capture([recorded(told[1])], END)
    assert not open_ones(shilian.found)


@settings(deadline=None, max_examples=200)
@given(said(), st.randoms(use_true_random=False))
def test_any_order_repetition_and_split_come_to_what_brute_force_finds(told: list[Said], random: Any) -> None:
    shilian = platform(told)
    now, heard = MONDAY, set[Said]()
    for batch in split(told, random):
        shilian.capture([recorded(one) for one in batch], now)
        heard |= {*batch}
        # What is put right is closed at once.
        assert {*open_ones(shilian.found)} <= model.lacking(heard) | {*model.disagreeing(heard)}
        now += random.choice((0, 30, 200)) * HOUR
        if random.random() < 0.7:
            shilian.sweep(now)
    shilian.sweep_until(END)
    disagreeing = model.disagreeing(told)
    found = open_ones(shilian.found)
    assert {*found} == model.lacking(told) | {*disagreeing}
    for fault, hour in disagreeing.items():
        assert found[fault].due_at == MONDAY + hour * HOUR
        # Found when it fell due, or when the last word came; never by luck.
        assert MONDAY + hour * HOUR <= found[fault].opened_at <= max(MONDAY + hour * HOUR, now)


@settings(deadline=None)
@given(said(), st.randoms(use_true_random=False))
def test_any_order_repetition_and_split_come_to_the_same_rows_and_findings(told: list[Said], random: Any) -> None:
    first, second = platform(told), platform(told)
    first.capture([recorded(one) for one in told], MONDAY)
    for batch in split(told, random):
        second.capture([recorded(one) for one in batch], MONDAY)
    assert _content(first) == _content(second)
    for each in (first, second):
        each.sweep_until(END)
    assert _said_of(first.found) == _said_of(second.found)


def _content(shilian: Platform) -> dict[str, Any]:
    return {id: (watch_store.handoff(row), row.get("look_at")) for id, row in shilian.rows.items()}


def _said_of(found: Mapping[str, Finding]) -> dict[str, Finding]:
    same = {"version": 1, "opened_at": MONDAY}
    return {id: each.model_copy(update=same) for id, each in found.items() if each.open}


@settings(deadline=None)
@given(said(), st.randoms(use_true_random=False))
def test_what_is_withdrawn_leaves_what_brute_force_finds_without_it(told: list[Said], random: Any) -> None:
    shilian = platform(told)
    for batch in split(told, random):
        shilian.capture([recorded(one) for one in batch], MONDAY)
    if random.random() < 0.5:
        shilian.sweep_until(END)
    gone = [one for one in told if random.random() < 0.4]
    shilian.withdraw([one.id for one in gone], [one.batch for one in gone], END)
    shilian.sweep_until(END + HOUR)
    left = [one for one in told if one not in gone]
    assert {*open_ones(shilian.found)} == model.lacking(left) | {*model.disagreeing(left)}
