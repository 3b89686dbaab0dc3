"""What people set and look after by command line, on real services: lives, grid, phases, subscriptions, standards."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from chassis import clock
from deploy.local.home import Home
from services.reporting import months
from tests.bus import Bus
from tests.integration.inspection import site, tell
from tests.integration.shilian import Shilian, command_line
from tests.processes import Process, eventually
from tests.stack import Infra

LICENCE = "JY13701050012345"
SITE = f"licence:{LICENCE}"
MONTH = months.month_of(clock.now())
DAY = f"{MONTH}-01"
CELL = ("--name", "匡山网格", "--division", "370105", "--station", "ks")


@pytest.fixture
def shilian(
    bus: Bus, stack: Infra, spawn: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shilian]:
    """Registry, notify and reporting, as the province sees them."""
    services, home = ("registry", "notify", "reporting"), Home.at(tmp_path / "stack")
    with command_line(services, bus, stack, spawn, home, monkeypatch, division="370000") as shilian:
        yield shilian


def test_people_look_after_the_platform_by_command_line(shilian: Shilian, bus: Bus, tmp_path: Path) -> None:
    operator = live(shilian)
    grid_is_kept(shilian)
    phases_are_set(shilian)
    subscriptions_come_and_go(shilian)
    standards_are_versioned(shilian)
    the_bulletin_is_downloaded_in_all_formats(shilian, bus, tmp_path)
    assert shilian.json("operators", "deregister", operator, "--reason", "歇业")["operator"]["state"] == "deregistered"


def live(shilian: Shilian) -> str:
    """Up and down a life, each step with its reason; the id of the operator."""
    new = ("--name", "王记蔬菜批发", "--division", "370105", "--uscc", "91370105MA3F72T8XQ", "--licence", LICENCE)
    registered = shilian.json("operators", "register", *new, "--category", "vegetable", "--link", "circulation")
    operator = str(registered["operator"]["operator_id"])
    assert registered["operator"]["state"] == "registered"
    assert "[operator_registered]" in shilian.refusal("operators", "resume", operator, "--reason", "无")
    for step, state in (("activate", "activated"), ("suspend", "suspended"), ("resume", "activated")):
        told = shilian.json("operators", step, operator, "--reason", f"因 {step}")
        assert told["operator"]["state"] == state
    updated = shilian.json("operators", "update", operator, "--contact", "王秀兰", "--phone", "13800000001")["operator"]
    assert (updated["contact"], updated["name"]) == ("王秀兰", "王记蔬菜批发")
    closed = shilian.json(
        "operators", "close", SITE, "--reason", "装修", "--since", "2026-01-05", "--until", "2026-02-01"
    )
    assert closed["site"]["closed_from"].startswith("2026-01-04T16:00")
    reasons = [each["why"] for each in shilian.json("operators", "history", operator)["changes"]]
    assert "因 suspend" in reasons
    assert "停业申报" in shilian.run("operators", "history", "--site", SITE).stdout
    assert shilian.json("sites", "get", SITE)["site"]["site_id"] == SITE
    assert "王记蔬菜批发" in shilian.run("sites", "list", "--division", "370105").stdout
    assert "NOT_FOUND" in shilian.refusal("sites", "merge", SITE, "licence:nobody", "--reason", "同一家")
    assert shilian.json("sites", "alike")["proposals"] == []
    return operator


def grid_is_kept(shilian: Shilian) -> None:
    assert "缺" in shilian.run("grid", "gaps").stdout
    shilian.json("grid", "set", "G1", *CELL, "--station-name", "匡山监管所", "--reason", "设立")
    for name in ("张一", "李二"):
        shilian.json(
            "grid", "officer", "G1", "--officer", name, "--name", name, "--phone", "13800000002", "--reason", "轮岗"
        )
    assert "李二" in shilian.run("grid", "cells", "--division", "370105").stdout
    moves = [each["detail"] for each in shilian.json("grid", "history", "G1")["changes"] if each["kind"] == "officer"]
    assert moves == [{"from": "张一", "to": "李二"}, {"from": "", "to": "张一"}]
    placed = shilian.json("grid", "place", SITE, "--cell", "G1", "--reason", "划入")["sites"]
    assert [each["cell_id"] for each in placed] == ["G1"]
    assert (
        shilian.json("grid", "contact", SITE, "--officer", "李二", "--reason", "帮扶")["sites"][0]["helper"] == "李二"
    )
    assert shilian.json("grid", "gaps", "--gap", "contact")["sites"] == []


def phases_are_set(shilian: Shilian) -> None:
    known = {each["phase_id"] for each in shilian.json("roster", "phases")["phases"]}
    words = ("P-9", "--name", "试点", "--starts", "2026-01-01", "--division", "370105", "--duty", "activate",
             "--category", "vegetable", "--unit-kind", "school_canteen", "--reason", "试点通知")  # fmt: skip
    assert shilian.json("roster", "set-phase", *words)["phase"]["categories"] == ["vegetable"]
    assert {each["phase_id"] for each in shilian.json("roster", "phases")["phases"]} == {*known, "P-9"}
    assert "蔬菜" in shilian.run("roster", "phases").stdout


def subscriptions_come_and_go(shilian: Shilian) -> None:
    words = ("值班", "--event", "recall", "--channel", "sms", "--channel", "in_app", "--phone", "13800000003")
    made = shilian.json("notify", "subscribe", *words, "--quiet", "22:00-07:00")["subscription"]
    assert (made["channels"], made["quiet"]["until"]) == (["sms", "in_app"], "07:00")
    assert "值班" in shilian.run("notify", "subscriptions", "--event", "recall").stdout
    wrong = shilian.run("notify", "subscribe", "名", "--event", "rumour", "--channel", "sms")
    assert (wrong.exit_code, "subscription.events" in wrong.stderr) == (2, True)
    shilian.json("notify", "unsubscribe", made["subscription_id"])
    listed = shilian.json("notify", "subscriptions", "--page-size", "500")["subscriptions"]
    assert made["subscription_id"] not in [each["subscription_id"] for each in listed]
    quota = ("notify", "quota", "sms", "13800000003", "--event", "recall")
    assert shilian.json(*quota)["stopped"] is False
    shilian.json("notify", "stop", "sms", "13800000003")
    assert (shilian.json(*quota)["stopped"], shilian.json(*quota)["limit"] > 0) == (True, True)
    shilian.json("notify", "stop", "sms", "13800000003", "--resume")
    assert shilian.json(*quota)["stopped"] is False
    assert "剩余 left" in shilian.run(*quota).stdout


def standards_are_versioned(shilian: Shilian) -> None:
    for number, activity in enumerate(("0.90", "0.95"), 1):
        words = ("--division", "370100", "--from", DAY, "--reason", "示范城市", "--tag", "demonstration")
        told = shilian.json("report", "set-standard", *words, "--threshold", f"activity={activity}")
        assert told["standard_id"] == f"3701@{DAY}#{number}"
    default, first, second = shilian.json("report", "standards")["standards"]
    assert (default["standard_id"], len(default["weights"])) == ("", 4)
    assert [each["thresholds"][0]["value"] for each in (first, second)] == ["0.90", "0.95"]
    assert shilian.json("report", "standards", "--division", "370105", "--page-size", "1")["next_page_token"]
    assert len(shilian.json("report", "standards", "--division", "370202")["standards"]) == 1
    assert "活跃率 0.95" in shilian.run("report", "standards").stdout
    weights = [f"--weight={each}=30" for each in ("registration", "activity", "coverage", "upload")]
    wrong = shilian.run("report", "set-standard", "--division", "37", "--from", DAY, "--reason", "r", *weights)
    assert (wrong.exit_code, "weights" in wrong.stderr) == (2, True)
    declared = ("docking.formula", "--month", MONTH, "--division", "370102", "--records", "10", "--name", "婴配粉企业")
    shilian.json("report", "declare", *declared)
    [one] = shilian.json("report", "declarations", "--month", MONTH)["declarations"]
    assert (one["system"], one["records"], one["who"]) == ("docking.formula", 10, "王一")
    assert shilian.json("report", "declarations", "--division", "3702")["declarations"] == []
    assert "婴配粉企业" in shilian.run("report", "declarations").stdout


def the_bulletin_is_downloaded_in_all_formats(shilian: Shilian, bus: Bus, into: Path) -> None:
    tell(bus, "registry.sites_changed.v1", sites=[site(f"licence:{n}", listed=True, division="370102") for n in "abc"])
    eventually(lambda: shilian.run("report", "scorecard", "--division", "370102", "--month", MONTH).exit_code == 0)
    shilian.move(months.next_freeze(months.window(MONTH).end) + timedelta(hours=1))
    eventually(lambda: shilian.json("report", "bulletins")["bulletins"], lambda out: MONTH in str(out))
    shown = shilian.json("report", "bulletin", MONTH)
    assert (shown["bulletin"]["month"], shown["bulletin"]["version"]) == (MONTH, 1)
    assert "版本 version" in shilian.run("report", "bulletin", MONTH).stdout
    files = {kind: downloaded(shilian, kind, into) for kind in ("html", "pdf", "xlsx", "json")}
    assert "山东省食品安全追溯工作通报" in files["html"].decode()
    assert "食品安全追溯" in PdfReader(BytesIO(files["pdf"])).pages[0].extract_text().replace(" ", "")
    assert "排名表" in load_workbook(BytesIO(files["xlsx"])).sheetnames
    assert json.loads(files["json"]) == shown["document"]


def downloaded(shilian: Shilian, kind: str, into: Path) -> bytes:
    told = shilian.json("report", "download", MONTH, "--as", kind, "--into", str(into))
    file = Path(told["file"])
    assert (file.suffix, file.stat().st_size) == (f".{kind}", told["bytes"])
    return file.read_bytes()
