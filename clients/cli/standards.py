"""`shilian report standards|set-standard|declarations|declare`: what the scores are measured by."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from shilian.reporting.v1 import reporting_pb2 as pb

from clients.cli.answers import Json, choices, listing
from clients.cli.asking import Division, Reason, asks, value, words
from clients.cli.printing import local_time
from clients.cli.words import DIMENSIONS, LINKS, zh
from contracts import divisions

app = typer.Typer()

HEADS = ("标准 standard", "区划 division", "起 from", "阈值 thresholds", "权重 weights", "示范 tag", "原因 reason",
         "谁 who", "时间 set")  # fmt: skip
DECLARATION_HEADS = ("系统 system", "名称 name", "区划 division", "环节 link", "月份 month", "申报条数 records",
                     "申报天数 days", "谁 who", "时间 set")  # fmt: skip
TAGS = ["demonstration", "candidate"]


def _values(told: Sequence[Json]) -> str:
    return "\n".join(f"{zh(DIMENSIONS, each['dimension'])} {each['value']}" for each in told)


def _row(one: Json) -> tuple[str, ...]:
    return (
        one["standard_id"] or "默认 default",
        divisions.path(one["division"]) or "全部",
        one["from_day"],
        _values(one["thresholds"]),
        _values(one["weights"]),
        one["tag"],
        one["reason"],
        one["who"],
        local_time(one.get("set_time", "")),
    )


def _declaration_row(one: Json) -> tuple[str, ...]:
    return (
        one["system"],
        one["name"],
        divisions.path(one["division"]),
        zh(LINKS, one["link"]),
        one["month"],
        str(one["records"] or "每日上传"),
        str(one["days"] or "全部"),
        one["who"],
        local_time(one.get("set_time", "")),
    )


def _show_set(answer: Json) -> None:
    typer.echo(f"已设定 set {answer['standard_id']}")


def _show_declared(answer: Json) -> None:
    typer.echo(f"已申报 declared {answer['declaration_id']}")


def _dimension_values(option: str, given: Sequence[str] | None) -> list[pb.DimensionValue]:
    """`registration=0.95` each. Raises BadParameter for no dimension or no number."""
    return [_dimension_value(option, text) for text in given or ()]


def _dimension_value(option: str, text: str) -> pb.DimensionValue:
    word, _, number = text.partition("=")
    known = [*choices(pb.Dimension.DESCRIPTOR)]
    if word not in known:
        raise typer.BadParameter(f"{option} {text}: {word!r} is none of {', '.join(known)}")
    try:
        Decimal(number)
    except InvalidOperation:
        raise typer.BadParameter(f"{option} {text}: {number!r} is no number") from None
    return pb.DimensionValue(dimension=value(pb.Dimension, word), value=number)


@asks(app, "standards", listing("standards", "考核标准 standards", HEADS, _row))
def standards(division: Division = "") -> pb.ListStandardsRequest:
    """列出各版本的阈值与权重。List every version of thresholds and weights, the default first."""
    return pb.ListStandardsRequest(division=division)


@asks(app, "set-standard", _show_set)
def set_standard(
    division: Annotated[str, typer.Option(help="区划代码。GB/T 2260 code.")],
    from_day: Annotated[str, typer.Option("--from", help="自此日生效 YYYY-MM-DD。From this day on.")],
    reason: Reason,
    thresholds: Annotated[
        list[str] | None, typer.Option("--threshold", help="如 registration=0.95,可多个。Above 0, at most 1.")
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option("--weight", help="如 upload=25;四项合计 100。All four, 100 together.")
    ] = None,
    tag: Annotated[str, typer.Option(**words(TAGS), help="示范城市。For the higher thresholds.")] = "",
) -> pb.SetStandardRequest:
    """自某日起改变一地的阈值或权重；旧版本保留。Set thresholds or weights from a day on; older versions stay."""
    return pb.SetStandardRequest(
        division=division,
        from_day=from_day,
        thresholds=_dimension_values("--threshold", thresholds),
        weights=_dimension_values("--weight", weights),
        tag=tag,
        reason=reason,
    )


@asks(app, "declarations", listing("declarations", "自建系统申报 declarations", DECLARATION_HEADS, _declaration_row))
def declarations(
    month: Annotated[str, typer.Option(help="如 2026-10;空则全部。Every month when empty.")] = "",
    division: Division = "",
) -> pb.ListDeclarationsRequest:
    """列出自建系统申报的上传量。List what self-built systems declared to upload."""
    return pb.ListDeclarationsRequest(month=month, division=division)


@asks(app, "declare", _show_declared)
def declare(
    system: Annotated[str, typer.Argument(help="系统，如 docking.formula。The source as the bus knows it.")],
    month: Annotated[str, typer.Option(help="如 2026-10。Such as 2026-10.")],
    division: Annotated[str, typer.Option(help="区划代码。GB/T 2260 code.")],
    name: Annotated[str, typer.Option(help="系统名称。Its name.")] = "",
    link: Annotated[str, typer.Option(**words([*LINKS]), help="环节。Link of the chain.")] = "",
    records: Annotated[int, typer.Option(min=0, help="申报条数;0 为每日上传。Daily when 0.")] = 0,
    days: Annotated[int, typer.Option(min=0, help="应上传天数;0 为全月。All days when 0.")] = 0,
) -> pb.DeclareUploadsRequest:
    """申报自建系统本月的上传量：上传率的分母。Declare what a self-built system uploads in a month."""
    return pb.DeclareUploadsRequest(
        system=system, name=name, division=division, link=link, month=month, records=records, days=days
    )
