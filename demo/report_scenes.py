"""What the demo shows of its scenes: chains, the loop, the inquiry, the recall."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console

from clients.cli.printing import local_time
from clients.cli.words import CASE_STATES, CHANNELS, DELIVERY_STATES, FATES, STEPS, TASK_STATES, amount, zh
from contracts import divisions
from demo.correcting import Correction
from demo.diary import Step
from demo.inquiry import LEADERS, Inquiry
from demo.loop import Told
from demo.questions import Answer
from demo.recall import Called, covered
from demo.report_tables import table

ROWS = 40
"""Of a long table."""

_REFUSALS: Final = {
    "two_inspectors": "须两人检查",
    "recheck_other_officer": "须他人复查",
    "measures_not_carried_out": "整改措施未落实",
}

_RECALLS: Final = {
    "proposed": "建议",
    "simulated": "模拟",
    "open": "已启动",
    "told": "已告知",
    "late": "迟报",
    "grown": "范围扩大",
}

_STATES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "shipped": ("发货", {}),
    "finding": ("断链", {"open": "未闭合", "closed": "已闭合"}),
    "task": ("任务", TASK_STATES),
    "case": ("案件", CASE_STATES),
    "delivery": ("通知", DELIVERY_STATES),
    "recall": ("召回", _RECALLS),
    "refused": ("被拒", _REFUSALS),
}
"""What a step's state is about, and its words."""


def chain(console: Console, title: str, answer: Answer) -> None:
    """A chain as its table, cut where it is long, and where its picture is."""
    console.print(f"\n[bold]{title}[/]")
    lines = answer.table.splitlines()
    console.print("\n".join(lines[:ROWS]), markup=False, highlight=False, no_wrap=True, crop=True)
    if len(lines) > ROWS:
        console.print(f"… 共 {len(lines) - ROWS} 行未显示 more rows", markup=False)
    console.print(f"图 picture: {answer.picture}", markup=False, soft_wrap=True)


def loop(console: Console, told: Told) -> None:
    """From the goods nobody received to the closed case, and what the station's officer reads on the phone."""
    _steps(console, "闭环 the loop (模拟时间 simulated time)", told.steps)
    rows = table("手机收到 on the phone", "渠道 channel", "号码 to", "内容 text")
    for message in told.messages:
        rows.add_row(zh(CHANNELS, message["provider"]), message["to"], message["text"])
    console.print(rows)


def _steps(console: Console, title: str, steps: Sequence[Step]) -> None:
    rows = table(title, "时间 time", "谁 who", "做了什么 what", "状态 state")
    for step in steps:
        rows.add_row(f"{step.at:%m-%d %H:%M}", step.who, step.what, _state(step.state))
    console.print(rows)


def inquiry(console: Console, found: Inquiry) -> None:
    """A pig's way to a lunch, what two meals share, and whether the records are as they were sealed."""
    rows = table(
        f"一头猪的全程 the way of a pig, ear tag {found.tag}", "时间 time", "环节 step", "场所 site", "单号 document"
    )
    for event in found.way:
        rows.add_row(local_time(event["time"]), zh(STEPS, event["step"]), event["site_name"], event["document"])
    console.print(rows)
    console.print(f"图 picture: {found.picture}", markup=False, soft_wrap=True)
    rows = table(
        f"{'、'.join(found.cases)} 的共同来源 common sources", "得分 score", "场所 site", "品名 product", "批次 batch"
    )
    for each in found.common["nodes"][:LEADERS]:
        node = each["node"]
        rows.add_row(f"{each['score']:.2f}", node["site_name"], node["product"], node["batch"])
    console.print(rows)
    checked = found.evidence
    verdict = "未被改动 unchanged" if not checked["problems"] else f"不符 {checked['problems']}"
    console.print(f"核对 verified: {checked['blocks']} 个区块 blocks, {checked['events']} 条 events, {verdict}")


def correction(console: Console, found: Correction) -> None:
    """What a source declared wrong of its own, and that the record stays."""
    for told in found.declarations:
        console.print(
            f"更正声明 error declared: {found.event['document']} {zh(STEPS, found.event['step'])},"
            f" {told['declared_by']} {told['state']}: {told['reason']}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def recall(console: Console, called: Called) -> None:
    """What was called back, from whom, and what a late record added."""
    _steps(console, "召回 the recall (模拟时间 simulated time)", called.steps)
    final = called.final
    rows = table(
        f"召回范围 what it reaches: {final['sites']} 处场所 sites, {covered(final)}",
        "去向 fate",
        "场所数 sites",
        "数量 amounts",
    )
    for total in final["totals"]:
        amounts = "、".join(amount(each["quantity"], each["unit"]) for each in total["amounts"])
        rows.add_row(zh(FATES, total["fate"]), str(total["sites"]), amounts)
    console.print(rows)
    rows = table("各地须通知 to notify, by division", "地区 place", "主体 operators", "联系人 contacts")
    for part in final["divisions"]:
        contacts = "、".join(f"{each['operator_name']} {each['contact']}" for each in part["operators"][:3])
        rows.add_row(divisions.path(part["division"]), str(len(part["operators"])), contacts)
    console.print(rows)


def _state(state: str) -> str:
    """`task closed` as 任务 已办结 task closed."""
    name, _, word = state.partition(" ")
    title, words = _STATES.get(name, ("", {}))
    return f"{title} {zh(words, word)} {state}" if words else f"{title} {state}"
