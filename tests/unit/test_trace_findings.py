"""Handoffs, what is broken, and silence: by example, and at random against a model that counts event by event."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import UpdateOne

from chassis.asking import answered
from contracts.findings import Finding, FindingKind
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Category, Link, Lot, Party, Record, Step
from services.trace import terms, watched
from services.trace.broken import Broken, EventsNamed, HandoffsOf, Judgement, Request, judge
from services.trace.entry import Entry
from services.trace.findings import finding_id, of_handoffs
from services.trace.handoffs import Handoff, told, unanswered
from services.trace.lineage import Event, Goods, Place, site_of
from services.trace.silence import recent, silent_at
from services.trace.sites import Row
from tests.unit.trace_world import World

MONDAY = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
OVERDUE, UNKNOWN = FindingKind.OVERDUE_SHIPMENT, FindingKind.UNKNOWN_SOURCE
S, R, C = "licence:S", "licence:R", "licence:C"


def entry(
    id: str, step: Step, here: str, there: str | Party | None = None, batch: str = "A", hour: int = 0, **more: Any
) -> Entry:
    category = more.pop("category", Category.VEGETABLE)
    lots = (Lot(batch=batch, category=category, quantity=Decimal(1), unit="KGM"),)
    party = Party(site=there) if isinstance(there, str) else there
    record = Record(
        id=id, source="market", message_id=id, step=step, time=MONDAY + hour * HOUR, sent_at=MONDAY,
        site=Party(site=here), counterparty=party, inputs=lots, outputs=lots,
    )  # fmt: skip
    return Entry(id, record, (), more.get("facts"), more.get("their_facts"))


def ship(id: str, here: str, there: str | Party | None = None, **more: Any) -> Entry:
    return entry(id, Step.SHIPPING, here, there or Party(name="某店"), **more)


def receive(id: str, here: str, there: str | Party | None = None, **more: Any) -> Entry:
    return entry(id, Step.RECEIVING, here, there, **more)


def applied(rows: dict[str, Any], operation: UpdateOne) -> None:
    """What MongoDB makes of an upsert with the operators handoffs are written with."""
    news: Any = operation._doc
    id = operation._filter["_id"]
    row = rows.setdefault(id, {"_id": id, **news["$setOnInsert"]})
    row.update(news.get("$set", {}))
    for name, value in news.get("$min", {}).items():
        row[name] = min(row.get(name, value), value)
    for name, value in news["$addToSet"].items():
        row[name] = [*row.get(name, []), *([value] if value not in row.get(name, []) else [])]


def rows_of(entries: Iterable[Entry]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for each in entries:
        for half in told(each):
            applied(rows, watched.half_told(half))
    return deepcopy(rows)


def handoffs_of(entries: Iterable[Entry]) -> list[Handoff]:
    return [watched.handoff(row) for row in rows_of(entries).values()]


def lacking(*entries: Entry) -> set[tuple[str, str, FindingKind]]:
    found = handoffs_of(entries)
    kinds = unanswered(found)
    return {(each.tail, each.head, kinds[each.id]) for each in found if each.id in kinds}


def place(party: Party | None) -> Place:
    link = party.link if party else None
    return Place(site_of(party), link=link, external=bool(party and party.external))


def event(each: Entry) -> Event:
    record = each.record
    goods = tuple(Goods(lot.batch, category=lot.category) for lot in record.outputs)
    return Event(each.id, record.step, record.time, place(record.site), place(record.counterparty), goods, goods)


def judged(*entries: Entry, sites: Iterable[Row] = ()) -> dict[str, Judgement]:
    """What is said of the handoffs of everything on record."""
    found, known = handoffs_of(entries), World((), tuple(sites))
    events = {each.id: event(each) for each in entries}

    def answer(request: Request) -> list[Any]:
        match request:
            case HandoffsOf(batches):
                return [each for each in found if each.batch in batches]
            case EventsNamed(ids):
                return [events[id] for id in ids]
            case _:
                return known.answer(request)

    judgements = answered(judge({each.batch for each in found}), answer)
    return {judgement.handoff.id: judgement for judgement in judgements}


def broken(*entries: Entry, **more: Any) -> list[Broken]:
    return [judgement.broken for judgement in judged(*entries, **more).values() if judgement.broken]


# Which half is missing


def test_a_shipment_lacks_its_receipt_until_it_comes() -> None:
    shipped = ship("e1", S, R)
    assert lacking(shipped) == {(S, R, OVERDUE)}
    assert lacking(shipped, receive("e2", R, S)) == set()


def test_a_receipt_lacks_its_shipment_until_it_comes() -> None:
    received = receive("e2", R, S)
    assert lacking(received) == {(S, R, UNKNOWN)}
    assert lacking(received, ship("e1", S, R)) == set()


def test_documented_border_closes_a_handoff_at_once() -> None:
    abroad = Party(name="智利果园", external=True)
    row = next(iter(rows_of([receive("e1", R, abroad)]).values()))
    assert row["external"]
    assert "look_at" not in row
    assert lacking(receive("e1", R, abroad), ship("e2", S, abroad)) == set()


def test_a_site_the_registry_knows_is_no_border() -> None:
    facts = SiteFacts(site=R, operator="o", name="", operator_name="", state=OperatorState.ACTIVATED, version=1)
    claimed = ship("e1", S, Party(site=R, external=True), their_facts=facts)
    assert lacking(claimed) == {(S, R, OVERDUE)}


def test_what_is_sold_to_consumers_is_handed_to_nobody() -> None:
    assert not rows_of([entry("e1", Step.SELLING, S), entry("e2", Step.SELLING, S, Party())])
    assert lacking(entry("e1", Step.SELLING, S, Party(name="老王饭店"))) == {(S, "", OVERDUE)}


def test_steps_within_a_site_hand_nothing_over() -> None:
    steps = set(Step) - {Step.SHIPPING, Step.SELLING, Step.RETURNING, Step.RECEIVING, Step.PURCHASE}
    assert not rows_of(entry(f"e{step}", step, S, R) for step in steps)


def test_halves_that_name_nobody_are_answered_as_in_a_walk() -> None:
    assert lacking(ship("e1", S), receive("e2", R, S)) == set()
    assert lacking(ship("e1", S, R), receive("e2", R)) == set()
    assert lacking(ship("e1", S), receive("e2", R)) == set()
    assert lacking(ship("e1", S), receive("e2", S)) == {(S, "", OVERDUE), ("", S, UNKNOWN)}
    # One receipt that names nobody answers one shipment, the earliest.
    assert lacking(ship("e1", S, R, hour=2), ship("e2", C, R, hour=1), receive("e3", R)) == {(S, R, OVERDUE)}


# When, and whom it is laid to


@pytest.mark.parametrize(("category", "hours"), [(Category.VEGETABLE, 24), (Category.DAIRY, 72), (Category.OTHER, 72)])
def test_a_receipt_is_due_by_the_table(category: Category, hours: int) -> None:
    (found,) = broken(ship("e1", S, R, hour=5, category=category))
    assert (found.kind, found.site.site, found.other.site, found.event.id) == (OVERDUE, R, S, "e1")
    assert found.due_at == MONDAY + timedelta(hours=5 + hours)


def test_an_unknown_source_counts_after_the_senders_own_time() -> None:
    (found,) = broken(receive("e1", R, S, hour=5, category=Category.DAIRY))
    assert (found.kind, found.site.site, found.other.site) == (UNKNOWN, R, S)
    assert found.due_at == MONDAY + timedelta(hours=5 + 24)


def test_a_sender_that_names_nobody_answers_itself() -> None:
    (found,) = broken(ship("e1", S))
    assert (found.site.site, found.other.site) == (S, "")


def test_own_produce_of_a_grower_needs_no_record_before_its_delivery() -> None:
    grower = Party(site=S, link=Link.PRODUCTION)
    assert not broken(receive("e1", R, grower))
    assert broken(receive("e1", R, grower, category=Category.DAIRY))
    assert broken(receive("e1", R, Party(site=S, link=Link.CIRCULATION)))


def test_sites_merged_by_the_registry_are_one() -> None:
    entries = ship("e1", S, "market:9"), receive("e2", R, S)
    assert len(broken(*entries)) == 2
    assert not broken(*entries, sites=[Row("market:9", R), Row(R, None, Place(R))])
    (found,) = broken(entries[0], sites=[Row("market:9", R), Row(R, None, Place(R, division="370102"))])
    assert (found.site.site, found.site.division) == (R, "370102")


def test_the_narrower_and_later_term_wins() -> None:
    day, later = date(2026, 1, 1), date(2026, 6, 1)
    table = (
        terms.Term(day, 72 * HOUR, ""),
        terms.Term(day, 24 * HOUR, "", frozenset({Category.FRUIT})),
        terms.Term(later, 12 * HOUR, "", frozenset({Category.FRUIT})),
        terms.Term(day, 48 * HOUR, "", None, Link.CATERING),
        terms.Term(day, 36 * HOUR, "", None, None, "3702"),
    )

    def hours(day: date, category: Category, link: Link | None = None, division: str | None = None) -> float:
        return terms.allowed(table, day, [category], link, division) / HOUR

    assert hours(day, Category.MEAT) == 72
    assert hours(day, Category.FRUIT) == 24
    assert hours(later, Category.FRUIT) == 12
    assert hours(day, Category.FRUIT, Link.CATERING) == 48
    assert hours(day, Category.FRUIT, Link.CATERING, "370203") == 36
    assert terms.allowed(table, day, [Category.MEAT, Category.FRUIT], None, None) == 24 * HOUR


def test_every_event_finds_a_term() -> None:
    for table in (terms.RECEIPTS, terms.UPLOADS):
        for category in Category:
            assert terms.allowed(table, terms.OPENING, [category], None, None) >= terms.SHORTEST


# Findings


def settle(known: dict[str, Finding], entries: Sequence[Entry], now: datetime) -> dict[str, Finding]:
    changes = of_handoffs(judged(*entries).values(), known, now)
    return known | {change.after.id: change.after for change in changes}


def test_a_finding_opens_when_due_closes_and_opens_again() -> None:
    entries = [ship("e1", S, R)]
    due = MONDAY + 24 * HOUR
    assert not settle({}, entries, due - HOUR)
    late = due + 30 * HOUR
    found = settle({}, entries, late)
    (one,) = found.values()
    assert (one.open, one.version, one.site, one.event_id, one.batches) == (True, 1, R, "e1", ("A",))
    assert (one.due_at, one.opened_at) == (due, late)
    assert settle(found, entries, late + HOUR) == found
    closed = settle(found, [*entries, receive("e2", R, S)], late + HOUR)[one.id]
    assert (closed.open, closed.version, closed.closed_at, closed.due_at) == (False, 2, late + HOUR, due)
    again = settle({one.id: closed}, entries, late + 2 * HOUR)[one.id]
    assert (again.open, again.version, again.closed_at) == (True, 3, None)


# At random

SITES = ("s0", "s1", "s2")
PARTIES = st.sampled_from([*SITES, None, Party(name="省外", external=True)])


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Random handoff events of two batches among three sites, some naming nobody, some a border."""
    steps = st.sampled_from((Step.SHIPPING, Step.RECEIVING, Step.RETURNING, Step.PURCHASE))
    return [
        entry(
            f"e{number}", draw(steps), draw(st.sampled_from(SITES)), draw(PARTIES),
            batch=draw(st.sampled_from("AB")), hour=draw(st.integers(0, 99)),
        )
        for number in range(draw(st.integers(0, 9)))
    ]  # fmt: skip


def model(events: Sequence[Entry]) -> set[tuple[str, str, str, FindingKind]]:
    """Brute force, one event at a time: pair what can be paired, and say which edges are left with one half."""
    left: set[tuple[str, str, str, FindingKind]] = set()
    for batch in "AB":
        ships, receipts = _halves(batch, events)
        edges = {(t, h) for _, t, h in ships} & {(t, h) for _, t, h in receipts}
        one_sided = {OVERDUE: _only(ships, edges), UNKNOWN: _only(receipts, edges)}
        _pair(ships, receipts, one_sided[UNKNOWN], lambda half, other: half[1] == other[1])
        _pair(receipts, ships, one_sided[OVERDUE], lambda half, other: half[2] == other[2])
        for kind, halves, others in ((OVERDUE, ships, receipts), (UNKNOWN, receipts, ships)):
            for half in halves:
                meets = any("" in other and {*other[1:]} != {*half[1:]} for other in others)
                if "" in half and not meets:
                    left.add((batch, half[1], half[2], kind))
            left |= {(batch, t, h, kind) for t, h in one_sided[kind]}
    return left


Model = list[tuple[datetime, str, str]]


def _halves(batch: str, events: Sequence[Entry]) -> tuple[Model, Model]:
    ships: Model = []
    receipts: Model = []
    for each in events:
        for half in told(each):
            if half.batch == batch and not half.external and half.tail != half.head:
                (ships if half.handed_over else receipts).append((half.half.time, half.tail, half.head))
    return ships, receipts


def _only(halves: Model, both: set[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """Edges that name both sides and have no other half, with their first time."""
    found: dict[tuple[str, str], datetime] = {}
    for time, *ends in halves:
        tail, head = ends
        if "" not in ends and (tail, head) not in both:
            found[tail, head] = min(time, found.get((tail, head), time))
    return found


def _pair(halves: Model, others: Model, one_sided: dict[tuple[str, str], datetime], fits: Any) -> None:
    """Takes away the halves without a name that the other side's named ones explain, and the edges they answer."""
    own = [half for half in halves if "" not in half]
    for loose in [half for half in halves if "" in half]:
        spare = _spare(own, [other for other in others if "" not in other])
        fitting = [other for other in spare if fits(loose, other)]
        if not fitting:
            continue
        answered = sorted((one_sided[t, h], t, h) for t, h in one_sided if fits(loose, ("", t, h)))
        _, tail, head = answered[0] if answered else fitting[0]
        one_sided.pop((tail, head), None)
        halves.remove(loose)
        own.append((loose[0], tail, head))


def _spare(own: Model, others: Model) -> Model:
    """Accounts of the other side that this side has none to set against."""
    left = [ends for _, *ends in own]
    spare: Model = []
    for other in others:
        if [*other[1:]] in left:
            left.remove([*other[1:]])
        else:
            spare.append(other)
    return spare


@settings(deadline=None)
@given(entries())
def test_what_lacks_a_half_is_what_the_model_is_left_with(events: list[Entry]) -> None:
    found = handoffs_of(events)
    kinds = unanswered(found)
    assert {(h.batch, h.tail, h.head, kinds[h.id]) for h in found if h.id in kinds} == model(events)


@settings(deadline=None)
@given(entries(), st.randoms(use_true_random=False))
def test_order_and_repetition_of_halves_change_nothing(events: list[Entry], random: Any) -> None:
    again = [*events, *(each for each in events if random.random() < 0.5)]
    random.shuffle(again)
    assert {row.id: row for row in handoffs_of(again)} == {row.id: row for row in handoffs_of(events)}


@settings(deadline=None)
@given(entries(), st.lists(st.integers(0, 9), max_size=4), st.randoms(use_true_random=False))
def test_findings_end_the_same_whenever_sweeps_run(events: list[Entry], sweeps: list[int], random: Any) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    end = MONDAY + timedelta(days=30)
    known: dict[str, Finding] = {}
    for number in sorted(sweeps):
        known = settle(known, shuffled[:number], end)
    known = settle(known, shuffled, end)
    expected = {finding_id(kind, f"{batch}@{tail}@{head}") for batch, tail, head, kind in model(events)}
    assert {id for id, each in known.items() if each.open} == expected


# Silence


def days(*numbers: int) -> list[date]:
    return recent((date(2026, 3, 1) + timedelta(days=number - 1)).isoformat() for number in numbers)


def facts(**more: Any) -> SiteFacts:
    told = {"state": OperatorState.ACTIVATED, "version": 1} | more
    return SiteFacts(site=S, operator="o", name="", operator_name="", **told)


def midnight(day: int) -> datetime:
    """When a day of March 2026 ends in Shanghai; the 2nd is a Monday."""
    return datetime(2026, 3, day, 16, tzinfo=UTC)


def test_silent_after_three_working_days_at_least() -> None:
    silence = silent_at(days(2, 3, 4), facts())
    assert silence == (midnight(9), False)  # Thursday, Friday, Monday


def test_silent_after_three_times_the_median_interval() -> None:
    silence = silent_at(days(1, 2, 6, 10, 14), None)
    assert silence == (midnight(26), False)


def test_a_year_without_announced_holidays_is_provisional() -> None:
    silence = silent_at([date(2030, 5, 1), date(2030, 5, 2)], None)
    assert silence is not None
    assert silence.provisional


def test_one_day_is_no_rhythm() -> None:
    assert silent_at(days(2), None) is None
    assert silent_at([], None) is None


@pytest.mark.parametrize("standing", [{"suspended": True}, {"state": OperatorState.REVOKED}])
def test_who_must_not_trade_is_not_silent(standing: dict[str, Any]) -> None:
    assert silent_at(days(2, 3, 4), facts(**standing)) is None


def test_a_declared_closure_stands_apart() -> None:
    closed_from, until = midnight(5), midnight(19) - HOUR
    assert silent_at(days(2, 3, 4), facts(closed_from=closed_from, closed_until=until)) == (midnight(24), False)
    assert silent_at(days(2, 3, 4), facts(closed_from=closed_from)) is None
    assert silent_at(days(2, 3, 4), facts(closed_from=midnight(20))) == (midnight(9), False)
