"""`shilian finding`: what trace found by itself."""

from collections.abc import Iterator
from typing import Annotated, Final

import grpc
import typer
from shilian.trace.v1 import trace_pb2 as pb

from clients.cli import calling, where
from clients.cli.answers import Json, as_json, listing
from clients.cli.asking import Division, asks, call, words
from clients.cli.event_tables import EVENT_HEADS, event_row
from clients.cli.failing import reported
from clients.cli.printing import Format, FormatOption, local_time, print_json, print_sheet, print_table
from clients.cli.words import AWAITED, FINDINGS, LINKS, figures, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="断链、静默与存疑。What trace found by itself.")

HEADS = ("发现 finding", "类别 kind", "状态 state", "场所 site", "对方 counterparty", "区划 division", "批次 batches",
         "所报 told", "时间 times")  # fmt: skip
WHEN: Final = EVENT_HEADS.index("时间 time")
MOST_SHOWN: Final = 20
"""Events of the evidence that are shown; `--format json` names all."""


def _row(one: Json) -> tuple[str, ...]:
    return (
        one["finding_id"],
        zh(FINDINGS, one["kind"]),
        _state(one),
        one["site_name"] or one["site_id"],
        one["counterparty_name"] or one["counterparty_site_id"],
        divisions.path(one["division"]),
        "\n".join(one["batches"]),
        figures(one["told"]),
        "\n".join(f"{name.partition(' ')[0]} {time}" for name, time in _times(one) if time),
    )


def _state(one: Json) -> str:
    return "未消除" if one["open"] else "已消除"


def _times(one: Json) -> Iterator[tuple[str, str]]:
    provisional = "(暂定)" if one["provisional"] else ""
    yield "应于 due" if one["kind"] in AWAITED else "事发 happened", local_time(one.get("due_time", "")) + provisional
    yield "发现 found", local_time(one.get("opened_time", ""))
    yield "消除 closed", local_time(one.get("closed_time", ""))


@asks(app, "list", listing("findings", "发现 findings", HEADS, _row))
def list_findings(
    division: Division = "",
    kind: Annotated[str, typer.Option(**words([*FINDINGS]), help="类别。Kind.")] = "",
    site: Annotated[str, typer.Option(help="场所编号。At this site.")] = "",
    batch: Annotated[str, typer.Option(help="追溯码。About this batch.")] = "",
    open: Annotated[bool | None, typer.Option("--open/--closed", help="只看未消除或已消除。Both without it.")] = None,
) -> pb.ListFindingsRequest:
    """列出断链、静默和存疑的发现。List what trace found by itself, newest first."""
    return pb.ListFindingsRequest(division=division, kind=kind, site_id=site, batch=batch, open=open)


@app.command()
def show(
    finding: Annotated[str, typer.Argument(help="发现编号。Finding id.")],
    format: FormatOption = Format.TABLE,
    grpc_trace: where.GrpcTrace = None,
    token: where.Token = None,
) -> None:
    """查看一条发现及其证据。Show a finding and the records that are its evidence."""
    with reported(), calling.channel(where.grpc_address(grpc_trace, "trace")) as channel:
        who = calling.metadata(token)
        found = as_json(call(channel, pb.GetFindingRequest(finding_id=finding), who))
        if format is Format.JSON:
            print_json(found)
            return
        one = found["finding"]
        print_sheet("发现 finding", dict(_told(one)))
        named = list(dict.fromkeys(filter(None, (one["event_id"], *one["evidence_event_ids"]))))
        rows = [_evidence(channel, id, who) for id in named[:MOST_SHOWN]]
    print_table("佐证记录 evidence", EVENT_HEADS, sorted(rows, key=lambda row: row[WHEN]))
    if len(named) > MOST_SHOWN:
        typer.echo(f"另有 {len(named) - MOST_SHOWN} 条，见 --format json。And more.")


def _told(one: Json) -> Iterator[tuple[str, str]]:
    yield "发现 finding", one["finding_id"]
    yield "类别 kind", zh(FINDINGS, one["kind"])
    yield "状态 state", _state(one)
    yield "场所 site", " ".join(filter(None, (one["site_name"], one["site_id"])))
    yield "对方 counterparty", " ".join(filter(None, (one["counterparty_name"], one["counterparty_site_id"])))
    yield "区划 division", divisions.path(one["division"])
    yield "环节 link", zh(LINKS, one["link"])
    yield "批次 batches", "\n".join(one["batches"])
    yield "单号 document", one["document"]
    yield "应为 allowed", figures(one["allowed"])
    yield "所报 told", figures(one["told"])
    yield "容差 tolerance", one["tolerance"]
    yield from _times(one)


def _evidence(channel: grpc.Channel, id: str, who: calling.Metadata) -> tuple[str, ...]:
    """An event as a row, or that it is not for the caller's eyes."""
    try:
        return event_row(as_json(call(channel, pb.GetEventRequest(event_id=id), who))["event"])
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return (id, "不在可见范围", *("",) * (len(EVENT_HEADS) - 2))
