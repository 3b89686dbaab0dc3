"""What a regulator and the senders ask after the month, through the command line as anybody would."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from shilian.trace.v1 import trace_pb2, trace_pb2_grpc
from typer.testing import CliRunner

from clients.cli import calling
from clients.cli.__main__ import app

Json = dict[str, Any]


class Shilian:
    """The `shilian` command, against the stack in a directory; in this process, for a start takes a second."""

    def __init__(self, stack: Path) -> None:
        others = dict.fromkeys((name for name in os.environ if name.startswith("SHILIAN_")), None)
        self._environment: dict[str, str | None] = {**others, "SHILIAN_STACK_DIR": str(stack)}

    def ask(self, *arguments: str) -> str:
        """What the command prints. Raises RuntimeError, with what it says, when it fails."""
        done = CliRunner().invoke(app, arguments, env=self._environment)
        if done.exit_code:
            raise RuntimeError(f"shilian {' '.join(arguments)}: {done.stderr.strip() or done.exception!r}")
        return done.stdout

    def ask_json(self, *arguments: str) -> Any:
        """The same with `--format json`."""
        return json.loads(self.ask(*arguments, "--format", "json"))


class Answer(NamedTuple):
    """A chain as `shilian trace` gives it, its picture, and the table people read."""

    chain: Json
    picture: Path
    table: str

    def summary(self) -> Json:
        """What `summary.json` keeps of it."""
        return {
            "batch": self.chain["batch"],
            "direction": self.chain["direction"],
            "nodes": len(self.chain["nodes"]),
            "events": len(self.chain["events"]),
            "sites": len({node["site"] for node in self.chain["nodes"]}),
            "begins_at": self.beginnings(),
            "complete": self.chain["complete"],
            "picture": self.picture.name,
        }

    def beginnings(self) -> list[str]:
        """Names of the sites where the chain begins: nothing in it leads to them."""
        reached = {(edge["to"]["batch"], edge["to"]["site"]) for edge in self.chain["edges"]}
        return sorted(
            {node["site_name"] for node in self.chain["nodes"] if (node["batch"], node["site"]) not in reached}
        )


def trace(shilian: Shilian, batch: str, direction: str, picture: Path) -> Answer:
    """Asks for a chain and writes its picture."""
    arguments = ("trace", batch, "--direction", direction)
    picture.write_text(shilian.ask(*arguments, "--format", "svg"), encoding="utf-8")
    return Answer(shilian.ask_json(*arguments), picture, shilian.ask(*arguments))


def flag_counts(address: str, token: str) -> dict[str, int]:
    """Events by flag, as trace counts them for the province; most first."""
    request = trace_pb2.CountFlagsRequest()
    with calling.channel(address) as channel:
        stub = trace_pb2_grpc.TraceServiceStub(channel)
        answer = stub.CountFlags(request, timeout=calling.TIMEOUT_S, metadata=calling.metadata(token))
    return {row.rule: row.events for row in sorted(answer.counts, key=lambda row: -row.events)}


def some_answers(egress: list[Json]) -> list[Json]:
    """One verdict of each outcome, one with a flag and one proposed receipt, of what a source was answered."""
    verdicts = [verdict for answer in egress for verdict in answer["data"].get("verdicts", ())]
    kinds = {(verdict["outcome"], bool(verdict.get("flags"))): verdict for verdict in verdicts}
    proposed = [answer["data"] for answer in egress if answer["type"].startswith("egress.receipt_proposed")]
    return [*kinds.values(), *proposed[:1]]
