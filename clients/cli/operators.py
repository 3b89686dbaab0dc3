"""`shilian operators list|get`: who answers for what, where."""

from typing import Annotated

import typer
from shilian.registry.v1 import registry_pb2 as pb

from clients.cli.answers import Json, listing
from clients.cli.asking import Division, asks, one_of, value
from clients.cli.registry_tables import OPERATOR_HEADS, SHOW_OPERATOR, operator_row
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="主体：注册、激活、停业、吊销、变更。Operators.")

SITE_HEADS = ("场所 site", "名称 name", "许可证 licence", "地址 address", "区划 division", "各系统编号 source ids")


def _site_row(site: Json) -> tuple[str, ...]:
    return (
        site["site_id"],
        site["name"],
        site["licence"],
        site["address"],
        divisions.path(site["division"]),
        "\n".join(f"{known['source']}: {known['id']}" for known in site["source_ids"]),
    )


def _show(answer: Json) -> None:
    SHOW_OPERATOR(answer)
    listing("sites", "场所 sites", SITE_HEADS, _site_row)(answer["operator"])


@asks(app, "list", listing("operators", "主体 operators", OPERATOR_HEADS, operator_row))
def list_operators(
    division: Division = "",
    state: Annotated[str, typer.Option(**one_of(pb.OperatorState), help="状态。In this state.")] = "",
    unit_kind: Annotated[str, typer.Option(**one_of(pb.UnitKind), help="单位类别。Kind of unit.")] = "",
    flag: Annotated[str, typer.Option(help="带此标记。Only operators with a flag of this rule.")] = "",
) -> pb.ListOperatorsRequest:
    """列出主体。List operators, a page at a time."""
    return pb.ListOperatorsRequest(
        division=division, state=value(pb.OperatorState, state), unit_kind=value(pb.UnitKind, unit_kind), flag=flag
    )


@asks(app, "get", _show)
def get(operator: Annotated[str, typer.Argument(help="主体编号。Operator id.")]) -> pb.GetOperatorRequest:
    """查看一个主体及其场所。Show one operator and its sites."""
    return pb.GetOperatorRequest(operator_id=operator)
