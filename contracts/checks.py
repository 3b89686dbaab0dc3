"""The stateless checks of a canonical record, run by every adapter: what they find is a row of `contracts.rules`."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from pydantic_core import PydanticCustomError

from contracts import codes, divisions, duties, kde
from contracts.egress import FieldError
from contracts.fields import SHANGHAI, day_of, is_day_only, local_time
from contracts.inspection import TestResult
from contracts.rules import RULES, Effect, error
from contracts.trace import Lot, Party, Record, Step


class Limits(NamedTuple):
    """What the rules measure against; ⚠ the upload SLA, the sample's weight and how long it is kept are provisional."""

    clock_skew: timedelta = timedelta(minutes=10)
    upload: timedelta = timedelta(hours=24)
    sample_kg: Decimal = Decimal("0.125")
    sample_kept: timedelta = timedelta(hours=48)


LIMITS: Final = Limits()


class Judgement(NamedTuple):
    """What the rules found, beyond the flags the record already carries."""

    errors: tuple[FieldError, ...]
    flags: tuple[FieldError, ...]


def judge(record: Record, received_at: datetime, limits: Limits = LIMITS) -> Judgement:
    """Every stateless rule on a canonical record that was received at an aware time."""
    errors: list[FieldError] = []
    flags: list[FieldError] = []
    for check in _CHECKS:
        for fault in check(record, received_at, limits):
            (errors if RULES[fault.rule].effect is Effect.REFUSE else flags).append(fault)
    return Judgement(tuple(errors), tuple(flags))


def judge_test(test: TestResult, received_at: datetime, limits: Limits = LIMITS) -> Judgement:
    """The rules that hold for a test as for a record; one of no known batch is kept."""
    errors: list[FieldError] = []
    if not test.site:
        errors.append(error("site", test.site_name, "no_site"))
    if test.tested_at > received_at + limits.clock_skew:
        errors.append(error("time", test.tested_at.isoformat(), "time_future"))
    flags = [*party_faults("site", Party(division=test.division))]
    if test.batch and (problem := codes.batch_problem(test.batch)):
        flags.append(error("batch", test.batch, problem))
    return Judgement(tuple(errors), tuple(flags))


_Faults = Iterator[FieldError]
_NAMES_OTHER: Final = frozenset({Step.PURCHASE, Step.RECEIVING, Step.SHIPPING, Step.RETURNING})
"""Steps with a counterparty by nature; a retail sale has none."""


def _identified(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if not record.site.site:
        yield error("site", record.site.name, "no_site")
    if not record.inputs and not record.outputs and record.step not in kde.WITHOUT_GOODS:
        yield error("batch", None, "no_batch")
    other = record.counterparty
    if record.step in _NAMES_OTHER and not (other and (other.site or other.external)):
        yield error("counterparty", other and other.name, "unknown_counterparty")


def _in_time(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if record.time > received_at + limits.clock_skew:
        yield error("time", _clock(record.time), "time_future")
    elif record.time > record.sent_at:
        yield error("time", _clock(record.time), "time_order")
    if record.sent_at > received_at + limits.clock_skew:
        yield error("sent_at", _clock(record.sent_at), "time_order")
    if record.sent_at - record.time > limits.upload:
        hours = limits.upload // timedelta(hours=1)
        yield error("time", _clock(record.time), "late_upload", hours=hours)


def _clock(time: datetime) -> str:
    """As the source wrote it: its people read these values."""
    return time.astimezone(SHANGHAI).isoformat()


def _parties(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    yield from party_faults("site", record.site)
    if record.counterparty:
        yield from party_faults("counterparty", record.counterparty)


def party_faults(field: str, party: Party) -> _Faults:
    """Doubts about the codes of a site named in `field`."""
    if party.uscc and (problem := codes.uscc_problem(party.uscc)):
        yield error(f"{field}.uscc", party.uscc, problem)
    if party.licence and (problem := codes.licence_problem(party.licence)):
        yield error(f"{field}.licence", party.licence, problem)
    if party.division and not party.external and not divisions.known(party.division):
        yield error(f"{field}.division", party.division, "unknown_division")


def _lots(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    for place, lot in enumerate(record.inputs):
        yield from _lot(f"inputs[{place}]", lot, record)
    if record.outputs != record.inputs:
        for place, lot in enumerate(record.outputs):
            yield from _lot(f"outputs[{place}]", lot, record)


def _lot(field: str, lot: Lot, record: Record) -> _Faults:
    if not lot.batch:
        yield error(f"{field}.batch", None, "no_batch")
    elif problem := codes.batch_problem(lot.batch):
        yield error(f"{field}.batch", lot.batch, problem)
    if lot.quantity is None and lot.quantity_text:
        yield error(f"{field}.quantity", lot.quantity_text, "unit_not_convertible")
    if lot.quantity is not None and lot.quantity < 0:
        yield error(f"{field}.quantity", lot.quantity, "quantity_negative")
    for tag in lot.ear_tags:
        if problem := codes.ear_tag_problem(tag):
            yield error(f"{field}.ear_tags", tag, problem)
    if lot.produced_on and (problem := _production_problem(lot.produced_on, record.time)):
        yield error(f"{field}.produced_on", lot.produced_on, problem)


def _production_problem(produced_on: str, time: datetime) -> str | None:
    made = _date(produced_on)
    if made is None:
        return "date_unreadable"
    return "time_order" if made > day_of(time) else None


def _papers(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if _expired(record.site.licence_valid_until, record):
        yield error("site.licence", record.site.licence_valid_until, "licence_expired")
    other = record.counterparty
    if other and _expired(other.licence_valid_until, record):
        buying = record.step in duties.BUYING
        rule = "supplier_unlicensed" if buying else "licence_expired"
        yield error("counterparty.licence", other.licence_valid_until, rule)
    for document in record.documents:
        if _expired(document.valid_until, record):
            yield error(f"documents.{document.kind}", document.valid_until, "document_expired")


def _complete(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    yield from map(_kde_missing, kde.missing(record))


@lru_cache(1024)
def _kde_missing(row: kde.Owed) -> FieldError:
    element = row.element
    return error(element.field, None, "kde_missing", zh=element.zh, en=element.en, clause=row.clause)


def _sampled(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if record.step is not Step.RETAINED_SAMPLE:
        return
    for lot in record.outputs or record.inputs:
        if lot.unit == "KGM" and lot.quantity is not None and lot.quantity < limits.sample_kg:
            yield error("quantity", lot.quantity_text, "sample_too_small", grams=int(limits.sample_kg * 1000))
    told = record.kdes.get("kept_until")
    until = told and _end_of(told)
    if until and until - record.time < limits.sample_kept:
        kept = limits.sample_kept // timedelta(hours=1)
        yield error("kdes.kept_until", told, "sample_kept_too_short", kept=kept)


def _end_of(told: str) -> datetime | None:
    """The moment that a text names, or the end of a day that it names; None for what cannot be read."""
    try:
        moment = local_time(told)
    except PydanticCustomError:
        return None
    return moment + timedelta(days=1) if is_day_only(moment) else moment


_CHECKS: Final = (_identified, _in_time, _parties, _lots, _papers, _complete, _sampled)


def _expired(last_day: date | None, record: Record) -> bool:
    return last_day is not None and last_day < day_of(record.time)


@lru_cache(4096)
def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
