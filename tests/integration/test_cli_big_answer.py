"""A chain of many pages, each far beyond gRPC's usual 4 MB, from the chassis's server to the command line."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from shilian.trace.v1 import trace_pb2 as pb
from shilian.trace.v1 import trace_pb2_grpc
from typer.testing import CliRunner, Result

from chassis.api.errors import Aborted
from chassis.api.server import Service, running
from clients.cli.__main__ import app
from tests.integration.api_probe import make_token, settings
from tests.stack import Database

NODES = 20_000
"""As many as `trace --max-nodes` may ask for."""


class Wide(trace_pb2_grpc.TraceServiceServicer):
    """A chain of a batch that went everywhere; `changes` as often while it is read."""

    def __init__(self, changes: int = 0) -> None:
        self.changes = changes

    async def Trace(self, request: pb.TraceRequest, context: Any) -> pb.TraceResponse:  # noqa: N802 - gRPC's name
        first = int(request.page_token or 0)
        if first and self.changes:
            self.changes -= 1
            raise Aborted("chain_changed", "the chain changed")
        after = first + request.page_size
        made = pb.TraceResponse(batch=request.batch, direction=request.direction, complete=True, total_nodes=NODES)
        made.next_page_token = str(after) if after < NODES else ""
        for number in range(first, min(after, NODES)):
            made.nodes.add(
                batch=f"370105-20260105-{number:010d}",
                site_id=f"licence:JY1370105{number:08d}",
                site_name="济南市槐荫区匡山农产品综合交易市场经营户" * 3,
                operator_id=f"uscc:9137010{number:011d}",
                division="370105",
                product="菠菜",
            )
        return made


async def traced(mongo: Database, tmp_path: Path, changes: int, *options: str) -> Result:
    wide = Wide(changes)  # type: ignore[abstract]
    trace = Service(
        pb.DESCRIPTOR.services_by_name["TraceService"],
        trace_pb2_grpc.add_TraceServiceServicer_to_server,
        lambda own: wide,
    )
    words = ("trace", "B1", "--format", "json", "--max-nodes", str(NODES), "--token", make_token(), *options)
    async with running(settings(mongo.url, tmp_path), [trace], []) as api:
        address = f"127.0.0.1:{api.grpc_port}"
        return await asyncio.to_thread(CliRunner().invoke, app, [*words, "--grpc-trace", address])


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [NODES, 7_000])
async def test_chain_of_20000_nodes_is_printed_whole(mongo: Database, tmp_path: Path, size: int) -> None:
    answer = await traced(mongo, tmp_path, 0, "--page-size", str(size))
    assert answer.exit_code == 0, answer.stderr
    assert len(answer.stdout.encode()) > 8 << 20
    assert len({node["site"] for node in json.loads(answer.stdout)["nodes"]}) == NODES
    assert (f"{size}/{NODES}" in answer.stderr) is (size < NODES)


@pytest.mark.asyncio
async def test_chain_that_changes_while_it_is_read_is_read_anew(mongo: Database, tmp_path: Path) -> None:
    answer = await traced(mongo, tmp_path, 2, "--page-size", "10000")
    assert len(json.loads(answer.stdout)["nodes"]) == NODES
    assert answer.stderr.count("reading it anew") == 2


@pytest.mark.asyncio
async def test_chain_that_never_holds_still_is_a_failure(mongo: Database, tmp_path: Path) -> None:
    answer = await traced(mongo, tmp_path, 99, "--page-size", "10000")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "chain_changed" in answer.stderr
