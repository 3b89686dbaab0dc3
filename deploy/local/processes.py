"""Every process of Shilian, as one table: what `up` starts and `status` shows."""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import jwt

from deploy.local.home import ROOT, Home
from deploy.local.programs import Program


@dataclass(frozen=True)
class Process:
    """One process. `module` and `kind` are its command line: `python -m <module> <kind>`."""

    module: str
    kind: Literal["worker", "api", "web"]
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
    Process("services.notify", "worker", database="notify"),
    Process("services.notify", "api", database="notify"),
    Process("services.notify", "web"),
    Process("services.reporting", "worker", database="reporting"),
    Process("services.reporting", "api", database="reporting"),
    Process("services.adapters.market", "worker"),
    Process("services.adapters.one_network", "worker"),
    Process("services.adapters.catering", "worker"),
    Process("services.adapters.docking", "worker"),
)

SIMULATOR = Process("deploy.simulator", "web")
"""The providers of notices, on this machine: nothing that notify sends leaves the local stack."""

LOCAL = (*PROCESSES, SIMULATOR)
"""What a local stack runs."""

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
    if process.service in ("notify", "deploy.simulator"):
        settings |= notices(home, process)
    return settings


def notices(home: Home, process: Process) -> dict[str, str]:
    """The settings that tie notify to the simulated providers, and those to its callbacks."""
    known = ("SMS_KEY_ID", "SMS_KEY_SECRET", "SMS_CALLBACK_SECRET", "WECHAT_SECRET", "WECHAT_CALLBACK_TOKEN")
    simulated = {f"SHILIAN_{name}": "simulated" for name in known}
    addresses = {f"SHILIAN_{name}_URL": http_url(home, SIMULATOR) for name in ("SMS", "WECHAT", "WECOM")}
    accounts = {"SHILIAN_WECHAT_APP_ID": "wx-simulated", "SHILIAN_WECHAT_TEMPLATE": "simulated"}
    if process == SIMULATOR:
        called = http_url(home, Process("services.notify", "web"))
        port = str(home.port(process.name + ".http"))
        return {"SHILIAN_SIMULATOR_PORT": port, "SHILIAN_SIMULATOR_CALLBACK_URL": called}
    if process.kind == "web":
        api = grpc_address(home, Process("services.notify", "api", database="notify"))
        return simulated | {"SHILIAN_GRPC_NOTIFY": api, "SHILIAN_API_TOKEN": system_token(home)}
    return simulated | addresses | accounts


def system_token(home: Home) -> str:
    """The token that notify's `web` calls its api with, for as long as the stack's key lives."""
    claims = {"sub": "notify.web", "role": "system", "aud": "shilian", "exp": datetime(2100, 1, 1, tzinfo=UTC)}
    return jwt.encode(claims, home.private_key.read_bytes(), "EdDSA")


def program(process: Process, env: dict[str, str]) -> Program:
    """The process as the supervisor runs it."""
    return Program(process.name, (sys.executable, "-m", process.module, process.kind), env)
