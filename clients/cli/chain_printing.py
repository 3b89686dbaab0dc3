"""How a chain is printed: as a table, JSON, a picture, or in Graphviz's language."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Final

import typer

from clients.cli import dot, picture, tree
from clients.cli.chain import Json
from clients.cli.printing import print_json, print_table


class ChainFormat(StrEnum):
    """What is printed."""

    TABLE = "table"
    JSON = "json"
    SVG = "svg"
    DOT = "dot"


ChainFormatOption = Annotated[ChainFormat, typer.Option("--format", help="输出方式。How to print.")]


def print_chain(chain: Json) -> None:
    """The chain as a tree, and where it breaks off."""
    way = "追溯来源 backward" if chain["direction"] == "backward" else "追踪去向 forward"
    events, nodes = len(chain["events"]), len(chain["nodes"])
    print_table(f"{chain['batch']} {way}：{nodes} 个节点，{events} 个事件", tree.HEADS, tree.rows(chain))
    print_gaps(chain)


def print_gaps(chain: Json) -> None:
    """Where a chain breaks off, or that it is complete."""
    if chain["gaps"]:
        print_table("断点 gaps", ("原因 kind", "场所 site", "批次 batch", "事件 event"), tree.gap_rows(chain))
    else:
        typer.echo("链条完整 complete" if chain["complete"] else "链条不完整 incomplete")


def _print_svg(chain: Json) -> None:
    typer.echo(picture.draw(chain))


def _print_dot(chain: Json) -> None:
    typer.echo(dot.draw(chain))


CHAINS: Final[Mapping[ChainFormat, Callable[[Json], None]]] = {
    ChainFormat.TABLE: print_chain,
    ChainFormat.JSON: print_json,
    ChainFormat.SVG: _print_svg,
    ChainFormat.DOT: _print_dot,
}
