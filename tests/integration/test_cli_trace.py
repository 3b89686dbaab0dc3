"""`shilian trace` and its analyses, on trace's real processes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from contracts.trace import Step
from deploy.local.home import Home
from tests.bus import Bus
from tests.integration.shilian import Shilian, command_line
from tests.integration.test_trace_analysis import FACTORY, lines, step
from tests.integration.test_trace_service import FARM, SCHOOL, STALL, capture, chain, record
from tests.processes import Process, eventually
from tests.stack import Infra
from tests.unit.test_dot import parsed


@pytest.fixture
def shilian(
    bus: Bus, stack: Infra, spawn: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shilian]:
    """Trace alone, as somebody of the province."""
    home = Home.at(tmp_path / "stack")
    with command_line(["trace"], bus, stack, spawn, home, monkeypatch, division="370000") as shilian:
        yield shilian


def recorded(shilian: Shilian, count: int) -> None:
    eventually(lambda: shilian.json("event", "flags")["events"], lambda found: found == count)


def test_chain_is_printed_in_every_format_from_every_start(shilian: Shilian, bus: Bus) -> None:
    capture(bus, *chain())
    recorded(shilian, 6)
    walk = ("trace", "A", "--site", FARM.site or "", "--direction", "forward")
    table = shilian.run(*walk, "--page-size", "1")
    assert "链条完整" in table.stdout
    assert "已读 3/4 个节点" in table.stderr
    assert [row for row in table.stdout.splitlines() if "└─ 实验小学食堂" in row]
    graph = parsed(shilian.run(*walk, "--format", "dot").stdout)
    assert {(tail, head) for tail, head, _ in graph.edges} == {
        (f"A@{FARM.site}", f"A@{STALL.site}"), (f"A@{STALL.site}", f"A@{SCHOOL.site}"),
        (f"A@{SCHOOL.site}", f"M@{SCHOOL.site}"),
    }  # fmt: skip
    picture = ElementTree.fromstring(shilian.run(*walk, "--format", "svg").stdout)
    assert any("实验小学食堂" in text for text in picture.itertext())
    whole = shilian.json(*walk)
    again = shilian.json("trace", "batch", "A", *walk[2:], "--page-size", "2")
    assert (again["nodes"], again["edges"]) == (whole["nodes"], whole["edges"])
    held = shilian.json("trace", "A", "--operator", STALL.operator or "", "--direction", "forward")
    assert {node["site"] for node in held["nodes"]} == {STALL.site, SCHOOL.site}
    paper = shilian.json("trace", "--document", "d-E2", "--direction", "forward")
    assert (paper["batch"], len(paper["nodes"])) == ("d-E2", 4)
    assert "X9" in shilian.refusal("trace", "--ear-tag", "X9")
    assert shilian.run("trace").exit_code == 2
    both = shilian.run("trace", "A", "--document", "d-E2")
    assert (both.exit_code, "one_start" in both.stderr) == (2, True)
    assert "没有找到" in shilian.run("trace", "A", "--until", "2025-01-01").stderr


def test_way_between_two_batches(shilian: Shilian, bus: Bus) -> None:
    capture(bus, *chain())
    recorded(shilian, 6)
    ends = ("trace", "path", f"A@{FARM.site}", "M")
    table = shilian.run(*ends)
    assert f"最短通路 shortest: {FARM.name} A → {STALL.name} A → {SCHOOL.name} A → M\n" in table.stdout
    assert len(parsed(shilian.run(*ends, "--format", "dot").stdout).edges) == 3
    assert shilian.json(*ends)["shortest"][0] == {"batch": "A", "site": FARM.site}
    assert "没有通路" in shilian.refusal("trace", "path", "M", "A")


def test_sources_lines_and_dishes(shilian: Shilian, bus: Bus) -> None:
    patty = record("F1", Step.RECEIVING, SCHOOL, "patty", 6, counterparty=FACTORY)
    capture(bus, *chain(), *(told.model_copy(update={"id": f"L{told.id}"}) for told in lines()), patty,
            step("F2", SCHOOL, "A", "soup", 7))  # fmt: skip
    recorded(shilian, 16)
    common = shilian.json("trace", "common", "M=3", f"soup@{SCHOOL.site}")
    assert (common["nodes"][0]["node"]["batch"], common["nodes"][0]["score"]) == ("A", 1.0)
    table = shilian.run("trace", "common", "M", "soup").stdout
    assert "共同来源场所" in table
    assert "1.000" in table
    assert "1号线" in shilian.run("event", "show", "LE1").stdout
    lines_ = shilian.json("trace", "contamination", "pork")
    assert [each["node"]["batch"] for each in lines_["lines"][0]["contaminated"]] == ["patty"]
    assert shilian.json("trace", "contamination", "pork", "--with-products")["lines"] == lines_["lines"]
    table = shilian.run("trace", "contamination", "pork").stdout
    assert all(word in table for word in ("1号线", "patty", "未记生产线", "实验小学食堂")), table
    dishes = shilian.json("trace", "dishes", "A", "--day", "2026-01-05")
    assert [each["node"]["batch"] for each in dishes["dishes"]] == ["M"]
    assert "2026-01-05 的菜品" in shilian.run("trace", "dishes", "A", "--day", "2026-01-05").stdout
    assert shilian.run("trace", "dishes", "A", "--day", "soon").exit_code == 2
    assert shilian.run("trace", "common", "M").exit_code == 2
