"""`shilian trace declare` and `declarations`: what was recorded wrong stays, and no longer counts."""

from typing import Annotated

import typer
from shilian.trace.v1 import evidence_pb2 as pb

from clients.cli.answers import Json, listing
from clients.cli.asking import Division, asks, words
from clients.cli.printing import local_time
from clients.cli.words import DECLARATION_STATES, DECLARERS, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

HEADS = ("声明 declaration", "事件 event", "原因 reason", "更正记录 corrections", "状态 state", "声明者 by",
         "区划 division", "声明于 declared")  # fmt: skip


def _row(one: Json) -> tuple[str, ...]:
    return (
        one["declaration_id"],
        one["event_id"],
        one["reason"],
        "\n".join(one["correction_ids"]),
        zh(DECLARATION_STATES, one["state"]),
        f"{zh(DECLARERS, one['declarer'])} {one['declared_by']}",
        divisions.path(one["division"]),
        local_time(one.get("declared_time", "")),
    )


@asks(app, "declare", listing("declaration", "更正声明 declaration", HEADS, _row))
def declare(
    event: Annotated[str, typer.Argument(help="有误记录的事件编号。Id of the wrong event.")],
    reason: Annotated[str, typer.Option(help="何处有误，一并留存。What is wrong; kept with the declaration.")],
    correction: Annotated[
        list[str] | None, typer.Option(help="替代它的事件编号，可多次给出，也可后补。Id of an event in its place.")
    ] = None,
) -> pb.DeclareErrorRequest:
    """声明一条追溯记录有误：原记录保留，不再计入。Declare an event wrong: it stays, and no longer counts."""
    return pb.DeclareErrorRequest(event_id=event, reason=reason, correction_ids=correction)


@asks(app, "declarations", listing("declarations", "更正声明 declarations", HEADS, _row))
def declarations(
    event: Annotated[str, typer.Option(help="关于此事件。About this event.")] = "",
    state: Annotated[str, typer.Option(**words([*DECLARATION_STATES]), help="状态。State.")] = "",
    division: Division = "",
) -> pb.ListDeclarationsRequest:
    """列出更正声明。List error declarations, newest first."""
    return pb.ListDeclarationsRequest(event_id=event, state=state, division=division)
