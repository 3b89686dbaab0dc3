"""A chain in Graphviz's language: `shilian trace BATCH --format dot | dot -Tpdf -o chain.pdf`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from clients.cli import handovers
from clients.cli.printing import local_time
from clients.cli.sketch import leads_on
from clients.cli.words import GAPS, zh
from contracts import divisions

Json = dict[str, Any]

HEAD = (
    "  rankdir=LR;",
    '  node [shape=box, style="rounded", fontname="Noto Sans CJK SC"];',
    '  edge [fontname="Noto Sans CJK SC", fontsize=10];',
)


def draw(chain: Json) -> str:
    """A digraph of a chain as `chain.chain_json` gives it; goods flow from left to right, all events of an edge at it.

    A gap is a dashed red node. Every name is a quoted string, the only kind that takes any text.
    """
    lines = (
        f"digraph {quoted(chain['batch'])} {{",
        *HEAD,
        *map(_node, chain["nodes"]),
        *_edges(chain["edges"]),
        *(line for n, gap in enumerate(chain["gaps"]) for line in _gap(n, gap, chain["direction"])),
        "}",
    )
    return "\n".join(lines)


def quoted(text: str) -> str:
    """A string of the DOT language: a quotation mark and a backslash are escaped, a line break is `\\n`."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n") + '"'


def _node(node: Json) -> str:
    where = divisions.name(node["division"]) or ("省外" if node["external"] else "")
    words = (node["site_name"] or node["site"] or "未登记场所", " · ".join(filter(None, (node["product"], where))))
    style = ', style="rounded,dashed"' if node["external"] or not node["site"] else ""
    label = "\n".join(filter(None, (*words, node["batch"])))
    return f"  {quoted(_id(node))} [label={quoted(label)}{style}];"


def _edges(edges: Iterable[Json]) -> Iterator[str]:
    between: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for edge in sorted(edges, key=lambda edge: str(edge["time"])):
        between[_id(edge["from"]), _id(edge["to"])].append(edge)
    for (tail, head), events in between.items():
        words = (handovers.steps(events), handovers.goods(events), local_time(events[-1]["time"]))
        label = "\n".join(filter(None, words))
        yield f"  {quoted(tail)} -> {quoted(head)} [label={quoted(label)}];"


def _gap(number: int, gap: Json, direction: str) -> Iterator[str]:
    known, unknown = quoted(_id(gap["node"])), quoted(f"gap {number}")
    ends = (known, unknown) if leads_on(gap["kind"], direction) else (unknown, known)
    red = 'style="dashed", color="red"'
    yield f'  {unknown} [label={quoted(zh(GAPS, gap["kind"]) + "？")}, {red}, fontcolor="red"];'
    yield f"  {ends[0]} -> {ends[1]} [{red}];"


def _id(ref: Json) -> str:
    return f"{ref['batch']}@{ref['site']}"
