"""Stock and recalls by command line, on real services: from what stands where to the last site confirmed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.trace import Record, Step
from deploy.local.home import Home
from tests.bus import Bus
from tests.integration.shilian import Shilian, command_line
from tests.integration.test_trace_service import FARM, SCHOOL, STALL, capture, chain, lot, record
from tests.processes import Process, eventually
from tests.stack import Infra


@pytest.fixture
def shilian(
    bus: Bus, stack: Infra, spawn: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shilian]:
    """Trace and inspection, as the province sees them."""
    home = Home.at(tmp_path / "stack")
    with command_line(("trace", "inspection"), bus, stack, spawn, home, monkeypatch, division="37") as shilian:
        yield shilian


def late() -> Record:
    """The stall's meat that a shop bought, told last."""
    return record("E9", Step.SHIPPING, FARM, "B", hour=3, counterparty=STALL, inputs=lot("B"), outputs=lot("B"))


def test_goods_are_found_recalled_and_confirmed_by_command_line(shilian: Shilian, bus: Bus) -> None:
    capture(bus, *chain(), late())
    eventually(lambda: len(shilian.json("event", "list")["events"]), lambda count: count == 7)
    stock = shilian.json("stock", "--batch", "M")["stock"]
    assert [(each["node"]["site_id"], each["amount"]) for each in stock] == [
        (SCHOOL.site, {"quantity": "30", "unit": "KGM"})
    ]
    assert "30 kg" in shilian.run("stock", "--site", SCHOOL.site or "").stdout

    table = shilian.run("recall", "simulate", "A").stdout
    assert "召回模拟 A：场所 3 个，已定位 100.0%" in table
    assert "实验小学食堂" in table
    assert "链条完整" in table
    assert "召回模拟 A · 已定位 located 100.0%" in shilian.run("recall", "simulate", "A", "--format", "svg").stdout
    assert "--reason" in shilian.run("recall", "open", "A").stderr

    why = ("--reason", "检出禁用农药", "--class", "1", "--issuer", "省局", "--request-id", "r1")
    opened = shilian.json("recall", "open", "A", *why)["recall"]
    assert shilian.json("recall", "open", "A", *why)["recall"] == opened
    id = opened["recall_id"]
    assert (opened["state"], opened["sites"], opened["overdue"]) == ("open", 3, False)
    assert [each["recall_id"] for each in shilian.json("recall", "list", "--open", "--batch", "A")["recalls"]] == [id]
    again = shilian.run("recall", "open", "A", "--reason", "再次检出", "--class", "1", "--request-id", "r2").stdout
    assert f"这些批次已有召回进行中 already under recall: {id}" in again
    second = next(each["recall_id"] for each in shilian.json("recall", "list")["recalls"] if each["recall_id"] != id)
    shilian.run("recall", "close", second, "--reason", "误开")
    assert f"这些批次已有召回进行中 already under recall: {id}" in shilian.run("recall", "simulate", "A").stdout
    shown = shilian.run("recall", "get", id).stdout
    assert "检出禁用农药" in shown
    assert "版本 versions" in shown

    def in_progress() -> bool:
        return shilian.run("recall", "progress", id).exit_code == 0

    eventually(in_progress)
    seen = shilian.json("recall", "progress", id)
    assert (seen["tasks"], seen["confirmed"]) == (3, 0)
    tasks = shilian.json("worklist")["tasks"]
    assert len([task for task in tasks if task["cause_id"] == id]) == 3
    assert shilian.json("recall", "close", id, "--reason", "已全部召回")["recall"]["state"] == "closed"
    assert "[recall_closed]" in shilian.refusal("recall", "close", id, "--reason", "再结束")
    assert not shilian.json("recall", "list", "--open")["recalls"]
