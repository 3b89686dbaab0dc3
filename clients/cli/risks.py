"""`shilian risk`: 风险分级 and 检查要点两年全覆盖."""

from typing import Annotated

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli.answers import Json, in_turn, listing
from clients.cli.asking import Division, asks
from clients.cli.printing import local_time
from clients.cli.words import CREDITS, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="风险等级、应查要点。Risk grades, points due.")

HEADS = ("场所 site", "等级 grade", "静态分 static", "动态分 dynamic", "全年应查 checks", "已查 done", "评分表 table")
POINT_HEADS = ("项目 point", "分值 points", "次数 entries")
CREDIT_HEADS = ("信用记录 entry", "时间 time", "内容 what", "编号 subject")
DUE_HEADS = ("场所 site", "名称 name", "区划 division", "监管所 station", "应查要点 points", "上次检查 last check")


def _row(grade: Json) -> tuple[str, ...]:
    least, most = grade["least_checks"], grade["most_checks"]
    return (
        grade["site_id"],
        grade["grade"],
        str(grade["static_points"]),
        str(grade["dynamic_points"]),
        f"{least}" if least == most else f"{least}–{most}",
        str(grade["checks_done"]),
        grade["table_version"],
    )


def _point_row(point: Json) -> tuple[str, ...]:
    return (f"{point['zh']} {point['id']}", str(point["points"]), str(point["entries"] or ""))


def _credit_row(entry: Json) -> tuple[str, ...]:
    return (zh(CREDITS, entry["kind"]), local_time(entry.get("time", "")), entry["what"], entry["subject"])


def _due_row(site: Json) -> tuple[str, ...]:
    return (
        site["site_id"],
        site["site_name"],
        divisions.path(site["division"]),
        site["station"],
        "、".join(point["zh"] for point in site["points"]),
        local_time(site.get("last_check_time", "")),
    )


def _details(answer: Json) -> None:
    parts = in_turn(
        listing("points", "风险分值 points", POINT_HEADS, _point_row),
        listing("credit", "信用档案(近12个月) credit file", CREDIT_HEADS, _credit_row),
    )
    parts(answer["grade"])


@asks(app, "grade", in_turn(listing("grade", "风险等级 risk grade", HEADS, _row), _details))
def grade(site: Annotated[str, typer.Argument(help="场所编号。Site id.")]) -> pb.GetRiskGradeRequest:
    """查看场所风险等级、分值和信用档案。Show a site's grade with its points and credit file."""
    return pb.GetRiskGradeRequest(site_id=site)


@asks(app, "due", listing("sites", "两年内未查要点 due points", DUE_HEADS, _due_row))
def due(division: Division = "") -> pb.ListDuePointsRequest:
    """列出两年内尚未检查的要点，一页查看若干场所。List points that no check has gone through in two years."""
    return pb.ListDuePointsRequest(division=division)
