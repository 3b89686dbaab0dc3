"""What inspection refuses, and why: the one table, in the shape of `contracts.rules`."""

from collections.abc import Mapping
from typing import Final

from contracts.rules import REFUSE, Rule

_LAW_88: Final = "食品安全法第88条"
_ORDER_49: Final = "市场监管总局令49号"
_S2, _S3 = "S2: 四个必须, 四个不放过", "S3: daily, week, month"

_TABLE: Final = (
    Rule("role", REFUSE, "该角色不得办理", "not this role's to do", "chassis access"),
    # The closed loop
    Rule("task_state", REFUSE, "任务当前状态不能办理此步", "the task's state has no such step", _S3),
    Rule("task_ended", REFUSE, "任务已办结或已取消", "the task is closed or cancelled", _S3),
    Rule("officers_required", REFUSE, "须指定检查人员", "officers are to be named", "市场监管总局令49号第22条 ⚠"),
    Rule(
        "two_inspectors",
        REFUSE,
        "指派并到场的检查人员不得少于两人",
        "fewer than two inspectors assigned and present",
        "行政处罚法第42条",
    ),
    Rule("inspector_assigned", REFUSE, "检查人员未被指派到此任务", "inspector not assigned to the task", _S3),
    Rule("account_required", REFUSE, "须写明情况或附证据", "neither note nor evidence", "履职台账"),
    Rule("evidence_required", REFUSE, "须附证据", "evidence is missing", "履职台账"),
    Rule("items_required", REFUSE, "须写明整改事项", "what is to be put right is not said", "食品安全法第126条"),
    Rule("recheck_other_officer", REFUSE, "复查须由其他人员进行", "the re-check is another officer's", _S3),
    Rule("reason_required", REFUSE, "须说明理由", "a reason is missing", "履职台账"),
    Rule("top_level", REFUSE, "已到省级，不能再上报", "it is with the province already", _S3),
    Rule("checked_by_higher_level", REFUSE, "上级三个月内已检查相同事项", "a higher level checked it", _ORDER_49),
    # Cases
    Rule("case_closed", REFUSE, "案件已结案", "the case is closed", _S2),
    Rule("no_problem", REFUSE, "未发现问题，不能立案", "no problem was found", _S2),
    Rule("must_not_triggered", REFUSE, "该项必须尚未触发", "nothing has triggered this duty", _S2),
    Rule("must_resolved", REFUSE, "该项必须已办理", "this duty is settled", _S2),
    Rule("must_evidence", REFUSE, "办理该项必须须附证据", "a duty is done with evidence", _S2),
    Rule("must_reason", REFUSE, "不办理该项必须须说明理由", "a duty is refused with a reason only", _S2),
    Rule("fine_by_decision", REFUSE, "处罚须经处罚决定办理", "this duty is settled by a penalty decision", _S2),
    Rule("must_open", REFUSE, "四个必须尚有未办理的", "a triggered duty is neither done nor refused", _S2),
    Rule("cause_not_found", REFUSE, "原因未查清不放过", "not let go: cause not found", _S2),
    Rule("people_not_punished", REFUSE, "责任人员未处理不放过", "not let go: people not punished", _S2),
    Rule("lesson_not_given", REFUSE, "警示教育未开展不放过", "not let go: warning lesson not given", _S2),
    Rule("measures_not_carried_out", REFUSE, "整改措施未落实不放过", "not let go: measures not carried out", _S2),
    Rule("gate_evidence", REFUSE, "须附证据才能放过", "a gate opens to evidence only", _S2),
    Rule("handling_held", REFUSE, "约谈或问责已进行", "interview or accountability was held", _S2),
    # Penalties
    Rule("penalty_decided", REFUSE, "处罚已决定", "the penalty is decided", "行政处罚法第29条"),
    Rule("penalty_reason", REFUSE, "与建议不符的处罚须说明理由", "off the suggestion only with a reason", _S2),
    Rule("amount_required", REFUSE, "罚款须写明金额", "a fine has an amount", "行政处罚法第59条"),
    Rule("persons_required", REFUSE, "须处罚责任人员或说明理由", "persons responsible, or why none", _S2),
    # Tests
    Rule("test_qualified", REFUSE, "检测合格，无可异议", "the test found nothing wrong", _LAW_88),
    Rule("retest_final", REFUSE, "复检结论为最终结论", "what a re-test says is final", _LAW_88),
    Rule("objection_late", REFUSE, "已过异议期限", "the time to object is over", _LAW_88),
    Rule("objected_already", REFUSE, "已提出异议", "somebody objected already", _LAW_88),
    Rule("no_objection", REFUSE, "没有待复检的异议", "no objection waits for a re-test", _LAW_88),
    Rule("retest_quick", REFUSE, "复检不得采用快速检测方法", "no quick method in a re-test", _LAW_88),
    Rule("retest_same_laboratory", REFUSE, "复检机构不得为初检机构", "a re-test is another laboratory's", _LAW_88),
    Rule("objection_pending", REFUSE, "异议待复检，不得决定或结案", "a re-test is to decide first", _LAW_88),
    # Samples
    Rule("empty_frame", REFUSE, "范围内没有可抽查的场所", "no site to draw from", "S1: 每季度抽查"),
)
RULES: Final[dict[str, Rule]] = {rule.id: rule for rule in _TABLE}


class Refused(Exception):
    """A rule of the table forbids it; `told` says what is known about the obstacle."""

    def __init__(self, rule: str, told: Mapping[str, str] | None = None) -> None:
        row = RULES[rule]
        super().__init__(f"{row.zh} / {row.en}")
        self.rule = rule
        self.told = {**(told or {}), "clause": row.source}
