"""The stateless checks, row by row of the table they apply."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import codes
from contracts.checks import Limits, judge
from contracts.rules import RULES, Effect
from contracts.trace import Category, Document, Link, Lot, Party, Record, Step

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SITE = Party(site="licence:JY23501110153674", licence="JY23501110153674", division="370102", link=Link.CIRCULATION)
OTHER = Party(site="uscc:91110000600037341L", name="乙", address="地址", contact="1", uscc="91110000600037341L")
LOT = Lot(
    batch=codes.trace_code("uscc:91110000600037341L", "7"),
    product="番茄",
    category=Category.VEGETABLE,
    quantity=Decimal("12.5"),
    unit="KGM",
    quantity_text="12.5公斤",
    produced_on="2026-01-05",
)
GOOD = Record(
    id="E1",
    source="market",
    message_id="m1",
    line=1,
    step=Step.RECEIVING,
    time=NOW - timedelta(hours=1),
    sent_at=NOW,
    site=SITE,
    counterparty=OTHER,
    inputs=(LOT,),
    outputs=(LOT,),
)


def but(**changes: Any) -> Record:
    """The good record with something else in it."""
    return GOOD.model_copy(update=changes)


def with_lot(**changes: Any) -> Record:
    """The good record with another lot."""
    return but(inputs=(), outputs=(LOT.model_copy(update=changes),))


def with_site(**changes: Any) -> Record:
    """The good record at another site."""
    return but(site=SITE.model_copy(update=changes))


def with_other(**changes: Any) -> Record:
    """The good record with another counterparty."""
    return but(counterparty=OTHER.model_copy(update=changes))


def test_a_good_record_is_neither_refused_nor_flagged() -> None:
    assert judge(GOOD, NOW) == ((), ())


REFUSED = [
    (with_site(site=None, name="无名"), "site", "no_site"),
    (with_site(site=""), "site", "no_site"),
    (but(inputs=(), outputs=()), "batch", "no_batch"),
    (with_lot(batch=""), "outputs[0].batch", "no_batch"),
    (with_lot(quantity=Decimal(-1)), "outputs[0].quantity", "quantity_negative"),
    (but(time=NOW + timedelta(seconds=601)), "time", "time_future"),
]


@pytest.mark.parametrize(("record", "field", "rule"), REFUSED)
def test_what_cannot_be_a_record_is_refused(record: Record, field: str, rule: str) -> None:
    errors, flags = judge(record, NOW)
    assert [(found.field, found.rule) for found in errors] == [(field, rule)]
    assert not flags
    assert RULES[rule].effect is Effect.REFUSE


def sample(kept_until: str) -> Record:
    """A sample taken at 15:00 in Shanghai."""
    kdes = {"sampled_by": "丙", "kept_until": kept_until}
    return but(step=Step.RETAINED_SAMPLE, counterparty=None, inputs=(), kdes=kdes)


FLAGGED = [
    (with_site(uscc="91110000600037341A"), "site.uscc", "uscc_check_digit"),
    (with_other(uscc="91110000600037341O"), "counterparty.uscc", "uscc_alphabet"),
    (with_other(uscc="9111"), "counterparty.uscc", "uscc_length"),
    (with_site(licence="JY23501110153675"), "site.licence", "licence_check_digit"),
    (with_other(licence="SC1"), "counterparty.licence", "licence_length"),
    (with_site(division="999999"), "site.division", "unknown_division"),
    (with_other(division="379999"), "counterparty.division", "unknown_division"),
    (with_lot(batch=LOT.batch[:-1] + "*"), None, None),
    (with_lot(batch="SL00000000000000000"), "outputs[0].batch", "trace_code_check_digit"),
    (with_lot(batch="01/06901234567893/10/7"), "outputs[0].batch", "gtin_check_digit"),
    (with_lot(quantity=None, quantity_text="3筐"), "outputs[0].quantity", "unit_not_convertible"),
    (with_lot(produced_on="2026-01-06"), "outputs[0].produced_on", "time_order"),
    (with_lot(produced_on="见包装"), "outputs[0].produced_on", "date_unreadable"),
    (but(sent_at=NOW - timedelta(hours=2)), "time", "time_order"),
    (but(sent_at=NOW + timedelta(minutes=11)), "sent_at", "time_order"),
    (
        but(
            time=NOW - timedelta(hours=24, seconds=1),
            inputs=(),
            outputs=(LOT.model_copy(update={"produced_on": None}),),
        ),
        "time",
        "late_upload",
    ),
    (with_other(site=None), "counterparty", "unknown_counterparty"),
    (with_other(site=None, external=True), None, None),
    (with_site(licence_valid_until=date(2026, 1, 4)), "site.licence", "licence_expired"),
    (with_site(licence_valid_until=date(2026, 1, 5)), None, None),
    (with_other(licence_valid_until=date(2026, 1, 4)), "counterparty.licence", "supplier_unlicensed"),
    (
        but(documents=(Document(kind="quarantine", number="1", valid_until=date(2026, 1, 4)),)),
        "documents.quarantine",
        "document_expired",
    ),
    (with_other(contact=None), "counterparty.contact", "kde_missing"),
    (but(step=Step.SELLING, counterparty=None), None, None),
    (
        but(
            step=Step.RETAINED_SAMPLE,
            counterparty=None,
            inputs=(),
            outputs=(LOT.model_copy(update={"quantity": Decimal("0.1")}),),
            kdes={"sampled_by": "丙", "kept_until": "2026-01-07"},
        ),
        "quantity",
        "sample_too_small",
    ),
    (sample("2026-01-07 14:59"), "kdes.kept_until", "sample_kept_too_short"),
    (sample("2026-01-06"), "kdes.kept_until", "sample_kept_too_short"),
    (sample("2026-01-07 15:00"), None, None),
    (sample("2026-01-07"), None, None),
    (sample("两天"), None, None),
]


@pytest.mark.parametrize(("record", "field", "rule"), FLAGGED)
def test_what_is_incomplete_or_doubtful_is_flagged(record: Record, field: str | None, rule: str | None) -> None:
    errors, flags = judge(record, NOW)
    assert not errors
    assert [(found.field, found.rule) for found in flags] == ([(field, rule)] if field else [])
    assert all(RULES[found.rule].effect is Effect.FLAG for found in flags)


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    """23:30 UTC is the next morning there, so goods of that day are not from the future."""
    late = datetime(2026, 1, 4, 23, 30, tzinfo=UTC)
    assert judge(but(time=late, sent_at=late), late).flags == ()


def test_goods_that_pass_through_unchanged_are_judged_once() -> None:
    lot = LOT.model_copy(update={"batch": "SL00000000000000000"})
    assert len(judge(but(inputs=(lot,), outputs=(lot,)), NOW).flags) == 1


def test_the_limits_can_be_set() -> None:
    limits = Limits(clock_skew=timedelta(0), upload=timedelta(minutes=30))
    assert [flag.message for flag in judge(GOOD, NOW, limits).flags] == ["上传迟于0小时 / uploaded later than 0 h"]
    assert judge(but(time=NOW + timedelta(seconds=1)), NOW, limits).errors[0].rule == "time_future"


lots = st.builds(
    Lot,
    batch=st.text(max_size=30),
    category=st.sampled_from(Category),
    quantity=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    quantity_text=st.none() | st.text(max_size=9),
    produced_on=st.none() | st.text(max_size=12),
)
parties = st.builds(
    Party,
    site=st.none() | st.text(),
    uscc=st.none() | st.text(),
    licence=st.none() | st.text(),
    division=st.none() | st.text(),
    licence_valid_until=st.none() | st.dates(),
    link=st.none() | st.sampled_from(Link),
)
times = st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001


@given(st.sampled_from(Step), parties, st.none() | parties, st.lists(lots, max_size=3), times, times)
def test_no_record_stops_the_judge(
    step: Step, site: Party, other: Party | None, goods: list[Lot], at: datetime, sent: datetime
) -> None:
    record = but(step=step, site=site, counterparty=other, inputs=tuple(goods), time=at, sent_at=sent)
    errors, flags = judge(record, NOW)
    assert all(len(found.value or "") <= 80 for found in errors + flags)


def test_judging_is_cheap() -> None:
    """A worker judges over ten thousand records a second beside all else; ten times the usual cost is allowed here."""
    started = time.perf_counter()
    for _ in range(1000):
        judge(GOOD, NOW)
    assert time.perf_counter() - started < 0.2
