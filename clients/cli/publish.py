"""`shilian publish`: a source's data from a file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from shilian_publisher import Event, Publisher
from shilian_publisher.rows import read_events

from clients.cli import where
from clients.cli.failing import fail, reported
from clients.cli.printing import Format, FormatOption, print_json

Source = Annotated[str, typer.Argument(help="来源：market, one_network, catering or docking.<system>")]
File = Annotated[
    Path,
    typer.Argument(
        help="每行一个 JSON；或 csv 加 --type。JSON lines, or .csv with --type", exists=True, dir_okay=False
    ),
]
Type = Annotated[str | None, typer.Option("--type", help="各行的报文类型。Type of all rows: market.sale_ticket.v1, …")]


def publish(
    source: Source,
    file: File,
    type: Type = None,
    spool: Annotated[
        Path | None, typer.Option(help="未确认报文的本地缓存。Journal of what is not confirmed yet.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="最多等几秒。Seconds to wait for the last confirm.")] = 60,
    format: FormatOption = Format.TABLE,
    amqp_url: where.AmqpUrl = None,
) -> None:
    """上报文件中的记录，等消息服务器逐条确认。Publish a source's events from a file, and wait for the confirms."""
    with reported():
        events = list(read_events(file, type, source))
        publisher = Publisher(where.amqp_url(amqp_url, source), source, spool or _spool(source))
        try:
            publisher.send_all(_shown(events))
            remaining, unroutable, trouble = publisher.flush(timeout), publisher.unroutable(), publisher.trouble
        finally:
            publisher.close(timeout=0)
    _tell(format, len(events), remaining, len(unroutable))
    if remaining or unroutable:
        fail(unroutable[0].reason if unroutable else f"{trouble or 'no confirm in time'}; sent with the next publish")


def _shown(events: Iterable[Event]) -> Iterator[Event]:
    yield from track(list(events), "上报 publishing", console=Console(stderr=True), transient=True)


def _tell(format: Format, published: int, remaining: int, unroutable: int) -> None:
    if format is Format.JSON:
        print_json({"published": published, "remaining": remaining, "unroutable": unroutable})
    else:
        typer.echo(f"上报 published {published} · 未送达 remaining {remaining} · 无队列 unroutable {unroutable}")


def _spool(source: str) -> Path:
    """Beside the local stack's data, one for each source."""
    folder = where.stack_directory() / "spool"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{source}.db"
