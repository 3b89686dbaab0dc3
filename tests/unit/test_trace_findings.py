"""Handoffs, what is broken, and silence: by example, and at random against a model that counts event by event."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts.findings import Finding, FindingKind
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Category, Link, Party, Step
from services.trace.entry import Entry
from services.trace.lineage import Place
from services.trace.sites import Row
from services.trace.watch import terms
from services.trace.watch.findings import of_handoffs
from services.trace.watch.handoffs import unanswered
from services.trace.watch.silence import recent, silent_at
from tests.unit.trace_handoffs import (
    HOUR,
    MONDAY,
    C,
    R,
    S,
    broken,
    entry,
    handoffs_of,
    judged,
    receive,
    rows_of,
    ship,
)

RECEIPT = terms.Duty.RECEIPT
OVERDUE, UNKNOWN = FindingKind.OVERDUE_SHIPMENT, FindingKind.UNKNOWN_SOURCE


def lacking(*entries: Entry) -> set[tuple[str, str, FindingKind]]:
    found = handoffs_of(entries)
    kinds = unanswered(found)
    return {(each.tail, each.head, kinds[each.id]) for each in found if each.id in kinds}


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
    (row,) = rows_of([receive("e1", R, abroad)]).values()
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
    assert (found.discrepancy.kind, found.site.site, found.other.site, found.event.id) == (OVERDUE, R, S, "e1")
    assert found.due_at == MONDAY + timedelta(hours=5 + hours)


def test_an_unknown_source_counts_after_the_senders_own_time() -> None:
    (found,) = broken(receive("e1", R, S, hour=5, category=Category.DAIRY))
    assert (found.discrepancy.kind, found.site.site, found.other.site) == (UNKNOWN, R, S)
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
        terms.Term(RECEIPT, day, 72 * HOUR, ""),
        terms.Term(RECEIPT, day, 24 * HOUR, "", frozenset({Category.FRUIT})),
        terms.Term(RECEIPT, later, 12 * HOUR, "", frozenset({Category.FRUIT})),
        terms.Term(RECEIPT, day, 48 * HOUR, "", None, Link.CATERING),
        terms.Term(RECEIPT, day, 36 * HOUR, "", None, None, "3702"),
        terms.Term(terms.Duty.SHIPMENT, later, HOUR, "", None, Link.CATERING, "370203"),
    )

    def hours(day: date, category: Category, link: Link | None = None, division: str | None = None) -> float:
        return terms.allowed(RECEIPT, day, category, link, division, table) / HOUR

    assert hours(day, Category.MEAT) == 72
    assert hours(day, Category.FRUIT) == 24
    assert hours(later, Category.FRUIT) == 12
    assert hours(day, Category.FRUIT, Link.CATERING) == 48
    assert hours(day, Category.FRUIT, Link.CATERING, "370203") == 36
    assert hours(later, Category.FRUIT, Link.CATERING, "370203") == 36


def test_every_event_finds_a_term() -> None:
    for duty in terms.Duty:
        for category in Category:
            assert terms.allowed(duty, terms.OPENING, category, None, None) >= terms.SHORTEST


def test_what_no_law_sets_is_marked() -> None:
    assert all(row.source.startswith("⚠") for row in (*terms.TERMS, *terms.TOLERANCES))


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
