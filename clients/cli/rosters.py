"""`shilian roster`: those who ought to register, and what they owe."""

import time
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4

import typer
from shilian.registry.v1 import registry_pb2 as pb

from clients.cli import where
from clients.cli.answers import Json, listing
from clients.cli.asking import Caller, Division, ask, asks, one_of, value
from clients.cli.failing import FAILED, fail, reported
from clients.cli.printing import Format, FormatOption, print_json, print_table
from clients.cli.words import CATEGORIES, UNIT_KINDS, zh
from contracts import divisions

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="名册、10+3 责任与阶段。Rosters, obligations, phases."
)

HEADS = ("名册 import", "类别 kind", "区划 division", "日期 as of", "行数 rows", "拒收 refused", "已收 taken",
         "变更 changed", "失效 ended", "完成 done")  # fmt: skip
ERROR_HEADS = ("行 row", "字段 field", "值 value", "规则 rule", "说明 message")
OBLIGATION_HEADS = ("场所 site", "主体 operator", "品类 category", "单位 unit kind", "区划 division")

POLL_S: Final = 0.5


def _row(one: Json) -> tuple[str, ...]:
    counts = (str(one[name]) for name in ("rows", "refused", "taken", "changed", "ended"))
    place = divisions.path(one["division"])
    return (one["import_id"], one["kind"], place, one["as_of"], *counts, "是" if one["done"] else "否")


def _error_row(error: Json) -> tuple[str, ...]:
    return (str(error["row"]), error["field"], error["value"], error["rule"], error["message"])


def _obligation_row(one: Json) -> tuple[str, ...]:
    place = divisions.path(one["division"])
    return (
        one["site_id"],
        one["operator_id"],
        zh(CATEGORIES, one["category"]),
        zh(UNIT_KINDS, one["unit_kind"]),
        place,
    )


SHOW_IMPORT = listing("roster_import", "名册 roster import", HEADS, _row)


@app.command("import")
def import_roster(
    file: Annotated[
        Path, typer.Argument(dir_okay=False, help="带表头的 csv 或 xlsx。csv (UTF-8 or GB18030) or xlsx with a header.")
    ],
    kind: Annotated[str, typer.Option(**one_of(pb.RosterKind), help="名册种类。Whose list it is.")],
    division: Annotated[str, typer.Option(help="名册所属区划。GB/T 2260 code of the place whose list it is.")],
    as_of: Annotated[
        str, typer.Option(help="制作日期，空为今天。Day it was drawn up, YYYY-MM-DD; today when empty.")
    ] = "",
    complete: Annotated[
        bool, typer.Option("--complete", help="名册完整：不在其中的移出。Who is not on it is not on the roster.")
    ] = False,
    import_id: Annotated[str, typer.Option(help="分次导入同一名册的编号。Shared by the parts of one list.")] = "",
    request_id: Annotated[
        str, typer.Option(help="上次请求的编号。Of an earlier try: it is answered the same again.")
    ] = "",
    wait: Annotated[
        float, typer.Option(min=0, help="等待入库的秒数。Seconds to wait for the rows to be taken in.")
    ] = 0,
    format: FormatOption = Format.TABLE,
    grpc_registry: where.GrpcRegistry = None,
    token: where.Token = None,
) -> None:
    """导入应注册者名册；有拒收行时退出码为 1。Import a list of those who ought to register."""
    caller = Caller(grpc_registry, token)
    with reported():
        request = pb.ImportRosterRequest(
            request_id=request_id or uuid4().hex,
            import_id=import_id,
            kind=value(pb.RosterKind, kind),
            division=division,
            as_of=as_of,
            complete=complete,
            file=file.read_bytes(),
        )
    answer = ask(request, caller)
    answer["roster_import"] = _awaited(answer["roster_import"], caller, wait)
    print_json(answer) if format is Format.JSON else _show(answer)
    if answer["roster_import"]["refused"]:
        raise typer.Exit(FAILED)


def _awaited(seen: Json, caller: Caller, wait: float) -> Json:
    """The import once it is done; the command ends badly when it is not after `wait` seconds, if any."""
    until = time.monotonic() + wait
    while wait and not seen["done"]:
        if time.monotonic() > until:
            fail(f"import {seen['import_id']}: {seen['taken']} of {seen['rows']} rows after {wait:g} s; goes on")
        time.sleep(POLL_S)
        seen = ask(pb.GetRosterImportRequest(import_id=seen["import_id"]), caller)["roster_import"]
    return seen


def _show(answer: Json) -> None:
    SHOW_IMPORT(answer)
    if answer["errors"]:
        print_table("拒收 refused", ERROR_HEADS, map(_error_row, answer["errors"]))


@asks(app, "show", SHOW_IMPORT)
def show(roster: Annotated[str, typer.Argument(help="导入编号。Import id.")]) -> pb.GetRosterImportRequest:
    """查看名册导入的进度。Show how far an import has come."""
    return pb.GetRosterImportRequest(import_id=roster)


@asks(app, "obligations", listing("obligations", "10+3 责任 obligations", OBLIGATION_HEADS, _obligation_row))
def obligations(
    division: Division = "",
    operator: Annotated[str, typer.Option(help="此主体。Of this operator.")] = "",
    category: Annotated[str, typer.Option(**one_of(pb.Category))] = "",
) -> pb.ListObligationsRequest:
    """列出场所今天须追溯的品类。List what sites must trace today, from the phases in force."""
    return pb.ListObligationsRequest(division=division, operator_id=operator, category=value(pb.Category, category))
