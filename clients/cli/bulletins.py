"""The month's bulletin (通报) for `shilian report`: versions, figures, files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from shilian.reporting.v1 import reporting_pb2 as pb

from clients.cli import calling, where
from clients.cli.answers import Json, listing
from clients.cli.asking import Caller, Division, ask, call, one_of, value
from clients.cli.failing import reported
from clients.cli.printing import Format, FormatOption, local_time, print_json

VERSION_HEADS = ("月份 month", "版本 version", "冻结 frozen", "原因 reason", "输入摘要 inputs")

Month = Annotated[str, typer.Argument(help="月份。Such as 2026-10.")]
Version = Annotated[int, typer.Option(min=0, help="版本；0 为最新。The latest when 0.")]


def _version_row(one: Json) -> tuple[str, ...]:
    return (one["month"], str(one["version"]), local_time(one.get("frozen_time", "")), one["reason"], one["inputs"])


SHOW_VERSION = listing("bulletin", "通报 bulletin", VERSION_HEADS, _version_row)
SHOW_VERSIONS = listing("bulletins", "通报 bulletins", VERSION_HEADS, _version_row)


def bulletins() -> pb.ListBulletinsRequest:
    """列出已发布的通报及其版本。List the months and versions that are out, newest first."""
    return pb.ListBulletinsRequest()


def bulletin(
    month: Month,
    division: Division = "",
    version: Version = 0,
    format: FormatOption = Format.TABLE,
    grpc_reporting: where.GrpcReporting = None,
    token: where.Token = None,
) -> None:
    """查看一份通报;--format json 给出全部数字。Show a frozen bulletin, cut to a division."""
    request = pb.GetBulletinRequest(month=month, division=division, version=version)
    answer = ask(request, Caller(grpc_reporting, token))
    if format is Format.JSON:
        print_json(answer | {"document": json.loads(answer["document"])})
    else:
        SHOW_VERSION(answer)


def download(
    month: Month,
    kind: Annotated[str, typer.Option("--as", **one_of(pb.Format), help="文件格式。Kind of file.")] = "pdf",
    into: Annotated[Path, typer.Option("--into", file_okay=False, help="存放目录。Folder for the file.")] = Path(),
    division: Division = "",
    version: Version = 0,
    format: FormatOption = Format.TABLE,
    grpc_reporting: where.GrpcReporting = None,
    token: where.Token = None,
) -> None:
    """下载通报文件:html、pdf、xlsx、json。Download a frozen bulletin as a file."""
    request = pb.DownloadBulletinRequest(month=month, division=division, version=version, format=value(pb.Format, kind))
    with reported(), calling.channel(where.grpc_address(grpc_reporting, "reporting")) as channel:
        path = written(call(channel, request, calling.metadata(token)), into)
    if format is Format.JSON:
        print_json({"file": str(path), "bytes": path.stat().st_size})
    else:
        typer.echo(str(path))


def written(pieces: Iterable[pb.DownloadBulletinResponse], into: Path) -> Path:
    """The whole file under its own name; half of one is never there."""
    into.mkdir(parents=True, exist_ok=True)
    pieces = iter(pieces)
    first = next(pieces)
    # The name comes from elsewhere: it says no folder.
    path = into / Path(first.file_name).name
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.writelines(piece.data for piece in (first, *pieces))
    return part.replace(path)
