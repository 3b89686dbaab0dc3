"""`shilian egress`: what a source was answered."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from clients.cli import bus, where
from clients.cli.failing import reported
from clients.cli.printing import Format, FormatOption, console, local_time, print_json, print_table
from clients.cli.publish import Source
from clients.cli.words import LEVELS_OF_RECALL, OUTCOMES, amount, zh
from contracts.topology import egress_queue

Json = dict[str, Any]

VERDICT_HEADS = ("消息 message", "行 record", "结果 outcome", "单号与事件 document, event", "批次 batches",
                 "原因与标记 errors, flags")  # fmt: skip


def egress(
    source: Source,
    peek: Annotated[bool, typer.Option("--peek", help="只看，不取走。Leave the answers in the queue.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="最多取几条。Messages to take at most.")] = 1000,
    format: FormatOption = Format.TABLE,
    amqp_url: where.AmqpUrl = None,
) -> None:
    """取回平台的答复。Take a source's answers: verdicts on its records, proposed receipts, recalls."""
    with reported(), bus.channel(where.amqp_url(amqp_url, source)) as channel:
        taken = list(bus.take(channel, egress_queue(source).name, limit))
        answers = [_answer(message) for message in taken]
        if format is Format.JSON:
            print_json(answers)
        else:
            _print(source, answers)
        # Not before they are printed: what is acked is gone.
        if taken and not peek:
            channel.basic_ack(taken[-1].tag, multiple=True)


def _answer(message: bus.Taken) -> Json:
    """The answer as a CloudEvent in JSON."""
    return {
        "id": message.headers.get("ce-id", ""),
        "type": message.headers.get("ce-type", ""),
        "time": message.headers.get("ce-time", ""),
        "data": json.loads(message.body),
    }


def _print(source: str, answers: list[Json]) -> None:
    verdicts = [v for answer in answers for v in answer["data"].get("verdicts", ())]
    print_table(f"{source} 的回执 verdicts", VERDICT_HEADS, map(_verdict_row, verdicts))
    for answer in answers:
        if answer["type"].startswith("egress.receipt_proposed"):
            console().print(f"待确认收货单 proposed receipt: {proposal(answer['data'])}")
        elif answer["type"].startswith("egress.recalls_changed"):
            console().print(f"召回数量变更 recall changed: {recall_changed(answer['data'])}")
        elif answer["type"].startswith("egress.recalls_closed"):
            console().print(f"召回结束 recall closed: {recall_closed(answer['data'])}")
        elif answer["type"].startswith("egress.recalls"):
            console().print(f"召回通知 recall: {recall(answer['data'])}")


def _verdict_row(verdict: Json) -> tuple[str, ...]:
    outcome = verdict["outcome"]
    return (
        verdict["message_id"],
        str(verdict.get("record") or "整条"),
        zh(OUTCOMES, outcome),
        "\n".join(filter(None, (verdict.get("document"), verdict.get("event_id")))),
        "\n".join(verdict.get("batches", ())),
        "\n".join(notes(verdict)),
    )


def notes(verdict: Json) -> Iterator[str]:
    """Errors and flags, one a line: field = value: message [rule]."""
    for note in (*verdict.get("errors", ()), *verdict.get("flags", ())):
        yield f"{_place(note)}{note['message']} [{note['rule']}]"


def _place(note: Json) -> str:
    """Field and value; nothing when the message as a whole is meant."""
    if not note["field"]:
        return ""
    return f"{note['field']} = {note['value']}: " if note.get("value") else f"{note['field']}: "


def proposal(proposal: Json) -> str:
    """Who sends what to whom by which paper, with the trace codes that the receipt is to give."""
    supplier = proposal.get("supplier_name") or proposal["supplier_site"]
    goods = "、".join(map(_goods, proposal["lines"]))
    paper = f" (单号 {proposal['document']})" if proposal.get("document") else ""
    return f"{supplier} → {proposal['receiver_site']}: {goods}{paper}"


def recall(told: Json) -> str:
    """Which recall, why, until when, and what is where."""
    level = zh(LEVELS_OF_RECALL, str(told["recall_class"]))
    goods = "、".join(f"{_goods(line)} @ {line['site']}" for line in told["goods"])
    until = local_time(told["finish_by"])
    return f"{told['recall']} {level} {told['reason']} ({told['issuer']}，{until} 前完成): {goods}"


def recall_changed(told: Json) -> str:
    """Which recall, its version, and what should be where, before and now."""
    goods = "、".join(f"{line['batch']} @ {line['site']} {_moved(line)}" for line in told["goods"])
    return f"{told['recall']} 第 {told['version']} 版 应剩 should be there: {goods}"


def recall_closed(told: Json) -> str:
    """Which recall, when, why, at which sites."""
    when = local_time(told["closed_at"])
    return f"{told['recall']} {told['closed_reason']} ({told['issuer']}，{when}): {'、'.join(told['sites'])}"


def _moved(line: Json) -> str:
    before, now = (line.get(name) or {} for name in ("balance_before", "balance"))
    return " → ".join(amount(told.get("quantity", ""), told.get("unit") or "") or "不明" for told in (before, now))


def _goods(line: Json) -> str:
    how_much = amount(line.get("quantity") or "", line.get("unit") or "") or line.get("quantity_text")
    shown = line.get("product"), how_much, line["batch"]
    return " ".join(each for each in shown if each)
