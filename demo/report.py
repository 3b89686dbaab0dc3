"""What the demo shows people: Chinese first."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console

from clients.cli.letters import Letter
from clients.cli.words import DIMENSIONS
from contracts.findings import TITLES
from contracts.rules import RULES
from demo.bulletin import Bulletin
from demo.counting import Speed
from demo.questions import Json, some_answers
from demo.report_scenes import chain, correction, inquiry, loop, recall
from demo.report_tables import table
from demo.result import Result

_PARAMETER = re.compile(r"\{\w+\}")

OUTCOMES = {"accepted": "已接收", "duplicate": "重复", "rejected": "已拒绝"}


def tell(console: Console, result: Result, kept: Path | None = None) -> None:
    """All of it; the count comes last. `kept` is the directory of a stack that was left running."""
    rosters(console, result.rosters)
    counts(console, "拒收 rejected (死信 dead letters)", result.rejected)
    died(console, result.elsewhere)
    counts(console, "标记 recorded with a flag (TraceService.CountFlags)", result.flagged)
    findings(console, result.findings)
    for source, egress in result.egress.items():
        answers(console, source, some_answers(egress))
    chain(console, "一份学生午餐，追溯到田间 a school lunch, back to its farms", result.lunch)
    console.print(f"源头 it begins at: {'、'.join(result.lunch.beginnings())}", highlight=False)
    chain(console, "一批问题原料，追到每一个持有者 a contaminated batch, forward to every holder", result.tainted)
    inquiry(console, result.inquiry)
    correction(console, result.correction)
    loop(console, result.loop)
    recall(console, result.recall)
    chain(console, "召回批次的去向 where the recalled batch went", result.recalled)
    bulletin(console, result.bulletin)
    speed(console, result.speed)
    stages = " · ".join(f"{name} {seconds:.1f}" for name, seconds in result.seconds.items())
    console.print(f"秒 seconds: {stages}", highlight=False)
    if kept:
        running(console, kept)
    print(result.count, flush=True)


def running(console: Console, stack: Path) -> None:
    """How to look at a stack that was left running, and how to end it."""
    console.print("\n环境仍在运行 the stack runs on. 查看 to look at it:", highlight=False)
    console.print(f"    export SHILIAN_STACK_DIR={stack}", highlight=False, soft_wrap=True)
    console.print("    .venv/bin/shilian finding list --open", highlight=False)
    console.print("停止 to end it: .venv/bin/python -m deploy.local down\n", highlight=False)


def rosters(console: Console, imported: Iterable[Json]) -> None:
    """Each list, and the rows of it that were refused."""
    rows = table("名册 rosters", "文件 file", "行 rows", "拒收 refused", "原因 why")
    for each in imported:
        why = "、".join(f"第{error['row']}行 {error['field']}: {error['rule']}" for error in each["errors"])
        rows.add_row(each["file"], str(each["rows"]), str(each["refused"]), why)
    console.print(rows)


def bulletin(console: Console, found: Bulletin) -> None:
    """Province and cities as they stand in it, and whether all of it is what was counted by hand."""
    rows = table(f"通报 the bulletin of {found.document['month']}", "地区 place", "得分 score", *DIMENSIONS.values())
    for line in (found.own, *found.cities()):
        rates = (f"{float(rate):.2%}" if (rate := line["rates"][name]) else "—" for name in DIMENSIONS)
        rows.add_row(line["name"], line["score"] or "—", *rates)
    console.print(rows)
    verdict = (
        "与逐条清点一致 equal a count over the raw records" if found.agrees else f"不一致 differ: {found.differences}"
    )
    console.print(f"{found.compared} 个数字 figures {verdict}", highlight=False)
    for file in found.files:
        console.print(f"文件 file: {file}", markup=False, highlight=False, soft_wrap=True)


def counts(console: Console, title: str, by_rule: Mapping[str, int]) -> None:
    """How many records, by reason."""
    rows = table(title, "规则 rule", "说明", "meaning", "条数 records")
    for rule, count in by_rule.items():
        row = RULES.get(rule)
        rows.add_row(rule, *(_PARAMETER.sub("…", text) for text in (row.zh, row.en)) if row else ("", ""), str(count))
    console.print(rows)


def findings(console: Console, found: Mapping[str, Mapping[str, int]]) -> None:
    """What trace found by itself until the fifth, by kind."""
    rows = table("发现 findings", "类别 kind", "", "未消除 open", "已消除 closed")
    for kind, counted in found.items():
        rows.add_row(kind, TITLES[kind], str(counted["open"]), str(counted["closed"]))
    console.print(rows)


def died(console: Console, elsewhere: Iterable[Letter]) -> None:
    """What no sender is to blame for; nothing where nothing died."""
    for letter in elsewhere:
        text = f"死信 dead in {letter.queue}: {letter.reason} {letter.id}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def answers(console: Console, source: str, given: Iterable[Json]) -> None:
    """Some of what a source found in its egress queue."""
    rows = table(f"{source} 收到的回执(egress.{source})", "消息 message", "行", "结果 outcome", "内容 answer")
    for answer in given:
        if "outcome" in answer:
            rows.add_row(
                answer["message_id"], str(answer.get("record", "")), OUTCOMES[answer["outcome"]], _told(answer)
            )
        else:
            goods = "、".join(f"{line['product']} {line['quantity']} {line['unit']}" for line in answer["lines"])
            text = f"{answer['supplier_name']} → 本单位：{goods}(单号 {answer['document']})"
            rows.add_row(answer["event_id"], "", "待确认收货单", text)
    console.print(rows)


def speed(console: Console, found: Speed) -> None:
    """Records a second, and how long a record takes from its publisher to the store."""
    rows = table("速度 speed", "", "条/秒 records/s", "时延中位 median latency", "p99")
    for name, rate, waited in (
        ("全月一次灌入 the month at once", found.records_per_second, found.backlog),
        ("最后一天匀速 the last day, steady", found.steady_rate, found.steady),
    ):
        rows.add_row(name, f"{rate:,.0f}", _seconds(waited.median), _seconds(waited.p99))
    console.print(rows)


def _told(verdict: Json) -> str:
    notes = [f"{note['field']} = {note.get('value') or '—'}: {note['message']}" for note in _notes(verdict)]
    return "\n".join([*verdict.get("batches", ()), *notes])


def _notes(verdict: Json) -> list[Json]:
    return [*verdict.get("errors", ()), *verdict.get("flags", ())]


def _seconds(wait: float) -> str:
    return f"{wait * 1000:,.0f} ms" if wait < 10 else f"{wait:.1f} s"
