"""`shilian report`: scorecards, the sites behind a rate, facts anew, and the month's bulletin (通报)."""

from collections import Counter
from typing import Annotated
from uuid import uuid4

import typer
from shilian.reporting.v1 import reporting_pb2 as pb

from clients.cli import bulletins, where
from clients.cli.answers import Json, listing
from clients.cli.asking import Caller, Division, ask, asks, one_of, value
from clients.cli.printing import Format, FormatOption, local_time, print_json, print_table
from clients.cli.words import CATEGORIES, DIMENSIONS, LINKS, STEPS, zh
from contracts import divisions

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="成绩单、落后名单、通报、考核标准。Scorecards and bulletins."
)
asks(app, "bulletins", bulletins.SHOW_VERSIONS)(bulletins.bulletins)
app.command("bulletin")(bulletins.bulletin)
app.command("download")(bulletins.download)

HEADS = ("名次 rank", "地区 place", "环节 link", "得分 score", *(f"{text} {word}" for word, text in DIMENSIONS.items()))
BEHIND_HEADS = (
    "场所 site",
    "名称 name",
    "区划 division",
    "监管所 station",
    "环节 link",
    "类别 categories",
    "步骤 steps",
)


def _line_row(line: Json) -> tuple[str, ...]:
    measured = {measure["dimension"]: measure for measure in line["measures"]}
    rates = (_rate(measured[word]) if word in measured else "" for word in DIMENSIONS)
    return (
        str(line["rank"] or ""),
        line["name"] or line["code"],
        zh(LINKS, line["link"]),
        line["score"] or "不适用",
        *rates,
    )


def _rate(measure: Json) -> str:
    """`92.31 % (12/13)`; what has no denominator is not applicable, and no zero."""
    if not measure["rate"]:
        return "不适用"
    return f"{float(measure['rate']):.2%} ({measure['numerator']}/{measure['denominator']})"


def _behind_row(site: Json) -> tuple[str, ...]:
    place = divisions.path(site["division"])
    categories = "、".join(zh(CATEGORIES, word) for word in site["categories"])
    steps = "、".join(zh(STEPS, word) for word in site["steps"])
    return (site["site_id"], site["name"], place, site["station"], zh(LINKS, site["link"]), categories, steps)


def _show_scorecard(answer: Json) -> None:
    window = f"{local_time(answer['from_time'])} – {local_time(answer['until_time'])}"
    window += f",统计于 counted {local_time(answer['computed_time'])}"
    print_table("成绩单 scorecard", HEADS, map(_line_row, [answer["line"], *answer["lines"]]), window)


@asks(app, "scorecard", _show_scorecard)
def scorecard(
    division: Division = "",
    month: Annotated[str, typer.Option(help="月份，空为近 30 天。Such as 2026-10; the last 30 days when empty.")] = "",
    detailed: Annotated[bool, typer.Option("--detailed", help="细到监管所与环节。Stations and links too.")] = False,
) -> pb.GetScorecardRequest:
    """四项指标：本地区与下级。Show the four dimensions of a division and of those below it."""
    return pb.GetScorecardRequest(division=division, month=month, detailed=detailed)


@asks(app, "behind", listing("sites", "场所 sites", BEHIND_HEADS, _behind_row))
def behind(
    dimension: Annotated[str, typer.Argument(**one_of(pb.Dimension), help="哪项指标。Of which rate.")],
    division: Division = "",
    station: Annotated[str, typer.Option(help="此监管所。Of this station.")] = "",
    link: Annotated[str, typer.Option(help="此环节。Of this link.")] = "",
    month: Annotated[str, typer.Option(help="月份，空为近 30 天。Such as 2026-10; the last 30 days when empty.")] = "",
    missing: Annotated[bool, typer.Option("--missing", help="未计入该指标的。Those that the rate lacks.")] = False,
) -> pb.ListBehindRequest:
    """列出一项指标背后的场所，或所缺的场所。List the sites behind a rate, or those that it lacks."""
    return pb.ListBehindRequest(
        dimension=value(pb.Dimension, dimension),
        division=division,
        station=station,
        link=link,
        month=month,
        missing=missing,
    )


@app.command()
def rebuild(
    format: FormatOption = Format.TABLE,
    grpc_reporting: where.GrpcReporting = None,
    token: where.Token = None,
) -> None:
    """由各服务的接口重建全部事实；须系统令牌。Drop all facts and copy them from the other services' apis."""
    copied: Counter[str] = Counter()
    step = ""
    while True:
        request = pb.RebuildFactsRequest(request_id=uuid4().hex, step=step)
        answer = ask(request, Caller(grpc_reporting, token), where.SYSTEM)
        copied[answer["kind"]] += answer["copied"]
        if not (step := answer["next_step"]):
            break
    if format is Format.JSON:
        print_json({"copied": copied})
    else:
        print_table(
            "重建 rebuild", ("内容 kind", "数量 copied"), [(kind, str(count)) for kind, count in copied.items()]
        )
