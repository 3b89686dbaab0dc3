"""The closed loop by command line alone, on the real services: from a roster to a closed case and a scorecard."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clients.cli.__main__ import app
from deploy.local.home import Home
from tests.bus import Bus
from tests.integration.inspection import site, tell
from tests.integration.shilian import SERVICES, Shilian, command_line
from tests.processes import Process, eventually
from tests.stack import Infra

LICENCE = "JY13701050012345"
SITE = f"licence:{LICENCE}"
GATES = ("cause_not_found", "people_not_punished", "lesson_not_given", "measures_not_carried_out")
OPENED = ("--event", "task_opened", "--recipient", "officer:王一")
BROUGHT = ("--note", "到货未登记", "--evidence", "photo-1", "--location", "匡山市场 A-17")


@pytest.fixture
def shilian(
    bus: Bus, stack: Infra, spawn: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shilian]:
    """All five services."""
    with command_line(SERVICES, bus, stack, spawn, Home.at(tmp_path / "stack"), monkeypatch) as shilian:
        yield shilian


def test_loop_is_walked_by_command_line(shilian: Shilian, bus: Bus, tmp_path: Path) -> None:
    take_roster(shilian, tmp_path / "roster.csv")
    first = shilian.json("inspect", "watch", "--messages", "1")
    task = eventually(lambda: create_task(shilian))
    missed = shilian.run("inspect", "watch", "--messages", "2", "--resume-token", first["resume_token"])
    assert task in missed.stdout
    close_loop(shilian, task)
    close_case(shilian, shilian.json("case", "open", "--task", task, "--title", "未如实记录")["case"]["case_id"])
    draw_sample(shilian, bus)
    tell_and_report(shilian, task)


def take_roster(shilian: Shilian, file: Path) -> None:
    file.write_text(f"主体名称,许可证编号,区划代码,经营品类\n王记蔬菜批发,{LICENCE},370105,蔬菜\n,缺名,370105,\n")
    words = ("roster", "import", str(file), "--kind", "licence", "--division", "370105", "--wait", "120")
    answer = shilian.run(*words, "--request-id", "r-1", "--format", "json")
    assert answer.exit_code == 1
    found = json.loads(answer.stdout)
    assert [(error["row"], error["field"], error["rule"]) for error in found["errors"]] == [(3, "name", "required")]
    assert (found["roster_import"]["done"], found["roster_import"]["changed"]) == (True, 1)
    assert "required" in shilian.run(*words, "--request-id", "r-1").stdout
    assert shilian.json("roster", "show", "r-1")["roster_import"] == found["roster_import"]
    [gap] = shilian.json("grid", "gaps")["sites"]
    assert (gap["site_id"], "cell" in gap["gaps"]) == (SITE, True)
    assert shilian.json("roster", "obligations")["next_page_token"] == ""


def create_task(shilian: Shilian) -> str:
    """The task's id; empty while the site is not known to inspection yet."""
    words = ("inspect", "create", "--site", SITE, "--title", "到货未登记", "--request-id", "t-1", "--format", "json")
    answer = shilian.run(*words)
    assert answer.exit_code == 0 or "NOT_FOUND" in answer.stderr
    return str(json.loads(answer.stdout)["task"]["task_id"]) if answer.stdout else ""


def close_loop(shilian: Shilian, task: str) -> None:
    [open_task] = shilian.json("worklist", "--division", "370105")["tasks"]
    assert (open_task["task_id"], open_task["state"], open_task["kind"]) == (task, "open", "daily")
    record = ("inspect", "record", task, "--problem", *BROUGHT)
    assert "[two_inspectors]" in shilian.refusal(*record)
    shilian.json("inspect", "assign", task, "--officer", "王一", "--officer", "李二")
    assert shilian.json("worklist", "--officer", "李二")["tasks"][0]["task_id"] == task
    assert shilian.json(*record)["task"]["state"] == "inspected"
    shilian.json("inspect", "order", task, "--item", "补录收货")
    shilian.json("inspect", "rectify", task, "--evidence", "photo-2")
    recheck = ("inspect", "recheck", task, "--passed", *BROUGHT)
    for officer in ("王一", "李二"):
        assert "[recheck_other_officer]" in shilian.refusal(*recheck, who=officer)
    assert shilian.json(*recheck, who="赵三")["task"]["state"] == "closed"
    assert shilian.json("worklist")["tasks"] == []
    [closed] = shilian.json("worklist", "--state", "closed")["tasks"]
    assert [step["step"] for step in closed["steps"]] == ["assign", "find_problem", "order", "rectify", "pass"]
    assert "复查合格" in shilian.run("inspect", "show", task).stdout
    lines = shilian.json("ledger", "--officer", "赵三", "--since", "2022-01-01")["entries"]
    assert [(line["action"], line["subject"]) for line in lines] == [("pass", task)]


def close_case(shilian: Shilian, case: str) -> None:
    facts = shilian.json("case", "establish", case, "--value", "800", "--fact", "trader")["case"]["facts"]
    assert (facts["value"], facts["trader"], facts["crime_suspected"]) == ("800", True, False)
    assert "[must_not_triggered]" in shilian.refusal(
        "case", "must", case, "to_police", "--done", "--evidence", "移送书"
    )
    shilian.json("case", "must", case, "stop_and_rectify", "--done", "--evidence", "责令改正通知书")
    shilian.json("case", "penalty", case, "warning", "--person", "王秀兰", "--reason", "首次,已改正")
    for gate in GATES:
        refused = shilian.refusal("case", "close", case)
        assert "FAILED_PRECONDITION" in refused
        assert f"[{gate}]" in refused
        shilian.json("case", "gate", case, gate, "--evidence", f"材料:{gate}")
    assert shilian.json("case", "list", "--state", "open")["cases"][0]["missing"] == []
    assert shilian.json("case", "close", case)["case"]["closed_by"] == "王一"
    refused = shilian.refusal("case", "close", case, who="李二")
    assert "[case_closed]" in refused
    assert "by: 王一" in refused
    shown = shilian.run("case", "show", case).stdout
    assert "已结案" in shown
    assert "四个不放过" in shown


def draw_sample(shilian: Shilian, bus: Bus) -> None:
    draw = ("sample", "draw", "--quarter", "2022Q2", "--size", "1", "--seed", "s", "--format", "json")
    assert "[empty_frame]" in shilian.refusal(*draw[:-2])
    tell(bus, "registry.sites_changed.v1", sites=[site("licence:JY13701050099999")])
    answer = eventually(lambda: shilian.run(*draw), lambda answer: answer.exit_code == 0)
    sample = json.loads(answer.stdout)["sample"]
    assert [drawn["site_id"] for drawn in sample["sites"]] == ["licence:JY13701050099999"]
    assert shilian.json("sample", "repeat", sample["sample_id"])["same"] is True
    assert "一致" in shilian.run("sample", "repeat", sample["sample_id"]).stdout
    assert "2022Q2" in shilian.run("sample", "list").stdout
    assert sample["sites"][0]["site_id"] in shilian.run("sample", "show", sample["sample_id"]).stdout


def tell_and_report(shilian: Shilian, task: str) -> None:
    default = shilian.json("notify", "subscriptions")["subscriptions"][0]
    assert default["is_default"] is True
    assert default["name"] in shilian.run("notify", "subscriptions").stdout
    [told] = eventually(lambda: shilian.json("notify", "deliveries", "--cause", f"task:{task}", *OPENED)["deliveries"])
    assert (told["channel"], told["recipient"]) == ("in_app", "officer:王一")
    read = shilian.json("notify", "read", told["delivery_id"])["message"]
    assert read["state"] == "read"
    unread = shilian.json("notify", "inbox", "--unread")["messages"]
    assert told["delivery_id"] not in [message["delivery_id"] for message in unread]
    assert "已读" in shilian.run("notify", "inbox").stdout
    rebuilt = CliRunner().invoke(app, ["report", "rebuild", "--format", "json"])
    assert rebuilt.exit_code == 0, rebuilt.stderr
    copied = json.loads(rebuilt.stdout)["copied"]
    assert (copied["sites"], copied["cases"], copied["tasks"]) == (1, 1, 2)
    [rate] = [
        measure
        for measure in shilian.json("report", "scorecard", "--division", "370105")["line"]["measures"]
        if measure["dimension"] == "registration"
    ]
    assert (rate["numerator"], rate["denominator"]) == (0, 1)
    assert "(0/1)" in shilian.run("report", "scorecard", "--division", "370105").stdout
    [missing] = shilian.json("report", "behind", "registration", "--missing")["sites"]
    assert missing["site_id"] == SITE
    assert shilian.json("report", "bulletins")["bulletins"] == []
    assert "NOT_FOUND" in shilian.refusal("report", "bulletin", "2022-06")
    assert "NOT_FOUND" in shilian.refusal("report", "download", "2022-06", "--as", "json")
