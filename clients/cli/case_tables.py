"""Cases as tables: what must be done, what stands against closing, what penalty is suggested."""

from clients.cli.answers import Json, in_turn, listing
from clients.cli.printing import local_time
from clients.cli.words import (
    CASE_STATES,
    GATES,
    HANDLINGS,
    MUST_STATES,
    MUST_TRIGGERS,
    MUSTS,
    PARTIES,
    PENALTIES,
    RECALL_STATES,
    zh,
)
from contracts import divisions

HEADS = (
    "案件 case",
    "状态 state",
    "标题 title",
    "场所 site",
    "区划 division",
    "事项 item",
    "立案 opened",
    "尚缺 missing",
)
MUST_HEADS = ("必须 must", "状态 state", "触发 trigger", "依据 clause", "理由 reason", "证据 evidence", "谁 who")
GATE_HEADS = ("不放过 gate", "已过 passed", "说明 note", "证据 evidence", "谁 who")
HANDLING_HEADS = ("对象 party", "名称 name", "方式 handling", "已办 held", "谁 who", "证据 evidence")
RECALL_HEADS = ("召回建议 recall", "批次 batch", "品名 product", "级别 class", "检测 test", "建议 proposed",
                "启动期限 start by", "完成(工作日) days")  # fmt: skip
PENALTY_HEADS = ("建议处罚 penalty", "依据 clause", "金额(元) yuan", "内容 text", "因为 because")


def _row(case: Json) -> tuple[str, ...]:
    return (
        case["case_id"],
        _state(case),
        case["title"],
        case["site_name"] or case["site_id"],
        divisions.path(case["division"]),
        case["item"],
        local_time(case.get("open_time", "")),
        "\n".join(zh(GATES, rule) for rule in case["missing"]),
    )


def _state(case: Json) -> str:
    more = "复检推翻" if case["rescinded"] else "异议待复检" if case["contested"] else ""
    return zh(CASE_STATES, case["state"]) + (f"({more})" if more else "")


def _recall_row(recall: Json) -> tuple[str, ...]:
    return (
        zh(RECALL_STATES, recall["state"]),
        recall["batch"],
        recall["product"],
        f"{recall['recall_class']}级",
        recall["test_id"],
        local_time(recall.get("propose_time", "")),
        local_time(recall.get("start_by", "")),
        str(recall["finish_days"]),
    )


def _must_row(must: Json) -> tuple[str, ...]:
    state = zh(MUST_STATES, must["state"])
    evidence = "\n".join(must["evidence"])
    return (
        zh(MUSTS, must["must"]),
        state,
        zh(MUST_TRIGGERS, must["trigger"]),
        must["clause"],
        must["reason"],
        evidence,
        must["who"],
    )


def _gate_row(gate: Json) -> tuple[str, ...]:
    passed = "是" if gate["passed"] else "否"
    return (zh(GATES, gate["gate"]), passed, gate["note"], "\n".join(gate["evidence"]), gate["who"])


def _handling_row(one: Json) -> tuple[str, ...]:
    held, evidence = "是" if one["held"] else "否", "\n".join(one["evidence"])
    return (zh(PARTIES, one["party"]), one["name"], zh(HANDLINGS, one["handling"]), held, one["who"], evidence)


def _penalty_row(one: Json) -> tuple[str, ...]:
    yuan = "–".join(dict.fromkeys(amount for amount in (one["least"], one["most"]) if amount))
    return (zh(PENALTIES, one["penalty"]), one["clause"], yuan, one["text"], "\n".join(one["because"]))


def _details(answer: Json) -> None:
    parts = in_turn(
        listing("musts", "四个必须", MUST_HEADS, _must_row),
        listing("gates", "四个不放过", GATE_HEADS, _gate_row),
        listing("handlings", "约谈问责", HANDLING_HEADS, _handling_row),
        listing("suggestions", "处罚建议", PENALTY_HEADS, _penalty_row),
    )
    parts(answer["case"])
    if answer["case"].get("recall"):
        listing("recall", "召回建议 recall", RECALL_HEADS, _recall_row)(answer["case"])


SHOW_CASE = in_turn(listing("case", "案件 case", HEADS, _row), _details)
SHOW_CASES = listing("cases", "案件 cases", HEADS, _row)
