"""A chain in Graphviz's language, read by the grammar of that language."""

import re
from typing import Any, NamedTuple

import pytest

from clients.cli.dot import draw, quoted
from tests.unit.test_svg import chain, edge, node

Json = dict[str, Any]

TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z_0-9]*|-?\d+(?:\.\d+)?)|(?P<mark>->|[{}\[\];=,]))'
)


class Graph(NamedTuple):
    """What a parser of DOT makes of it: attributes by node, and by edge."""

    name: str
    nodes: dict[str, dict[str, str]]
    edges: list[tuple[str, str, dict[str, str]]]


def parsed(text: str) -> Graph:
    """By graphviz.org/doc/info/lang.html, as far as a digraph without subgraphs and ports goes."""
    words = tokens(text)
    assert words.pop(0) == "digraph"
    graph = Graph(words.pop(0), {}, [])
    assert words.pop(0) == "{"
    while words[0] != "}":
        statement(words, graph)
        assert words.pop(0) == ";"
    assert words == ["}"]
    return graph


def tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        assert match, text[at : at + 40]
        word = match.group("string")
        found.append(unescaped(word) if word else match.group("word") or match.group("mark"))
        at = match.end()
    return found


def unescaped(string: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), string[1:-1])


def statement(words: list[str], graph: Graph) -> None:
    first = words.pop(0)
    if words[0] == "=":
        words[:2] = []
    elif words[0] == "->":
        words.pop(0)
        graph.edges.append((first, words.pop(0), attributes(words)))
    elif first in ("node", "edge"):
        attributes(words)
    else:
        graph.nodes[first] = attributes(words)


def attributes(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    assert words.pop(0) == "["
    while words[0] != "]":
        name, equals, value = words[:3]
        assert equals == "="
        found[name] = value
        del words[:3]
        if words[0] == ",":
            words.pop(0)
    words.pop(0)
    return found


FARM, SHOP = node("B", "farm"), node("B", "shop")


def test_nodes_are_told_by_name_and_goods_and_an_edge_by_its_steps() -> None:
    steps = [edge(FARM, SHOP), edge(FARM, SHOP, "receiving", "2026-03-02T01:00:00Z")]
    graph = parsed(draw(chain([FARM, SHOP], steps)))
    assert graph.name == "B"
    assert graph.nodes["B@farm"]["label"] == "farm号店\n菠菜 · 历下区\nB"
    assert [(tail, head) for tail, head, _ in graph.edges] == [("B@farm", "B@shop")]
    assert graph.edges[0][2]["label"] == "发货→收货\n12.5 kg\n2026-03-02 09:00"


@pytest.mark.parametrize(
    ("kind", "direction", "ends"),
    [
        ("unknown_source", "forward", (0, 1)),
        ("unknown_destination", "backward", (1, 0)),
        ("size_limit", "backward", (0, 1)),
        ("time_limit", "forward", (1, 0)),
    ],
)
def test_gap_is_a_node_of_its_own_on_its_side(kind: str, direction: str, ends: tuple[int, int]) -> None:
    gap = {"node": {"batch": "B", "site": "farm"}, "kind": kind, "event_id": ""}
    graph = parsed(draw(chain([FARM], [], [gap], direction)))
    both = ("gap 0", "B@farm")
    assert [(tail, head) for tail, head, _ in graph.edges] == [(both[ends[0]], both[ends[1]])]
    assert graph.nodes["gap 0"]["color"] == "red"


@pytest.mark.parametrize("name", ['"]; evil [label="', "back\\", "two\nlines", "<b>", "->", "菜场（东）", "\\n", ""])
def test_any_name_stays_one_string(name: str) -> None:
    odd = node("B", "farm", site_name=name)
    graph = parsed(draw(chain([odd], [])))
    assert graph.nodes.keys() == {"B@farm"}
    assert graph.nodes["B@farm"]["label"].startswith(name or "farm")
    assert parsed(f"digraph {quoted(name)} {{}}").name == name


def test_external_place_is_dashed() -> None:
    graph = parsed(draw(chain([node("B", "far", "", external=True), SHOP], [])))
    assert graph.nodes["B@far"]["style"] == "rounded,dashed"
    assert "省外" in graph.nodes["B@far"]["label"]
