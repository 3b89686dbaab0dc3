"""An answer far beyond gRPC's usual 4 MB, from the chassis's server to the command line."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from shilian.trace.v1 import trace_pb2 as pb
from shilian.trace.v1 import trace_pb2_grpc
from typer.testing import CliRunner

from chassis.api.server import Service, running
from clients.cli.__main__ import app
from tests.integration.api_probe import make_token, settings
from tests.stack import Database

NODES = 20_000
"""As many as `trace --max-nodes` may ask for."""


class Wide(trace_pb2_grpc.TraceServiceServicer):
    """A chain of a batch that went everywhere."""

    async def Trace(self, request: pb.TraceRequest, context: Any) -> pb.TraceResponse:  # noqa: N802 - gRPC's name
        made = pb.TraceResponse(batch=request.batch, direction=request.direction, complete=True)
        for number in range(NODES):
            made.nodes.add(
                batch=f"370105-20260105-{number:010d}",
                site_id=f"licence:JY1370105{number:08d}",
                site_name="济南市槐荫区匡山农产品综合交易市场经营户" * 3,
                operator_id=f"uscc:9137010{number:011d}",
                division="370105",
                product="菠菜",
            )
        return made


@pytest.mark.asyncio
async def test_chain_of_20000_nodes_is_printed_whole(mongo: Database, tmp_path: Path) -> None:
    trace = Service(
        pb.DESCRIPTOR.services_by_name["TraceService"],
        trace_pb2_grpc.add_TraceServiceServicer_to_server,
        lambda own: Wide(),  # type: ignore[abstract]
    )
    words = ("trace", "B1", "--format", "json", "--max-nodes", str(NODES), "--token", make_token())
    async with running(settings(mongo.url, tmp_path), [trace], []) as api:
        address = f"127.0.0.1:{api.grpc_port}"
        answer = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--grpc-trace", address])
    assert answer.exit_code == 0, answer.stderr
    assert len(answer.stdout.encode()) > 8 << 20
    assert len(json.loads(answer.stdout)["nodes"]) == NODES
