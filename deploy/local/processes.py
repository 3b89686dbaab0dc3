"""Every process of Shilian, as one table: what `up` starts and `status` shows."""

import os
import sys
from dataclasses import dataclass
from typing import Literal

from deploy.local.home import ROOT, Home
from deploy.local.programs import Program


@dataclass(frozen=True)
class Process:
    """One process. `module` and `kind` are its command line: `python -m <module> <kind>`."""

    module: str
    kind: Literal["worker", "api"]
    database: str | None = None

    @property
    def name(self) -> str:
        """`registry.worker`, `adapters.market.worker`: what logs, metrics and the supervisor call it."""
        return f"{self.module.removeprefix('services.')}.{self.kind}"

    @property
    def service(self) -> str:
        """`registry`, `adapters.market`."""
        return self.module.removeprefix("services.")


PROCESSES = (
    Process("services.registry", "worker", database="registry"),
    Process("services.registry", "api", database="registry"),
    Process("services.trace", "worker", database="trace"),
    Process("services.trace", "api", database="trace"),
    Process("services.inspection", "worker", database="inspection"),
    Process("services.inspection", "api", database="inspection"),
    Process("services.reporting", "worker", database="reporting"),
    Process("services.reporting", "api", database="reporting"),
    Process("services.adapters.market", "worker"),
    Process("services.adapters.one_network", "worker"),
    Process("services.adapters.catering", "worker"),
    Process("services.adapters.docking", "worker"),
)


APIS = tuple(process for process in PROCESSES if process.kind == "api")


def http_url(home: Home, process: Process) -> str:
    """Where the process answers `/metrics`, `/live` and `/ready`."""
    return f"http://127.0.0.1:{home.port(process.name + '.http')}"


def grpc_address(home: Home, process: Process) -> str:
    """Where an api serves gRPC, as `host:port`."""
    return f"127.0.0.1:{home.port(process.name + '.grpc')}"


def environment(home: Home, process: Process, amqp_url: str, mongo_url: str | None) -> dict[str, str]:
    """The settings a process is given; an adapter has no database."""
    settings = {
        "SHILIAN_INSTANCE": process.name,
        "SHILIAN_AMQP_URL": amqp_url,
        "SHILIAN_JWT_PUBLIC_KEY_FILE": str(home.public_key),
        "SHILIAN_LOG_LEVEL": os.environ.get("SHILIAN_LOG_LEVEL", "INFO"),
        "SHILIAN_HTTP_PORT": str(home.port(process.name + ".http")),
        "PYTHONPATH": f"{ROOT}:{ROOT}/proto/gen",
        "PYTHONUNBUFFERED": "1",
    }
    if mongo_url:
        settings["SHILIAN_MONGO_URL"] = mongo_url
    if process.kind == "api":
        settings["SHILIAN_GRPC_PORT"] = str(home.port(process.name + ".grpc"))
        # Where the other apis serve: reporting copies from them, the rest ignores it.
        settings |= {f"SHILIAN_GRPC_{api.service.upper()}": grpc_address(home, api) for api in APIS}
    return settings


def program(process: Process, env: dict[str, str]) -> Program:
    """The process as the supervisor runs it."""
    return Program(process.name, (sys.executable, "-m", process.module, process.kind), env)
