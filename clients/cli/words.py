"""What people read for the platform's words: Chinese first."""

import re
from collections.abc import Mapping
from typing import Final

from contracts import papers, recalls, rules, steps, units
from contracts.findings import GAPS as GAPS_FOUND
from contracts.findings import TITLES, FindingKind

STEPS: Final = steps.TITLES

PAPERS: Final = papers.TITLES

FORMS: Final = papers.FORMS

GAPS: Final = {
    "unknown_source": "来源不明",
    "unknown_destination": "去向不明",
    "depth_limit": "层数超限",
    "size_limit": "规模超限",
    "time_limit": "时间范围之外",
}

UNJUDGED: Final = {"no_line": "未记生产线", "beyond_scope": "不在本辖区", "too_many": "记录过多"}
"""Why an event at a line was not judged."""

HOLDINGS: Final = {"held": "在手", "sold_on": "部分转出", "consumed": "已消耗", "unknown": "不明"}

OUTCOMES: Final = {"accepted": "已接收", "duplicate": "重复", "rejected": "已拒绝"}

STATES: Final = {
    "listed": "未注册",
    "registered": "已注册",
    "activated": "已激活",
    "on_chain": "已上链",
    "active": "活跃",
    "inactive": "不活跃",
    "suspended": "暂停",
    "revoked": "吊销",
    "deregistered": "注销",
}

UNITS: Final = units.SYMBOLS
"""UN/ECE Recommendation 20 codes that quantities come in."""

TASK_KINDS: Final = {
    "daily": "日常检查",
    "quarterly": "每季度抽查",
    "special": "专项检查",
    "patrol": "巡查",
    "return_visit": "回访",
    "annual": "年度检查",
    "sampling": "抽检",
}

TASK_STATES: Final = {
    "open": "待检查",
    "inspected": "已检查",
    "rectifying": "整改中",
    "rectified": "待复查",
    "closed": "已办结",
    "cancelled": "已取消",
}

TASK_STEPS: Final = {
    "assign": "派员",
    "find_nothing": "检查无问题",
    "find_problem": "检查有问题",
    "order": "责令整改",
    "rectify": "整改",
    "pass": "复查合格",
    "fail": "复查不合格",
    "escalate": "上报",
    "cancel": "取消",
}

LEVELS: Final = {"station": "所", "county": "县", "city": "市", "province": "省"}

STANDINGS: Final = {"stands": "有效", "objected": "异议待复检", "upheld": "复检维持", "overturned": "复检推翻"}

RECALL_STATES: Final = {"proposed": "建议召回", "withdrawn": "已撤回"}

CREDITS: Final = {
    "case": "立案",
    "penalty": "处罚",
    "failed_test": "检测不合格",
    "failed_recheck": "复查不合格",
    "problem": "检查发现问题",
    "overdue": "整改逾期",
}

CASE_STATES: Final = {"open": "办理中", "closed": "已结案"}

MUSTS: Final = {
    "stop_and_rectify": "停止并整改",
    "close_and_ban": "关闭取缔",
    "fine": "罚款",
    "to_police": "移送公安",
}

MUST_STATES: Final = {"not_triggered": "未触发", "due": "待办", "done": "已办", "refused": "不办"}

GATES: Final = {
    "cause_not_found": "原因未查清",
    "people_not_punished": "责任人未处理",
    "lesson_not_given": "警示教育未开展",
    "measures_not_carried_out": "整改措施未落实",
}

MUST_TRIGGERS: Final = {"problem": "发现问题", "rectification_failed": "整改不到位", "crime_suspected": "涉嫌犯罪"}

PARTIES: Final = {"unit": "单位", "department": "部门"}

HANDLINGS: Final = {"interview": "约谈", "accountability": "问责"}

PENALTIES: Final = {
    "warning": "警告",
    "fine": "罚款",
    "suspension": "责令停产停业",
    "revocation": "吊销许可证",
    "exempt": "免予处罚",
    "none": "不予处罚",
}

CHANNELS: Final = {
    "wechat": "微信",
    "sms": "短信",
    "wecom": "企业微信",
    "webhook": "Webhook",
    "in_app": "站内信",
}

DELIVERY_STATES: Final = {
    "held": "待汇总",
    "bundled": "已汇总",
    "pending": "待发",
    "sending": "发送中",
    "sent": "已发",
    "delivered": "已送达",
    "read": "已读",
    "failed": "失败",
    "unknown": "不明",
}

DIMENSIONS: Final = {
    "registration": "注册率",
    "activation": "激活率",
    "activity": "活跃率",
    "coverage": "10+3 覆盖率",
    "upload": "自建系统上传率",
}

LINKS: Final = {"production": "生产", "circulation": "流通", "catering": "餐饮", "special_food": "特殊食品"}

CATEGORIES: Final = {
    "vegetable": "蔬菜",
    "fruit": "水果",
    "aquatic": "水产品",
    "grain": "粮食",
    "meat": "肉及肉制品",
    "dairy": "乳制品",
    "edible_oil": "食用油",
    "liquor": "白酒",
    "health_food": "保健食品",
    "infant_formula": "婴幼儿配方食品",
    "other": "其他",
}
"""The ten of the 10+3 (S4), and what lies outside them."""

UNIT_KINDS: Final = {"school_canteen": "学校食堂", "group_meal": "集体用餐配送", "central_kitchen": "中央厨房"}

GRID_GAPS: Final = {"cell": "网格", "officer": "网格员", "contact": "联系人"}

CHANGES: Final = {
    "observed": "来源上报",
    "registered": "注册",
    "listed": "列入名册",
    "unlisted": "移出名册",
    "updated": "修改",
    "state": "状态变化",
    "alias": "编号合一",
    "merged": "合并",
    "cell": "网格",
    "officer": "网格员交接",
    "phase": "阶段",
    "placed": "归格",
    "contact": "联系人",
    "closed": "停业申报",
}

FATES: Final = {
    "held": "在手",
    "in_transit": "在途",
    "processed": "已加工",
    "consumed": "已消费",
    "destroyed": "已销毁",
    "outside": "已出省",
    "unlocated": "未定位",
}

DOUBTS: Final = {
    "not_recorded": "数量缺失或单位不一",
    "nothing_came": "无来货记录",
    "more_out_than_in": "出多于进",
    "to_nobody_known": "未写明收货方",
    "not_followed": "超出查询范围",
}
"""Why it is not known where goods are, or how much."""

RECALLED: Final = {"open": "进行中", "closed": "已结束"}
LEVELS_OF_RECALL: Final = {str(level): name for level, name in recalls.LEVELS.items()}

FAULTS: Final = {
    "block_missing": "区块缺失",
    "block_changed": "区块被改动",
    "lane_cut": "链尾被截去",
    "lane_rewritten": "链被重做",
    "event_removed": "记录被删除",
    "event_inserted": "记录被插入",
    "event_changed": "记录被改动",
    "event_unsealed": "记录不在任何区块中",
    "declaration_changed": "更正声明与记录上的标记不符",
}

DECLARERS: Final = {"source": "来源系统", "operator": "主体", "regulator": "监管"}
DECLARATION_STATES: Final = {"applied": "已生效", "pending": "待记录入链", "refused": "不予受理"}

FINDINGS: Final = {kind.value: TITLES[kind] for kind in FindingKind}
AWAITED: Final = GAPS_FOUND | {
    FindingKind.QUANTITY_MISMATCH,
    FindingKind.RECEIVED_BEFORE_SHIPPED,
    FindingKind.HEAD_COUNT_MISMATCH,
    FindingKind.ANIMALS_NOT_ARRIVED,
    FindingKind.MEAT_WITHOUT_PAPERS,
}
"""Kinds of which something was due; of the others it is told when it happened."""

AUDIENCES: Final = {
    "station": "监管所",
    "cell_officer": "网格员",
    "officers": "检查人员",
    "site_person": "场所专人",
    "address": "指定地址",
}


DUTIES: Final = TASK_STEPS | {
    "open_task": "建任务",
    "open_case": "立案",
    "record_test": "登记检测",
    "link": "关联批次",
    "object": "提出异议",
    "uphold": "复检维持",
    "overturn": "复检推翻",
    "contest": "异议待复检",
    "settle": "异议了结",
    "rescind": "撤销立案",
    "establish": "认定事实",
    "decide": "处罚决定",
    "trigger": "触发必须",
    "close": "结案",
}
"""What the duty ledger says was done; `must:…`, `gate:…` and `handling:…` are `duty`'s."""

DONE: Final = (
    TASK_STATES
    | STANDINGS
    | MUST_STATES
    | {"passed": "已过", "established": "已认定", "qualified": "合格", "failed": "不合格"}
)


def duty(action: str) -> str:
    """What was done, in Chinese: `gate:cause_not_found` names the gate."""
    kind, _, what = action.partition(":")
    title, of = {"must": ("必须", MUSTS), "gate": ("不放过", GATES), "handling": ("约谈问责", PARTIES)}.get(
        kind, ("", {})
    )
    return f"{title}：{zh(of, what)}" if title else zh(DUTIES, action)


def zh(table: Mapping[str, str], word: str) -> str:
    """A word in Chinese; as it is when the table does not know it."""
    return table.get(word, word)


def rule_title(rule: str) -> str:
    """What a rule is about, in Chinese, without the figures of a case."""
    known = rules.RULES.get(rule)
    return re.sub(r"\{\w+\}", "…", known.zh) if known else rule


def figures(text: str) -> str:
    """Figures of a finding with units as people write them."""
    return re.sub(r"\b[A-Z0-9]{3}\b", lambda code: zh(UNITS, code[0]), text)


def amount(quantity: str, unit: str) -> str:
    """A quantity with its unit, as people write it; empty when there is none."""
    if "." in quantity:
        quantity = quantity.rstrip("0").rstrip(".")
    return f"{quantity} {zh(UNITS, unit)}".strip() if quantity else ""
