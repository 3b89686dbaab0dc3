"""`shilian verify`: whether events are as they were sealed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn
from shilian.trace.v1 import evidence_pb2 as pb

from clients.cli import calling, where
from clients.cli.answers import Json, as_json
from clients.cli.asking import call
from clients.cli.failing import BAD_INPUT, fail, reported
from clients.cli.printing import Format, FormatOption, print_json, print_table
from clients.cli.words import FAULTS, zh

PAGE: Final = 200
HEADS = ("区块 block", "问题 fault", "事件数 events")

AnchorFile = Annotated[
    Path | None,
    typer.Option(
        "--anchor",
        dir_okay=False,
        help="锚点文件：先与上次记下的链头核对，无误再记下现在的，请保存在平台之外。Heads of lanes, compared and kept.",
    ),
]


def verify(
    anchor: AnchorFile = None,
    lane: Annotated[str, typer.Option(help="只核对这条链。One lane only.")] = "",
    first: Annotated[
        int, typer.Option("--from", min=0, help="与 --lane 合用：自此区块。With a lane: from this block.")
    ] = 0,
    last: Annotated[
        int, typer.Option("--until", min=0, help="与 --lane 合用：至此区块。With a lane: up to this block.")
    ] = 0,
    format: FormatOption = Format.TABLE,
    grpc_trace: where.GrpcTrace = None,
    token: where.Token = None,
) -> None:
    """核对追溯记录未被改动、删除或插入；有问题时退出码为 1。Verify that no event was changed, removed or inserted."""
    with reported():
        known, noted = _noted(anchor)
        request = pb.VerifyBlocksRequest(page_size=PAGE, lane=lane, from_number=first, until_number=last, anchors=noted)
        found = _summed(_shown(_pages(request, where.grpc_address(grpc_trace, "trace"), calling.metadata(token))))
    _tell(found, format)
    if found["problems"]:
        fail(f"核对不符 {len(found['problems'])} 处 problems")
    if lane and not found["blocks"]:
        fail(
            f"没有核对任何区块：链 {lane} 上没有这些区块 nothing was verified: lane {lane} has no such blocks",
            BAD_INPUT,
        )
    if anchor:
        with reported():
            anchor.write_text(json.dumps(known | found["heads"], indent=2) + "\n")
        typer.echo(f"链头已记入 heads noted in {anchor}", err=True)


def _noted(anchor: Path | None) -> tuple[dict[str, Json], list[pb.Anchor]]:
    """Heads by lane, `{"1": {"number": 7, "hash": "…"}}`, and as they are asked for; ValueError for another file."""
    try:
        known = dict(json.loads(anchor.read_text())) if anchor and anchor.exists() else {}
        return known, [pb.Anchor(lane=name, **head) for name, head in known.items()]
    except (ValueError, TypeError) as error:
        raise ValueError(f"不是锚点文件 --anchor {anchor}: holds no heads of lanes: {error}") from error


def _pages(request: pb.VerifyBlocksRequest, address: str, metadata: calling.Metadata) -> Iterator[Json]:
    with calling.channel(address) as channel:
        while True:
            page = call(channel, request, metadata)
            yield as_json(page)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _shown(pages: Iterator[Json]) -> Iterator[Json]:
    blocks = events = 0
    with Progress(TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("核对 verifying")
        for page in pages:
            blocks, events = blocks + page["blocks"], events + page["events"]
            progress.update(task, description=f"核对 verifying: {blocks} 个区块 blocks, {events} 条记录 events")
            yield page


def _summed(pages: Iterator[Json]) -> Json:
    found: Json = {"lanes": 0, "blocks": 0, "events": 0, "problems": [], "heads": {}}
    for page in pages:
        found["blocks"] += page["blocks"]
        found["events"] += page["events"]
        found["problems"] += page["problems"]
        if head := page.get("head"):
            found["heads"][head["lane"]] = {"number": head["number"], "hash": head["hash"]}
    return found | {"lanes": len(found["heads"])}


def _tell(found: Json, format: Format) -> None:
    if format is Format.JSON:
        print_json(found)
        return
    if found["problems"]:
        print_table("不符 problems", HEADS, map(_row, found["problems"]))
    counts = f"链 lanes {found['lanes']} · 区块 blocks {found['blocks']} · 记录 events {found['events']}"
    unchanged = " · 未发现改动 unchanged" if found["blocks"] and not found["problems"] else ""
    typer.echo(counts + unchanged)


def _row(problem: Mapping[str, str]) -> tuple[str, ...]:
    return (problem["block"], zh(FAULTS, problem["fault"]), str(problem["events"] or ""))
