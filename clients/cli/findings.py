"""`shilian finding` and `shilian event`: what trace found by itself, and the records it stands on."""

from typing import Annotated

import typer
from shilian.trace.v1 import trace_pb2 as pb

from clients.cli.answers import Json, in_turn, listing
from clients.cli.asking import Division, asks, words
from clients.cli.printing import local_time, print_table
from clients.cli.times import Since, Until, moment
from clients.cli.words import FINDINGS, FORMS, LINKS, PAPERS, STEPS, amount, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="断链、静默与存疑。What trace found by itself.")
events_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="追溯记录。Recorded events.")

HEADS = ("发现 finding", "类别 kind", "状态 state", "场所 site", "对方 counterparty", "区划 division", "环节 link",
         "批次 batches", "应于 due", "发现于 opened", "消除于 closed")  # fmt: skip
EVIDENCE_HEADS = ("应为 allowed", "所报 told", "容差 tolerance", "单号 document", "事件 event", "佐证事件 evidence")
EVENT_HEADS = ("事件 event", "环节 step", "时间 time", "场所 site", "对方 counterparty", "批次 batches",
               "品名 products", "数量 quantities", "单号 document", "来源 source", "标记 flags")  # fmt: skip
PAPER_HEADS = ("种类 kind", "类型 form", "编号 number", "出具 issuer", "签发 issued", "有效期至 until", "数量 quantity")
FLAG_HEADS = ("规则 rule", "事件数 events")


def _row(one: Json) -> tuple[str, ...]:
    return (
        one["finding_id"],
        zh(FINDINGS, one["kind"]),
        "未消除" if one["open"] else "已消除",
        one["site_id"],
        one["counterparty_site_id"],
        divisions.path(one["division"]),
        zh(LINKS, one["link"]),
        "\n".join(one["batches"]),
        local_time(one.get("due_time", "")) + ("(暂定)" if one["provisional"] else ""),
        local_time(one.get("opened_time", "")),
        local_time(one.get("closed_time", "")),
    )


def _evidence_row(one: Json) -> tuple[str, ...]:
    figures = (one["allowed"], one["told"], one["tolerance"])
    return (*figures, one["document"], one["event_id"], "\n".join(one["evidence_event_ids"]))


_show_evidence = listing("finding", "证据 evidence", EVIDENCE_HEADS, _evidence_row)


def _event_row(event: Json) -> tuple[str, ...]:
    lots = [*event["inputs"], *event["outputs"]]
    return (
        event["event_id"],
        zh(STEPS, event["step"]),
        local_time(event.get("time", "")),
        event["site_name"] or event["site_id"],
        event["counterparty_name"] or event["counterparty_site_id"],
        "\n".join(lot["batch"] for lot in lots),
        "\n".join(lot["product"] for lot in lots),
        "\n".join(amount(lot["quantity"], lot["unit"]) for lot in lots),
        event["document"],
        event["source"],
        "\n".join((*(flag["rule"] for flag in event["flags"]), *_wrong(event))),
    )


def _paper_row(paper: Json) -> tuple[str, ...]:
    return (
        zh(PAPERS, paper["kind"]),
        zh(FORMS, paper["form"]),
        paper["number"],
        paper["issuer"],
        paper["issued_on"],
        paper["valid_until"],
        amount(paper["quantity"], paper["unit"]),
    )


def _show_papers(answer: Json) -> None:
    if papers := answer["event"]["documents"]:
        print_table("票证 papers", PAPER_HEADS, map(_paper_row, papers))


def _show_beside(answer: Json) -> None:
    """What few events have: the line, the vehicle, the animals."""
    event = answer["event"]
    tags = dict.fromkeys(tag for lot in (*event["inputs"], *event["outputs"]) for tag in lot["ear_tags"])
    beside = {
        "生产线 line": event["production_line"],
        "车辆 vehicle": event["vehicle"],
        "畜禽标识 ear tags": "、".join(tags),
    }
    for name, told in beside.items():
        if told:
            typer.echo(f"{name}: {told}")


def _show_completeness(answer: Json) -> None:
    typer.echo(f"完整率 completeness {answer['completeness']:.0%}")


_show_event = in_turn(
    listing("event", "追溯记录 event", EVENT_HEADS, _event_row), _show_papers, _show_beside, _show_completeness
)


def _wrong(event: Json) -> list[str]:
    return ["已声明有误 declared wrong"] if event["declaration_id"] else []


def _flag_row(count: Json) -> tuple[str, ...]:
    return (count["rule"], str(count["events"]))


def _show_total(answer: Json) -> None:
    typer.echo(f"共 {answer['events']} 个事件 events")


@asks(app, "list", listing("findings", "发现 findings", HEADS, _row))
def list_findings(
    division: Division = "",
    kind: Annotated[str, typer.Option(**words([*FINDINGS]), help="类别。Kind.")] = "",
    site: Annotated[str, typer.Option(help="场所编号。At this site.")] = "",
    open: Annotated[bool | None, typer.Option("--open/--closed", help="只看未消除或已消除。Both without it.")] = None,
) -> pb.ListFindingsRequest:
    """列出断链、静默和存疑的发现。List what trace found by itself, newest first."""
    return pb.ListFindingsRequest(division=division, kind=kind, site_id=site, open=open)


@asks(app, "show", in_turn(listing("finding", "发现 finding", HEADS, _row), _show_evidence))
def show(finding: Annotated[str, typer.Argument(help="发现编号。Finding id.")]) -> pb.GetFindingRequest:
    """查看一条发现及其证据。Show a finding and its evidence."""
    return pb.GetFindingRequest(finding_id=finding)


@asks(events_app, "list", listing("events", "追溯记录 events", EVENT_HEADS, _event_row))
def list_events(
    batch: Annotated[str, typer.Option(help="批次。Of this batch.")] = "",
    site: Annotated[str, typer.Option(help="场所编号。At this site.")] = "",
    step: Annotated[str, typer.Option(**words([*STEPS]), help="环节。Step.")] = "",
    flag: Annotated[str, typer.Option(help="带此标记。With a flag of this rule.")] = "",
    source: Annotated[str, typer.Option(help="来源系统。Of this source.")] = "",
    division: Division = "",
    since: Since = None,
    until: Until = None,
) -> pb.QueryEventsRequest:
    """查询追溯记录。List events of one's own scope, newest first."""
    return pb.QueryEventsRequest(
        batch=batch,
        site_id=site,
        step=step,
        flag=flag,
        source=source,
        division=division,
        from_time=moment(since),
        until_time=moment(until),
    )


@asks(events_app, "show", _show_event)
def show_event(event: Annotated[str, typer.Argument(help="事件编号。Event id.")]) -> pb.GetEventRequest:
    """查看一条追溯记录。Show an event."""
    return pb.GetEventRequest(event_id=event)


@asks(events_app, "flags", in_turn(listing("counts", "标记 flags", FLAG_HEADS, _flag_row), _show_total))
def flags(division: Division = "", since: Since = None, until: Until = None) -> pb.CountFlagsRequest:
    """统计各规则标记的记录数。Count events by flag."""
    return pb.CountFlagsRequest(division=division, from_time=moment(since), until_time=moment(until))
