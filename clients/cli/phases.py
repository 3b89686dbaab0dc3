"""`shilian roster phases|set-phase`: what must be done by when, where and by whom (S4's phases, the 10+3)."""

from typing import Annotated

import typer
from shilian.registry.v1 import registry_pb2 as pb

from clients.cli.answers import Json, listing
from clients.cli.asking import Reason, asks, one_of, value, words
from clients.cli.words import CATEGORIES, UNIT_KINDS, zh
from contracts import divisions

app = typer.Typer()

HEADS = ("阶段 phase", "名称 name", "起 starts", "止 ends", "区划 divisions", "任务 duties", "品类 categories",
         "单位 unit kinds", "依据 clause", "版本 version")  # fmt: skip
DUTIES = ["register", "activate"]


def _row(phase: Json) -> tuple[str, ...]:
    return (
        phase["phase_id"],
        phase["name"],
        phase["starts_on"],
        phase["ends_on"],
        "\n".join(map(divisions.path, phase["divisions"])),
        "、".join(phase["duties"]),
        "、".join(zh(CATEGORIES, word) for word in phase["categories"]),
        "、".join(zh(UNIT_KINDS, word) for word in phase["unit_kinds"]),
        phase["clause"],
        str(phase["version"]),
    )


@asks(app, "phases", listing("phases", "阶段 phases", HEADS, _row))
def phases() -> pb.ListPhasesRequest:
    """列出阶段与 10+3 责任。List the phases and what must be traced by them."""
    return pb.ListPhasesRequest()


@asks(app, "set-phase", listing("phase", "阶段 phase", HEADS, _row))
def set_phase(
    phase: Annotated[str, typer.Argument(help="阶段编号。Id of the phase.")],
    name: Annotated[str, typer.Option(help="名称。Its name.")],
    starts: Annotated[str, typer.Option(help="首日 YYYY-MM-DD。First day.")],
    reason: Reason,
    ends: Annotated[str, typer.Option(help="末日；空则长期。Last day; it lasts without one.")] = "",
    divisions: Annotated[
        list[str] | None, typer.Option("--division", help="区划代码，可多个；空则全部。Everywhere without it.")
    ] = None,
    duties: Annotated[
        list[str] | None, typer.Option("--duty", **words(DUTIES), help="到期须完成。Due by its end.")
    ] = None,
    categories: Annotated[
        list[str] | None, typer.Option("--category", **one_of(pb.Category), help="须追溯的品类。To be traced.")
    ] = None,
    unit_kinds: Annotated[
        list[str] | None, typer.Option("--unit-kind", **one_of(pb.UnitKind), help="须全部追溯的单位。Owe all of these.")
    ] = None,
    clause: Annotated[str, typer.Option(help="文件与条款。Document and clause.")] = "",
    version: Annotated[int, typer.Option(min=0, help="所见版本;0 为不限。The version that was looked at.")] = 0,
) -> pb.SetPhaseRequest:
    """新增或替换一个阶段；由此多承担或少承担的场所会收到通告。Set a phase; who owes more or less is announced."""
    new = pb.Phase(
        phase_id=phase,
        name=name,
        starts_on=starts,
        ends_on=ends,
        divisions=divisions,
        duties=duties,
        categories=[value(pb.Category, word) for word in categories or ()],
        unit_kinds=[value(pb.UnitKind, word) for word in unit_kinds or ()],
        clause=clause,
        version=version,
    )
    return pb.SetPhaseRequest(phase=new, reason=reason)
