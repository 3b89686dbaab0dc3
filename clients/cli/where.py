"""Where the platform is, and who we are: an option, else a SHILIAN_* variable, else the local stack."""

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import jwt
import typer

from clients.cli.failing import BAD_INPUT, fail

CHECKOUT: Final = Path(__file__).resolve().parents[2]
PROVINCE: Final = {"role": "regulator", "division": "370000"}
"""Whom commands act as on the local stack when no token is given."""
SYSTEM: Final = {"role": "system"}

AmqpUrl = Annotated[
    str | None, typer.Option("--amqp-url", envvar="SHILIAN_AMQP_URL", help="amqp://user:password@host:port/vhost")
]
GrpcTrace = Annotated[str | None, typer.Option("--grpc-trace", envvar="SHILIAN_GRPC_TRACE", help="host:port")]
GrpcRegistry = Annotated[str | None, typer.Option("--grpc-registry", envvar="SHILIAN_GRPC_REGISTRY", help="host:port")]
GrpcInspection = Annotated[
    str | None, typer.Option("--grpc-inspection", envvar="SHILIAN_GRPC_INSPECTION", help="host:port")
]
GrpcReporting = Annotated[
    str | None, typer.Option("--grpc-reporting", envvar="SHILIAN_GRPC_REPORTING", help="host:port")
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="SHILIAN_TOKEN", help="令牌；本地平台缺省为省级监管。Bearer token."),
]


def stack_directory() -> Path:
    """SHILIAN_STACK_DIR, else `.local/stack` of this checkout."""
    return Path(os.environ.get("SHILIAN_STACK_DIR") or CHECKOUT / ".local/stack")


def amqp_url(given: str | None, user: str) -> str:
    """Where that user of the broker connects: a source's name, or `shilian`."""
    if given and not given.startswith(("amqp://", "amqps://")):
        fail("地址有误 --amqp-url or SHILIAN_AMQP_URL: begins with amqp:// or amqps://", BAD_INPUT)
    return given or _of_stack("amqp", user, "--amqp-url or SHILIAN_AMQP_URL")


def grpc_address(given: str | None, service: str) -> str:
    """Where a service's api listens."""
    return given or _of_stack("grpc", service, f"--grpc-{service} or SHILIAN_GRPC_{service.upper()}")


def bearer(given: str | None, claims: Mapping[str, str] = PROVINCE) -> str:
    """The token given, else one of the local stack with these claims."""
    if given:
        return _readable(given.strip())
    if not _stack():
        fail("缺少令牌 no token: give --token or SHILIAN_TOKEN", BAD_INPUT)
    return mint(claims, timedelta(minutes=5))


def _readable(token: str) -> str:
    """A token as a header can carry it; what is none is often the message of the command that should have made it."""
    if not re.fullmatch(r"[\w.~+/=-]+", token, re.ASCII):
        fail(f"令牌不是 JWT：--token or SHILIAN_TOKEN is no bearer token: {token[:40]!r}", BAD_INPUT)
    return token


def mint(claims: Mapping[str, str], valid: timedelta) -> str:
    """A token signed with the local stack's private key (JWT, EdDSA)."""
    path = _stack().get("jwt_private_key")
    if not path:
        fail(f"令牌只能由本地平台签发 no local stack in {stack_directory()} to mint a token with", BAD_INPUT)
    expires = datetime.now(UTC) + valid
    return jwt.encode({"sub": "cli", **claims, "aud": "shilian", "exp": expires}, Path(path).read_text(), "EdDSA")


def _of_stack(kind: str, name: str, options: str) -> str:
    known: dict[str, str] = _stack().get(kind, {})
    if known and name not in known:
        fail(f"本地平台没有 {name}: not known to the local stack, which knows {', '.join(known)}", BAD_INPUT)
    return known.get(name) or fail(
        f"不知 {name} 的地址 no address: give {options}, or start the local stack with `make up`", BAD_INPUT
    )


def _stack() -> dict[str, Any]:
    """What a running stack says of itself; empty without one."""
    path = stack_directory() / "stack.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}
