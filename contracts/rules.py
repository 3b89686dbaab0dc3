"""What is refused and what is recorded with a flag: the one table.

Only what cannot be a record is refused; what is incomplete or doubtful is recorded and flagged. `contracts.checks`
applies what a record alone can tell; the last rows need the state of registry or trace, which apply them.
"""

from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from contracts.egress import FieldError


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
    Rule("no_site", REFUSE, "无法识别场所", "no site that can be told apart", "食品安全法第42条"),
    Rule("no_operator", REFUSE, "无法识别主体", "no operator that can be told apart", "食品安全法第42条"),
    Rule("no_batch", REFUSE, "没有批次", "no batch", "NY/T 4712-2025"),
    Rule("unknown_step", REFUSE, "未知的环节步骤", "unknown step", "NY/T 4712-2025"),
    Rule("quantity_negative", REFUSE, "数量为负", "negative quantity", "食品安全法第50、53、65条"),
    Rule("quantity_not_a_number", REFUSE, "数量不是数字", "quantity is no number", "食品安全法第50、53、65条"),
    Rule("time_unreadable", REFUSE, "时间无法读取", "time cannot be read", "食品安全法第50、53、65条"),
    Rule("time_future", REFUSE, "时间在未来", "time in the future", "10 minutes allowed for clocks"),
    Rule("id_reused", REFUSE, "编号已用于其他内容", "same id, other content", "corrections never overwrite"),
    Rule("not_own_event", REFUSE, "不是本来源上报的记录", "not an event of this source", "corrections never overwrite"),
    Rule("too_many_sites", REFUSE, "主体的场所和编号过多", "too many sites and ids of one operator", "platform limit"),
    # Incomplete
    Rule("kde_missing", FLAG, "缺少{zh}（{clause}）", "missing {en} ({clause})", "contracts.kde"),
    Rule("unit_not_convertible", FLAG, "单位无法换算", "unit cannot be converted", "UN/ECE Rec. 20"),
    Rule("unknown_counterparty", FLAG, "无法识别交易对方", "unknown counterparty", "食品安全法第50、53、65条"),
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
    Rule("licence_expired", FLAG, "许可证当日已过期", "licence expired on the day", "食品安全法第35条"),
    Rule("document_expired", FLAG, "随附证明当日已过期", "document expired on the day", "truth check"),
    Rule("supplier_unlicensed", FLAG, "供货者无有效许可", "supplier without a valid licence", "食品安全法第53条"),
    Rule("sample_kept_too_short", FLAG, "留样不足{kept}小时", "sample kept for less than {kept} h", "provisional"),
    Rule("sample_too_small", FLAG, "留样不足{grams}克", "retained sample below {grams} g", "provisional"),
    # Judged with state: registry and trace
    Rule("operator_unregistered", FLAG, "主体未注册", "operator unregistered", "S4"),
    Rule("operator_suspended", FLAG, "主体已暂停", "operator suspended", "S4"),
    Rule("operator_revoked", FLAG, "主体已吊销或注销", "operator revoked or deregistered", "S4"),
    Rule("unshipped_receipt", FLAG, "收货批次无人发出", "receipt of a batch nobody shipped", "broken chain"),
    Rule("unknown_event", FLAG, "记录尚未入链", "event not recorded yet", "kept until it comes"),
    Rule("possible_duplicate", FLAG, "疑似重复记录", "possible duplicate", "near matches are never merged"),
)
RULES: Final[dict[str, Rule]] = {rule.id: rule for rule in _TABLE}

MAX_VALUE: Final = 80
"""Characters of a wrong value that are quoted back."""


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
        for found in invalid.errors(include_url=False, include_context=False)
    )


def _value(found: Any) -> object:
    return None if found["type"] in ("missing", "json_invalid") else found["input"]


def _rule_of(found: Any) -> str:
    kind: str = found["type"]
    if kind == "enum" and found["loc"][-1:] == ("step",):
        return "unknown_step"
    return {"missing": "required", "json_invalid": "unreadable"}.get(kind, kind if kind in RULES else "invalid_value")
