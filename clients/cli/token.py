"""`shilian token`: who one is, on the local stack."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from clients.cli import where
from clients.cli.failing import BAD_INPUT, fail
from clients.cli.printing import Format, FormatOption, print_json
from contracts import divisions


class Role(StrEnum):
    """Who may call (shilian.access.v1.Role)."""

    REGULATOR = "regulator"
    OPERATOR = "operator"
    SYSTEM = "system"
    LABORATORY = "laboratory"
    VENDOR = "vendor"
    OVERSEER = "overseer"


def token(
    role: Annotated[Role, typer.Option(help="角色。Whose token.")],
    division: Annotated[
        str, typer.Option(help="监管人员的区划代码。GB/T 2260 code of a regulator's or overseer's division.")
    ] = "",
    operator: Annotated[str, typer.Option(help="主体编号。Operator id, for an operator's token.")] = "",
    subject: Annotated[str, typer.Option(help="持有人。Who it is: an officer's id, for example.")] = "",
    hours: Annotated[
        float, typer.Option(help="有效小时数；负数为已过期。How long it is valid; negative for an expired one.")
    ] = 12,
    format: FormatOption = Format.TABLE,
) -> None:
    """用本地平台的私钥签发令牌。Mint a bearer token with the local stack's private key."""
    problem = _problem(role, division, operator)
    if problem:
        fail(problem, BAD_INPUT)
    named = {"role": role.value, "division": division, "operator_id": operator, "sub": subject}
    claims = {name: value for name, value in named.items() if value}
    minted = where.mint(claims, timedelta(hours=hours))
    if format is Format.JSON:
        print_json({"token": minted, **claims})
    else:
        typer.echo(minted)


def _problem(role: Role, division: str, operator: str) -> str | None:
    if role in (Role.REGULATOR, Role.OVERSEER) and not division:
        return f"--division: a {role} answers for a division"
    if role is Role.OPERATOR and not operator:
        return "--operator: an operator's token names the operator"
    if division and not divisions.known(division):
        return f"--division {division}: no division of GB/T 2260"
    return None
