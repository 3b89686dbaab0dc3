"""What the demo shows people: Chinese first."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from clients.cli.letters import Letter
from clients.cli.words import CASE_STATES, CHANNELS, DELIVERY_STATES, DIMENSIONS, RECALL_STATES, TASK_STATES, zh
from contracts.rules import RULES
from demo.bulletin import Bulletin
from demo.counting import Speed
from demo.loop import Told
from demo.questions import Answer, Json, some_answers
from demo.result import Result

ROWS = 40
"""Of a long table."""

_PARAMETER = re.compile(r"\{\w+\}")

_REFUSALS: Final = {
    "two_inspectors": "须两人检查",
    "recheck_other_officer": "须他人复查",
    "measures_not_carried_out": "整改措施未落实",
}

_STATES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "shipped": ("发货", {}),
    "finding": ("断链", {"open": "未闭合", "closed": "已闭合"}),
    "task": ("任务", TASK_STATES),
    "case": ("案件", CASE_STATES),
    "delivery": ("通知", DELIVERY_STATES),
    "recall": ("召回", RECALL_STATES),
    "refused": ("被拒", _REFUSALS),
}
"""What a step's state is about, and its words."""

OUTCOMES = {"accepted": "已接收", "duplicate": "重复", "rejected": "已拒绝"}


def tell(console: Console, result: Result) -> None:
    """All of it; the count comes last."""
    rosters(console, result.rosters)
    counts(console, "拒收 rejected (死信 dead letters)", result.rejected)
    died(console, result.elsewhere)
    counts(console, "标记 recorded with a flag (TraceService.CountFlags)", result.flagged)
    for source, egress in result.egress.items():
        answers(console, source, some_answers(egress))
    chain(console, "一份学生午餐，追溯到田间 a school lunch, back to its farms", result.lunch)
    console.print(f"源头 it begins at: {'、'.join(result.lunch.beginnings())}", highlight=False)
    chain(console, "一批问题原料，追到每一个持有者 a contaminated batch, forward to every holder", result.tainted)
    loop(console, result.loop)
    bulletin(console, result.bulletin)
    speed(console, result.speed)
    stages = " · ".join(f"{name} {seconds:.1f}" for name, seconds in result.seconds.items())
    console.print(f"秒 seconds: {stages}", highlight=False)
    print(result.count, flush=True)


def rosters(console: Console, imported: Iterable[Json]) -> None:
    """Each list, and the rows of it that were refused."""
    table = _table("名册 rosters", "文件 file", "行 rows", "拒收 refused", "原因 why")
    for each in imported:
        why = "、".join(f"第{error['row']}行 {error['field']}: {error['rule']}" for error in each["errors"])
        table.add_row(each["file"], str(each["rows"]), str(each["refused"]), why)
    console.print(table)


def loop(console: Console, told: Told) -> None:
    """From the goods nobody received to the closed case, and what the station's officer reads on the phone."""
    table = _table("闭环 the loop (模拟时间 simulated time)", "时间 time", "谁 who", "做了什么 what", "状态 state")
    for step in told.steps:
        table.add_row(f"{step.at:%m-%d %H:%M}", step.who, step.what, _state(step.state))
    console.print(table)
    table = _table("手机收到 on the phone", "渠道 channel", "号码 to", "内容 text")
    for message in told.messages:
        table.add_row(zh(CHANNELS, message["provider"]), message["to"], message["text"])
    console.print(table)


def bulletin(console: Console, found: Bulletin) -> None:
    """Province and cities as they stand in it, and whether all of it is what was counted by hand."""
    table = _table(f"通报 the bulletin of {found.document['month']}", "地区 place", "得分 score", *DIMENSIONS.values())
    for line in (found.own, *found.cities()):
        rates = (f"{float(rate):.2%}" if (rate := line["rates"][name]) else "—" for name in DIMENSIONS)
        table.add_row(line["name"], line["score"] or "—", *rates)
    console.print(table)
    verdict = (
        "与逐条清点一致 equal a count over the raw records" if found.agrees else f"不一致 differ: {found.differences}"
    )
    console.print(f"{found.compared} 个数字 figures {verdict}", highlight=False)
    for file in found.files:
        console.print(f"文件 file: {file}", markup=False, highlight=False, soft_wrap=True)


def counts(console: Console, title: str, by_rule: Mapping[str, int]) -> None:
    """How many records, by reason."""
    table = _table(title, "规则 rule", "说明", "meaning", "条数 records")
    for rule, count in by_rule.items():
        row = RULES.get(rule)
        table.add_row(rule, *(_PARAMETER.sub("…", text) for text in (row.zh, row.en)) if row else ("", ""), str(count))
    console.print(table)


def died(console: Console, elsewhere: Iterable[Letter]) -> None:
    """What no sender is to blame for; nothing where nothing died."""
    for letter in elsewhere:
        text = f"死信 dead in {letter.queue}: {letter.reason} {letter.id}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def answers(console: Console, source: str, given: Iterable[Json]) -> None:
    """Some of what a source found in its egress queue."""
    table = _table(f"{source} 收到的回执(egress.{source})", "消息 message", "行", "结果 outcome", "内容 answer")
    for answer in given:
        if "outcome" in answer:
            table.add_row(
                answer["message_id"], str(answer.get("record", "")), OUTCOMES[answer["outcome"]], _told(answer)
            )
        else:
            goods = "、".join(f"{line['product']} {line['quantity']} {line['unit']}" for line in answer["lines"])
            text = f"{answer['supplier_name']} → 本单位：{goods}(单号 {answer['document']})"
            table.add_row(answer["event_id"], "", "待确认收货单", text)
    console.print(table)


def chain(console: Console, title: str, answer: Answer) -> None:
    """A chain as its table, cut where it is long, and where its picture is."""
    console.print(f"\n[bold]{title}[/]")
    lines = answer.table.splitlines()
    console.print("\n".join(lines[:ROWS]), markup=False, highlight=False, no_wrap=True, crop=True)
    if len(lines) > ROWS:
        console.print(f"… 共 {len(lines) - ROWS} 行未显示 more rows", markup=False)
    console.print(f"图 picture: {answer.picture}", markup=False, soft_wrap=True)


def speed(console: Console, found: Speed) -> None:
    """Records a second, and how long a record takes from its publisher to the store."""
    table = _table("速度 speed", "", "条/秒 records/s", "时延中位 median latency", "p99")
    for name, rate, waited in (
        ("全月一次灌入 the month at once", found.records_per_second, found.backlog),
        ("最后一天匀速 the last day, steady", found.steady_rate, found.steady),
    ):
        table.add_row(name, f"{rate:,.0f}", _seconds(waited.median), _seconds(waited.p99))
    console.print(table)


def _state(state: str) -> str:
    """`task closed` as 任务 已办结 task closed."""
    name, _, word = state.partition(" ")
    title, words = _STATES.get(name, ("", {}))
    return f"{title} {zh(words, word)} {state}" if words else f"{title} {state}"


def _told(verdict: Json) -> str:
    notes = [f"{note['field']} = {note.get('value') or '—'}: {note['message']}" for note in _notes(verdict)]
    return "\n".join([*verdict.get("batches", ()), *notes])


def _notes(verdict: Json) -> list[Json]:
    return [*verdict.get("errors", ()), *verdict.get("flags", ())]


def _seconds(wait: float) -> str:
    return f"{wait * 1000:,.0f} ms" if wait < 10 else f"{wait:.1f} s"


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
