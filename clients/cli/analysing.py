"""`shilian trace path|common|contamination|dishes`: what walks have in common."""

from collections.abc import Iterator
from typing import Annotated

import typer
from shilian.trace.v1 import analysis_pb2 as pb
from shilian.trace.v1 import trace_pb2

from clients.cli import where
from clients.cli.analysis_tables import SHOW_COMMON, SHOW_CONTAMINATION, SHOW_DISHES
from clients.cli.answers import Json
from clients.cli.asking import Caller, asks, call_as
from clients.cli.chain import path_json
from clients.cli.chain_printing import CHAINS, ChainFormat, ChainFormatOption
from clients.cli.failing import fail
from clients.cli.times import Since, Until, moment
from clients.cli.trace import AnyOrder, Batch, Depth, Nodes

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

End = Annotated[str, typer.Argument(help="追溯码，或 追溯码@场所编号。A batch, or batch@site.")]
Site = Annotated[str, typer.Option(help="只看该场所。At this holder of the batch only.")]


@app.command()
def path(
    start: End,
    end: End,
    format: ChainFormatOption = ChainFormat.TABLE,
    since: Since = None,
    until: Until = None,
    any_order: AnyOrder = False,
    max_depth: Depth = 50,
    max_nodes: Nodes = 10_000,
    grpc_trace: where.GrpcTrace = None,
    token: where.Token = None,
) -> None:
    """查两个批次之间的通路。Find everything on a way from one batch to another, and a shortest way."""
    request = pb.FindPathRequest(
        to=_node(end),
        bounds=_bounds(since, until, any_order, max_depth, max_nodes),
        # A word of Python's.
        **{"from": _node(start)},
    )
    answer = call_as(request, Caller(grpc_trace, token))
    if not answer.found:
        beyond = "" if answer.complete else "；链条有断点 the chain breaks off, a way may lie behind"
        fail(f"没有通路 no way from {start} to {end}{beyond}")
    found = path_json(f"{start} → {end}", answer)
    if format is ChainFormat.TABLE:
        typer.echo(f"最短通路 shortest: {' → '.join(_stages(found))}")
    CHAINS[format](found)


def _stages(found: Json) -> Iterator[str]:
    """Of a shortest way: site and batch, a site once while goods stay there."""
    names = {node["site"]: node["site_name"] or node["site"] for node in found["nodes"]}
    before = ""
    for node in found["shortest"]:
        site = names.get(node["site"], node["site"])
        yield node["batch"] if site == before else f"{site} {node['batch']}"
        before = site


@asks(app, "common", SHOW_COMMON)
def common(
    batches: Annotated[
        list[str], typer.Argument(help="两个以上批次：追溯码[@场所][=权重]。Two or more: batch[@site][=weight].")
    ],
    since: Since = None,
    until: Until = None,
    any_order: AnyOrder = False,
    max_depth: Depth = 50,
    max_nodes: Nodes = 10_000,
    max_suspects: Annotated[int, typer.Option(min=1, max=1_000, help="各列前几名。Suspects of each kind.")] = 50,
) -> pb.CommonSourcesRequest:
    """查多个批次的共同来源。Find where the chains of several batches meet, the most likely source first."""
    return pb.CommonSourcesRequest(
        cases=map(_case, batches),
        bounds=_bounds(since, until, any_order, max_depth, max_nodes),
        max_suspects=max_suspects,
    )


@asks(app, "contamination", SHOW_CONTAMINATION)
def contamination(
    batch: Batch,
    site: Site = "",
    since: Since = None,
    until: Until = None,
    any_order: AnyOrder = False,
    max_depth: Depth = 50,
    max_nodes: Nodes = 10_000,
    with_products: Annotated[
        bool, typer.Option("--with-products", help="用该批次制成的也算。What was made of it counts as it does.")
    ] = False,
) -> pb.CrossContaminationRequest:
    """查同线交叉污染：清场之前同线的其他批次及其去向。Find what a batch may have contaminated on its lines."""
    return pb.CrossContaminationRequest(
        batch=batch,
        site_id=site,
        bounds=_bounds(since, until, any_order, max_depth, max_nodes),
        with_products=with_products,
    )


@asks(app, "dishes", SHOW_DISHES)
def dishes(
    batch: Batch,
    site: Site = "",
    day: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="哪一天；缺省今天。Today without it.")] = "",
    any_order: AnyOrder = False,
    max_depth: Depth = 50,
    max_nodes: Nodes = 10_000,
) -> pb.ListDishesRequest:
    """查当日哪些菜品用到一个批次。List the dishes of a day that hold a batch."""
    return pb.ListDishesRequest(
        batch=batch, site_id=site, day=day, any_order=any_order, max_depth=max_depth, max_nodes=max_nodes
    )


def _bounds(since: Since, until: Until, any_order: bool, max_depth: int, max_nodes: int) -> pb.Bounds:
    return pb.Bounds(
        max_depth=max_depth,
        max_nodes=max_nodes,
        from_time=moment(since),
        until_time=moment(until),
        any_order=any_order,
    )


def _node(words: str) -> trace_pb2.NodeRef:
    """`batch@site`, or a batch wherever it is."""
    batch, _, site = words.partition("@")
    return trace_pb2.NodeRef(batch=batch, site_id=site)


def _case(words: str) -> pb.Case:
    """`batch@site=weight`; site and weight may be left out."""
    named, _, weight = words.partition("=")
    node = _node(named)
    return pb.Case(batch=node.batch, site_id=node.site_id, weight=weight)
