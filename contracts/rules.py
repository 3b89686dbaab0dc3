"""What is refused and what is recorded with a flag: the one table, and the stateless rules every adapter runs.

Only what cannot be a record is refused; what is incomplete or doubtful is recorded and flagged. The last rows
need the state of registry or trace, which apply them when they record.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from contracts import codes, divisions, kde
from contracts.egress import FieldError
from contracts.fields import SHANGHAI
from contracts.trace import Lot, Party, Record, Step


class Effect(StrEnum):
    """What becomes of a record that breaks the rule."""

    REFUSE = "refuse"
    FLAG = "flag"


class Rule(NamedTuple):
    """A row of the table; `source` is the clause, standard or measure behind it."""

    id: str
    effect: Effect
    zh: str
    en: str
    source: str


_S, _L = "数据标准", "食品安全法"
REFUSE, FLAG = Effect.REFUSE, Effect.FLAG

_TABLE: Final = (
    # Not a message
    Rule("unreadable", REFUSE, "无法读取", "unreadable", "CloudEvents 1.0, JSON"),
    Rule("too_large", REFUSE, "报文过大", "message too large", "platform limit"),
    Rule("unknown_kind", REFUSE, "未知的报文类型", "unknown kind of message", "catalogue"),
    Rule("unknown_version", REFUSE, "未知的主版本", "unknown major version", "catalogue"),
    Rule("required", REFUSE, "必填项为空", "required", "catalogue"),
    Rule("invalid_value", REFUSE, "取值不合格式", "not a value of this field", "catalogue"),
    # Not a record
    Rule("no_site", REFUSE, "无法识别场所", "no site that can be told apart", "食品安全法 art. 42"),
    Rule("no_operator", REFUSE, "无法识别主体", "no operator that can be told apart", "食品安全法 art. 42"),
    Rule("no_batch", REFUSE, "没有批次", "no batch", "NY/T 4712-2025"),
    Rule("unknown_step", REFUSE, "未知的环节步骤", "unknown step", "NY/T 4712-2025"),
    Rule("quantity_negative", REFUSE, "数量为负", "negative quantity", "食品安全法 art. 50, 53, 65"),
    Rule("quantity_not_a_number", REFUSE, "数量不是数字", "quantity is no number", "食品安全法 art. 50, 53, 65"),
    Rule("time_unreadable", REFUSE, "时间无法读取", "time cannot be read", "食品安全法 art. 50, 53, 65"),
    Rule("time_future", REFUSE, "时间在未来", "time in the future", "10 minutes allowed for clocks"),
    Rule("id_reused", REFUSE, "编号已用于其他内容", "same id, other content", "corrections never overwrite"),
    # Incomplete
    Rule("kde_missing", FLAG, "缺少{zh}（{clause}）", "missing {en} ({clause})", "contracts.kde"),
    Rule("unit_not_convertible", FLAG, "单位无法换算", "unit cannot be converted", "UN/ECE Rec. 20"),
    Rule("unknown_counterparty", FLAG, "无法识别交易对方", "unknown counterparty", "食品安全法 art. 50, 53, 65"),
    # Doubtful codes
    Rule("uscc_length", FLAG, "统一社会信用代码长度不对", "USCC is not 18 characters", "GB 32100-2015"),
    Rule("uscc_alphabet", FLAG, "统一社会信用代码含非法字符", "USCC has an illegal character", "GB 32100-2015"),
    Rule("uscc_check_digit", FLAG, "统一社会信用代码校验位不符", "wrong USCC check digit", "GB 32100-2015"),
    Rule("uscc_organisation_check_digit", FLAG, "主体标识码校验位不符", "wrong organisation check digit", "GB 11714"),
    Rule("id_number_format", FLAG, "身份证号格式不对", "not an ID number", "GB 11643"),
    Rule("id_number_check_digit", FLAG, "身份证号校验位不符", "wrong ID number check digit", "GB 11643"),
    Rule("id_number_birth_date", FLAG, "身份证号日期不存在", "no such day in ID number", "GB 11643"),
    Rule("licence_length", FLAG, "许可证编号长度不对", "licence is not 14 digits", "ISO 7064 MOD 11,10"),
    Rule("licence_check_digit", FLAG, "许可证校验位不符", "wrong licence check digit", "ISO 7064 MOD 11,10"),
    Rule("gtin_length", FLAG, "商品条码长度不对", "not a GTIN", "GS1 General Specifications"),
    Rule("gtin_check_digit", FLAG, "商品条码校验位不符", "wrong GTIN check digit", "GS1 General Specifications"),
    Rule("ear_tag_format", FLAG, "畜禽标识格式不对", "not an ear tag", "畜禽标识和养殖档案管理办法"),
    Rule("trace_code_check_digit", FLAG, "追溯码校验位不符", "wrong trace code check digit", "ISO 7064 MOD 37,36"),
    Rule("unknown_division", FLAG, "未知的行政区划", "unknown division", "GB/T 2260"),
    # Doubtful times and papers
    Rule("time_order", FLAG, "时间先后颠倒", "times out of order", "truth check"),
    Rule("date_unreadable", FLAG, "日期无法读取", "date cannot be read", "truth check"),
    Rule("late_upload", FLAG, "上传迟于{hours}小时", "uploaded later than {hours} h", "upload SLA, provisional"),
    Rule("licence_expired", FLAG, "许可证当日已过期", "licence expired on the day", "食品安全法 art. 35"),
    Rule("document_expired", FLAG, "随附证明当日已过期", "document expired on the day", "truth check"),
    Rule("supplier_unlicensed", FLAG, "供货者无有效许可", "supplier without a valid licence", "食品安全法 art. 53"),
    Rule("sample_too_small", FLAG, "留样不足{grams}克", "retained sample below {grams} g", "provisional"),
    # Judged with state: registry and trace
    Rule("operator_unregistered", FLAG, "主体未注册", "operator unregistered", "S4"),
    Rule("operator_suspended", FLAG, "主体已暂停", "operator suspended", "S4"),
    Rule("operator_revoked", FLAG, "主体已吊销或注销", "operator revoked or deregistered", "S4"),
    Rule("unshipped_receipt", FLAG, "收货批次无人发出", "receipt of a batch nobody shipped", "broken chain"),
    Rule("possible_duplicate", FLAG, "疑似重复记录", "possible duplicate", "near matches are never merged"),
)
RULES: Final[dict[str, Rule]] = {rule.id: rule for rule in _TABLE}

MAX_VALUE: Final = 80
"""Characters of a wrong value that are quoted back."""

MAX_ERRORS: Final = 20
"""Errors of one message that are told; the rest are more of the same."""


class Limits(NamedTuple):
    """What the rules measure against; ⚠ the upload SLA and the sample's weight are provisional."""

    clock_skew: timedelta = timedelta(minutes=10)
    upload: timedelta = timedelta(hours=24)
    sample_kg: Decimal = Decimal("0.125")


LIMITS: Final = Limits()


class Judgement(NamedTuple):
    """What the rules found, beyond the flags the record already carries."""

    errors: tuple[FieldError, ...]
    flags: tuple[FieldError, ...]


def error(field: str, value: object, rule: str, **params: object) -> FieldError:
    """One broken rule in words for people, Chinese first; `params` fill the rule's text."""
    row = RULES[rule]
    message = f"{row.zh} / {row.en}"
    return FieldError(
        field=field,
        value=None if value is None else str(value)[:MAX_VALUE],
        rule=rule,
        message=message.format(**params) if params else message,
    )


def validation_errors(invalid: ValidationError) -> tuple[FieldError, ...]:
    """A model's complaints as errors of the table; `contracts.fields` raises the rules' own ids."""
    return tuple(
        error(".".join(map(str, found["loc"])), _value(found), _rule_of(found))
        for found in invalid.errors(include_url=False, include_context=False)[:MAX_ERRORS]
    )


def _value(found: Any) -> object:
    return None if found["type"] in ("missing", "json_invalid") else found["input"]


def _rule_of(found: Any) -> str:
    kind: str = found["type"]
    if kind == "enum" and found["loc"][-1:] == ("step",):
        return "unknown_step"
    return {"missing": "required", "json_invalid": "unreadable"}.get(kind, kind if kind in RULES else "invalid_value")


def judge(record: Record, received_at: datetime, limits: Limits = LIMITS) -> Judgement:
    """Every stateless rule on a canonical record that was received at an aware time."""
    errors: list[FieldError] = []
    flags: list[FieldError] = []
    for check in _CHECKS:
        for fault in check(record, received_at, limits):
            (errors if RULES[fault.rule].effect is REFUSE else flags).append(fault)
    return Judgement(tuple(errors), tuple(flags))


_Faults = Iterator[FieldError]
_NAMES_OTHER: Final = frozenset({Step.PURCHASE, Step.RECEIVING, Step.SHIPPING, Step.RETURNING})
"""Steps with a counterparty by nature; a retail sale has none."""


def _identified(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if not record.site.site:
        yield error("site", record.site.name, "no_site")
    if not record.inputs and not record.outputs:
        yield error("batch", None, "no_batch")
    other = record.counterparty
    if record.step in _NAMES_OTHER and not (other and (other.site or other.external)):
        yield error("counterparty", other and other.name, "unknown_counterparty")


def _in_time(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if record.time > received_at + limits.clock_skew:
        yield error("time", record.time.isoformat(), "time_future")
    elif record.time > record.sent_at:
        yield error("time", record.time.isoformat(), "time_order")
    if record.sent_at > received_at + limits.clock_skew:
        yield error("sent_at", record.sent_at.isoformat(), "time_order")
    if record.sent_at - record.time > limits.upload:
        hours = limits.upload // timedelta(hours=1)
        yield error("time", record.time.isoformat(), "late_upload", hours=hours)


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
    if lot.produced_on and (problem := _production_problem(lot.produced_on, record.time)):
        yield error(f"{field}.produced_on", lot.produced_on, problem)


def _production_problem(produced_on: str, time: datetime) -> str | None:
    made = _date(produced_on)
    if made is None:
        return "date_unreadable"
    return "time_order" if made > _day(time) else None


def _papers(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if _expired(record.site.licence_valid_until, record):
        yield error("site.licence", record.site.licence_valid_until, "licence_expired")
    other = record.counterparty
    if other and _expired(other.licence_valid_until, record):
        buying = record.step in kde.BUYING
        rule = "supplier_unlicensed" if buying else "licence_expired"
        yield error("counterparty.licence", other.licence_valid_until, rule)
    for document in record.documents:
        if _expired(document.valid_until, record):
            yield error(f"documents.{document.kind}", document.valid_until, "document_expired")


def _complete(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    yield from map(_kde_missing, kde.missing(record))


@lru_cache(1024)
def _kde_missing(row: kde.Missing) -> FieldError:
    element = row.element
    return error(element.field, None, "kde_missing", zh=element.zh, en=element.en, clause=row.clause)


def _sampled(record: Record, received_at: datetime, limits: Limits) -> _Faults:
    if record.step is not Step.RETAINED_SAMPLE:
        return
    for lot in record.outputs or record.inputs:
        if lot.unit == "KGM" and lot.quantity is not None and lot.quantity < limits.sample_kg:
            yield error("quantity", lot.quantity_text, "sample_too_small", grams=int(limits.sample_kg * 1000))


_CHECKS: Final = (_identified, _in_time, _parties, _lots, _papers, _complete, _sampled)


def _expired(last_day: date | None, record: Record) -> bool:
    return last_day is not None and last_day < _day(record.time)


def _day(time: datetime) -> date:
    return time.astimezone(SHANGHAI).date()


@lru_cache(4096)
def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
