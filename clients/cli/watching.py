"""`shilian inspect watch`: tasks as they change."""

import json
from collections.abc import Iterable
from itertools import islice
from typing import Annotated

import typer
from shilian.inspection.v1 import inspection_pb2 as pb

from clients.cli import calling, where
from clients.cli.answers import as_json
from clients.cli.asking import Division, call
from clients.cli.failing import reported
from clients.cli.printing import Format, FormatOption
from clients.cli.words import TASK_STATES, zh


def watch(
    division: Division = "",
    station: Annotated[str, typer.Option(help="此监管所。Of this station.")] = "",
    officer: Annotated[str, typer.Option(help="派给此人的。Assigned to this officer.")] = "",
    resume_token: Annotated[
        str, typer.Option(help="续接令牌：先补上其后的变化。Of an earlier message: what came after it is told first.")
    ] = "",
    messages: Annotated[int, typer.Option(min=0, help="几条后结束；0 为不结束。End after so many; 0 for never.")] = 0,
    format: FormatOption = Format.TABLE,
    grpc_inspection: where.GrpcInspection = None,
    token: where.Token = None,
) -> None:
    """实时显示任务变化，一行一条；JSON 带续接令牌。Tell tasks as they change, a line each."""
    request = pb.WatchTasksRequest(division=division, station=station, officer=officer, resume_token=resume_token)
    with reported(), calling.channel(where.grpc_address(grpc_inspection, "inspection")) as channel:
        told: Iterable[pb.WatchTasksResponse] = call(channel, request, calling.metadata(token), timeout=None)
        for message in islice(told, messages or None):
            _tell(message, format)


def _tell(message: pb.WatchTasksResponse, format: Format) -> None:
    if format is Format.JSON:
        typer.echo(json.dumps(as_json(message), ensure_ascii=False))
    elif message.HasField("task"):
        task = as_json(message)["task"]
        typer.echo(f"{task['task_id']} {zh(TASK_STATES, task['state'])} {task['title']} {task['site_name']}")
