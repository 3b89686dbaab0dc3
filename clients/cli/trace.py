"""`shilian trace` and `shilian holders`."""

from enum import StrEnum
from typing import Annotated

import typer
from shilian.trace.v1 import trace_pb2, trace_pb2_grpc

from clients.cli import calling, picture, tree, where
from clients.cli.chain import Json, chain_json, holders_json
from clients.cli.failing import fail, reported
from clients.cli.printing import Format, FormatOption, local_time, print_json, print_table
from clients.cli.words import HOLDINGS, amount, zh

HOLDER_HEADS = ("场所 site", "批次 batch", "品名 product", "状态 state", "余量 left", "自 since", "联系 contact")


class Direction(StrEnum):
    """Back to every source, or forward to every holder."""

    BACKWARD = "backward"
    FORWARD = "forward"


class TraceFormat(StrEnum):
    """How a chain is printed."""

    TABLE = "table"
    JSON = "json"
    SVG = "svg"


Batch = Annotated[str, typer.Argument(help="Trace code of the batch.")]


def trace(
    batch: Batch,
    direction: Annotated[Direction, typer.Option(help="To the sources or to the holders.")] = Direction.BACKWARD,
    format: Annotated[TraceFormat, typer.Option("--format", help="输出方式。How to print.")] = TraceFormat.TABLE,
    site: Annotated[str, typer.Option(help="Start at this holder of the batch only.")] = "",
    max_depth: Annotated[int, typer.Option(min=1, max=100, help="Steps to go at most.")] = 50,
    max_nodes: Annotated[int, typer.Option(min=1, max=20_000, help="Nodes to find at most.")] = 10_000,
    grpc_trace: where.GrpcTrace = None,
    token: where.Token = None,
) -> None:
    """追溯来源或追踪去向。Trace a batch back to its sources or forward to its holders."""
    request = trace_pb2.TraceRequest(
        batch=batch,
        site_id=site,
        direction=trace_pb2.Direction.Value(f"DIRECTION_{direction.name}"),
        max_depth=max_depth,
        max_nodes=max_nodes,
    )
    with reported(), calling.channel(where.grpc_address(grpc_trace, "trace")) as channel:
        stub = trace_pb2_grpc.TraceServiceStub(channel)
        chain = chain_json(stub.Trace(request, timeout=calling.TIMEOUT_S, metadata=calling.metadata(token)))
    if not chain["nodes"]:
        fail(f"batch {batch}: no record of it")
    PRINTERS[format](chain)


def holders(
    batch: Batch,
    format: FormatOption = Format.TABLE,
    grpc_trace: where.GrpcTrace = None,
    token: where.Token = None,
) -> None:
    """列出一个批次现在在谁手里。List the sites where goods made from a batch stand now, as far as records tell."""
    request = trace_pb2.ListHoldersRequest(batch=batch)
    with reported(), calling.channel(where.grpc_address(grpc_trace, "trace")) as channel:
        stub = trace_pb2_grpc.TraceServiceStub(channel)
        answer = stub.ListHolders(request, timeout=calling.TIMEOUT_S, metadata=calling.metadata(token))
    found = holders_json(batch, answer)
    if format is Format.JSON:
        print_json(found)
        return
    print_table(f"{batch} 的持有者 holders", HOLDER_HEADS, map(_holder_row, found["holders"]))
    _print_gaps(found | {"nodes": found["holders"]})


def _print_chain(chain: Json) -> None:
    way = "追溯来源 backward" if chain["direction"] == "backward" else "追踪去向 forward"
    events, nodes = len(chain["events"]), len(chain["nodes"])
    print_table(f"{chain['batch']} {way}：{nodes} 个节点，{events} 个事件", tree.HEADS, tree.rows(chain))
    _print_gaps(chain)


def _print_gaps(chain: Json) -> None:
    if chain["gaps"]:
        print_table("断点 gaps", ("原因 kind", "场所 site", "批次 batch", "事件 event"), tree.gap_rows(chain))
    else:
        typer.echo("链条完整 complete" if chain["complete"] else "链条不完整 incomplete")


def _holder_row(holder: Json) -> tuple[str, ...]:
    return (
        holder["site_name"] or holder["site"],
        holder["batch"],
        holder["product"],
        zh(HOLDINGS, holder["state"]),
        amount(holder["quantity"], holder["unit"]),
        local_time(holder["since"]),
        holder["contact"],
    )


def _print_svg(chain: Json) -> None:
    typer.echo(picture.draw(chain))


PRINTERS = {TraceFormat.TABLE: _print_chain, TraceFormat.JSON: print_json, TraceFormat.SVG: _print_svg}
