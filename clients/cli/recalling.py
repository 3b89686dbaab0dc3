"""`shilian stock` and `shilian recall`: what stands where, and how it is brought back."""

from datetime import datetime
from typing import Annotated

import typer
from shilian.inspection.v1 import inspection_pb2
from shilian.trace.v1 import recall_pb2 as pb

from clients.cli import recall_picture
from clients.cli.asking import Division, asks
from clients.cli.recall_tables import (
    SHOW_CLOSED,
    SHOW_FROZEN,
    SHOW_OPENED,
    SHOW_PROGRESS,
    SHOW_RECALLS,
    SHOW_SIMULATED,
)
from clients.cli.times import FORMATS, moment

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="召回。Recalls: simulate, open, follow, close.")

Batches = Annotated[list[str] | None, typer.Argument(help="追溯码，一个或多个。Trace codes of the batches.")]
Document = Annotated[str, typer.Option("--document", help="或按单号：其全部批次。Or all that a paper names.")]
Recall = Annotated[str, typer.Argument(help="召回编号。Recall id.")]
At = Annotated[
    datetime | None, typer.Option("--at", formats=FORMATS, help="某时的库存(上海时间)；缺省为现在。As of then.")
]


def stock(
    operator: Annotated[str, typer.Option(help="主体编号。Of an operator's sites …")] = "",
    site: Annotated[str, typer.Option(help="场所编号。… or of a site …")] = "",
    batch: Annotated[str, typer.Option(help="追溯码。… or of a batch.")] = "",
    at: At = None,
) -> pb.StockRequest:
    """查库存：由追溯记录推算。What stands where, derived from records, the last moved first."""
    if not (operator or site or batch):
        raise typer.BadParameter("给出 --operator、--site 或 --batch 之一 name an operator, a site or a batch")
    return pb.StockRequest(operator_id=operator, site_id=site, batch=batch, at_time=moment(at))


def _named(batches: list[str] | None, document: str) -> None:
    if not (batches or document):
        raise typer.BadParameter("给出追溯码，或 --document 单号 name batches, or a paper")


@asks(app, "simulate", SHOW_SIMULATED, recall_picture.draw)
def simulate(
    batches: Batches = None,
    document: Document = "",
    max_nodes: Annotated[int, typer.Option(min=1, max=20_000, help="节点上限。Nodes to find at most.")] = 20_000,
) -> pb.SimulateRecallRequest:
    """模拟召回：货在哪里、占多少、该通知谁。Where the goods are, how much that covers, whom to notify."""
    _named(batches, document)
    return pb.SimulateRecallRequest(batches=batches, document_number=document, max_nodes=max_nodes)


@asks(app, "open", SHOW_OPENED)
def open_recall(
    batches: Batches = None,
    document: Document = "",
    *,
    reason: Annotated[str, typer.Option(help="召回原因。Why.")],
    recall_class: Annotated[int, typer.Option("--class", min=1, max=3, help="级别，1 最急。1 is the most urgent.")] = 1,
    issuer: Annotated[str, typer.Option(help="发布单位。Who orders it, as people are told.")] = "",
    known: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="获知风险的时间(上海时间)。When the risk became known.")
    ] = None,
) -> pb.OpenRecallRequest:
    """启动召回：冻结模拟并通知各方。Freeze a simulation and tell everybody who has to know."""
    _named(batches, document)
    return pb.OpenRecallRequest(
        batches=batches,
        document_number=document,
        reason=reason,
        recall_class=recall_class,
        issuer=issuer,
        known_time=moment(known),
    )


@asks(app, "get", SHOW_FROZEN, recall_picture.draw)
def get(
    recall: Recall,
    version: Annotated[int, typer.Option(min=0, help="版本；缺省为最后一版。The last one by default.")] = 0,
) -> pb.GetRecallRequest:
    """查看召回及其冻结的模拟。Show a recall, its versions and the simulation frozen with one."""
    return pb.GetRecallRequest(recall_id=recall, version=version)


@asks(app, "list", SHOW_RECALLS)
def list_recalls(
    division: Division = "",
    batch: Annotated[str, typer.Option(help="召回的批次。Of this batch.")] = "",
    open: Annotated[bool | None, typer.Option("--open/--closed", help="只看进行中或已结束。Both without it.")] = None,
) -> pb.ListRecallsRequest:
    """列出召回，新的在前。List recalls that touch one's own scope, newest first."""
    return pb.ListRecallsRequest(division=division, batch=batch, open=open)


@asks(app, "progress", SHOW_PROGRESS)
def progress(recall: Recall, division: Division = "") -> inspection_pb2.GetRecallProgressRequest:
    """查看召回核查进度。How far the sites of a recall are confirmed, by station."""
    return inspection_pb2.GetRecallProgressRequest(recall_id=recall, division=division)


@asks(app, "close", SHOW_CLOSED)
def close(recall: Recall, reason: Annotated[str, typer.Option(help="结束理由。Why.")] = "") -> pb.CloseRecallRequest:
    """结束召回。End a recall: late records no longer change it."""
    return pb.CloseRecallRequest(recall_id=recall, reason=reason)
