"""`shilian trace` and `shilian holders`."""

from enum import StrEnum
from typing import Annotated, Any, Final

import grpc
import typer
from shilian.trace.v1 import trace_pb2 as pb
from shilian.trace.v1 import trace_pb2_grpc
from typer.core import TyperGroup

from clients.cli import calling, where
from clients.cli.chain import Json, chain_json, holders_json
from clients.cli.chain_printing import CHAINS, ChainFormat, ChainFormatOption, print_gaps
from clients.cli.failing import fail, reported
from clients.cli.printing import Format, FormatOption, local_time, print_json, print_table
from clients.cli.times import Since, Until, moment
from clients.cli.words import HOLDINGS, amount, zh

HOLDER_HEADS = ("场所 site", "批次 batch", "品名 product", "状态 state", "余量 left", "自 since", "联系 contact")
TRIES: Final = 3
"""How often a chain is read from its beginning, when it changes while it is read."""


class Direction(StrEnum):
    """Back to every source, or forward to every holder."""

    BACKWARD = "backward"
    FORWARD = "forward"


class WalkUnlessNamed(TyperGroup):
    """`shilian trace BATCH` walks: what begins with no command's name is for `batch`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["batch", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=WalkUnlessNamed,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="追溯来源、追踪去向、分析链条。Trace goods: `shilian trace BATCH` walks, as `shilian trace batch BATCH` does.",
)

Depth = Annotated[int, typer.Option(min=1, max=100, help="最多层数。Steps to go at most.")]
Nodes = Annotated[int, typer.Option(min=1, max=20_000, help="最多节点数。Nodes to find at most.")]
AnyOrder = Annotated[
    bool,
    typer.Option("--any-order", help="不计时间先后。Follow goods out on days before they came, too."),
]
Batch = Annotated[str, typer.Argument(help="追溯码。Trace code of the batch.")]


@app.command("batch")
def batch_(
    batch: Annotated[str, typer.Argument(help="追溯码；或用 --document、--ear-tag。Trace code of the batch.")] = "",
    direction: Annotated[Direction, typer.Option(help="来源或去向。To sources or holders.")] = Direction.BACKWARD,
    format: ChainFormatOption = ChainFormat.TABLE,
    site: Annotated[str, typer.Option(help="只从该场所开始。Start at this holder of the goods only.")] = "",
    operator: Annotated[str, typer.Option(help="只从该主体的场所开始。Start at sites of this operator only.")] = "",
    document: Annotated[str, typer.Option(help="从单证号开始。Start at goods of this paper.")] = "",
    ear_tag: Annotated[str, typer.Option(help="从畜禽标识开始。Start at goods of this animal.")] = "",
    since: Since = None,
    until: Until = None,
    any_order: AnyOrder = False,
    max_depth: Depth = 50,
    max_nodes: Nodes = 10_000,
    page_size: Annotated[int, typer.Option(min=1, max=20_000, help="每次读取节点数。Nodes to read at a time.")] = 1_000,
    grpc_trace: where.GrpcTrace = None,
    token: where.Token = None,
) -> None:
    """追溯来源或追踪去向。Trace goods back to their sources or forward to their holders; all pages are read."""
    request = pb.TraceRequest(
        batch=batch,
        site_id=site,
        operator_id=operator,
        document_number=document,
        ear_tag=ear_tag,
        direction=pb.Direction.Value(f"DIRECTION_{direction.name}"),
        from_time=moment(since),
        until_time=moment(until),
        any_order=any_order,
        max_depth=max_depth,
        max_nodes=max_nodes,
        page_size=page_size,
    )
    start = batch or document or ear_tag
    with reported(), calling.channel(where.grpc_address(grpc_trace, "trace")) as channel:
        stub = trace_pb2_grpc.TraceServiceStub(channel)
        chain = chain_json(_whole(stub, request, calling.metadata(token)))
    if not chain["nodes"]:
        fail(f"没有记录 {start}: no record of it")
    CHAINS[format](chain | {"batch": start})


def _whole(stub: Any, request: pb.TraceRequest, metadata: calling.Metadata) -> pb.TraceResponse:
    """The chain of all pages; read anew when what was recorded about it changed meanwhile."""
    for _ in range(TRIES - 1):
        try:
            return _pages(stub, request, metadata)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.ABORTED:
                raise
            typer.echo("链条已有变化，重新读取 the chain changed, reading it anew", err=True)
    return _pages(stub, request, metadata)


def _pages(stub: Any, request: pb.TraceRequest, metadata: calling.Metadata) -> pb.TraceResponse:
    whole, asked = pb.TraceResponse(), pb.TraceRequest()
    asked.CopyFrom(request)
    while True:
        page = stub.Trace(asked, timeout=calling.TIMEOUT_S, metadata=metadata)
        asked.page_token = page.next_page_token
        page.ClearField("next_page_token")
        whole.MergeFrom(page)
        if not asked.page_token:
            return whole
        typer.echo(f"已读 {len(whole.nodes)}/{whole.total_nodes} 个节点 nodes read", err=True)


def holders(
    batch: Batch,
    format: FormatOption = Format.TABLE,
    grpc_trace: where.GrpcTrace = None,
    token: where.Token = None,
) -> None:
    """列出一个批次现在在谁手里。List the sites where goods made from a batch stand now, as far as records tell."""
    request = pb.ListHoldersRequest(batch=batch)
    with reported(), calling.channel(where.grpc_address(grpc_trace, "trace")) as channel:
        stub = trace_pb2_grpc.TraceServiceStub(channel)
        answer = stub.ListHolders(request, timeout=calling.TIMEOUT_S, metadata=calling.metadata(token))
    found = holders_json(batch, answer)
    if format is Format.JSON:
        print_json(found)
        return
    print_table(f"{batch} 的持有者 holders", HOLDER_HEADS, map(_holder_row, found["holders"]))
    print_gaps(found | {"nodes": found["holders"]})


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
