"""`shilian operators`: who answers for what, where."""

from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from shilian.registry.v1 import registry_pb2, registry_pb2_grpc

from clients.cli import calling, where
from clients.cli.failing import reported
from clients.cli.printing import Format, FormatOption, print_json, print_table
from clients.cli.words import STATES, zh
from contracts import divisions

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Operators and their sites: list, get.")

HEADS = ("主体 operator", "名称 name", "信用代码 uscc", "状态 state", "场所 sites", "区划 division", "标记 flags")
SITE_HEADS = ("场所 site", "名称 name", "许可证 licence", "地址 address", "区划 division", "各系统编号 source ids")

Json = dict[str, Any]


@app.command("list")
def list_operators(
    division: Annotated[str, typer.Option(help="Prefix of a division code; your own when empty.")] = "",
    flag: Annotated[str, typer.Option(help="Only operators with a flag of this rule.")] = "",
    page_size: Annotated[int, typer.Option(min=1, max=500)] = 50,
    page_token: Annotated[str, typer.Option(help="The next page, as the one before named it.")] = "",
    format: FormatOption = Format.TABLE,
    grpc_registry: where.GrpcRegistry = None,
    token: where.Token = None,
) -> None:
    """List operators, a page at a time."""
    request = registry_pb2.ListOperatorsRequest(
        page_size=page_size, page_token=page_token, division=division, flag=flag
    )
    with reported(), calling.channel(where.grpc_address(grpc_registry, "registry")) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        answer = stub.ListOperators(request, timeout=calling.TIMEOUT_S, metadata=calling.metadata(token))
    operators = [_json(operator) for operator in answer.operators]
    if format is Format.JSON:
        print_json({"operators": operators, "next_page_token": answer.next_page_token})
        return
    more = f"下一页 --page-token {answer.next_page_token}" if answer.next_page_token else ""
    print_table("主体 operators", HEADS, map(_row, operators), more)


@app.command()
def get(
    operator: Annotated[str, typer.Argument(help="Operator id.")],
    format: FormatOption = Format.TABLE,
    grpc_registry: where.GrpcRegistry = None,
    token: where.Token = None,
) -> None:
    """Show one operator and its sites."""
    request = registry_pb2.GetOperatorRequest(operator_id=operator)
    with reported(), calling.channel(where.grpc_address(grpc_registry, "registry")) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        answer = stub.GetOperator(request, timeout=calling.TIMEOUT_S, metadata=calling.metadata(token))
    found = _json(answer.operator)
    if format is Format.JSON:
        print_json(found)
        return
    print_table(f"主体 {operator}", HEADS, [_row(found)])
    print_table("场所 sites", SITE_HEADS, map(_site_row, found["sites"]))


def _json(operator: registry_pb2.Operator) -> Json:
    """Names as in the proto file; states and links without their prefix."""
    found: Json = MessageToDict(operator, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    found["state"] = found["state"].removeprefix("OPERATOR_STATE_").lower()
    for site in found["sites"]:
        site["link"] = site["link"].removeprefix("LINK_").lower()
        site["unit_kind"] = site["unit_kind"].removeprefix("UNIT_KIND_").lower()
    return found


def _row(operator: Json) -> tuple[str, ...]:
    return (
        operator["operator_id"],
        operator["name"],
        operator["uscc"],
        zh(STATES, operator["state"]),
        str(len(operator["sites"])),
        "\n".join(dict.fromkeys(divisions.path(site["division"]) for site in operator["sites"])),
        "\n".join(flag["rule"] for flag in operator["flags"]),
    )


def _site_row(site: Json) -> tuple[str, ...]:
    return (
        site["site_id"],
        site["name"],
        site["licence"],
        site["address"],
        divisions.path(site["division"]),
        "\n".join(f"{known['source']}: {known['id']}" for known in site["source_ids"]),
    )
