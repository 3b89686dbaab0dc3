"""The demo, a few days of it: every record accounted for and unchanged, chains whole, the loop closed, a recall grown,
the bulletin's figures those counted by hand, nothing left running."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo.generator import Month, generate
from demo.run import leaving
from demo.stages import Stages
from deploy.local.home import LOCAL, Home
from deploy.local.leftovers import end_processes, marked_processes
from tests.processes import ROOT, eventually

SEED, SCALE, MONTH = 20220701, 0.02, date(2026, 2, 1)

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a demo of the test's own runs; nothing of it stays."""
    folder = LOCAL / "test" / f"{os.getpid()}-demo"
    folder.mkdir(parents=True)
    yield folder
    home = Home.at(folder / "stack")
    end_processes(home)
    home.remove()
    for left in sorted(folder.rglob("*"), reverse=True):
        left.rmdir() if left.is_dir() else left.unlink()
    folder.rmdir()


@pytest.fixture
def demo(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A demo under way, ended with the test."""
    with _start(folder) as demo:
        yield demo
        demo.terminate()


@pytest.fixture
def keeping(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """One whose stack is to be left running."""
    with _start(folder, "--keep") as demo:
        yield demo
        demo.terminate()


def _start(folder: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "demo", "--dir", str(folder), "--scale", str(SCALE), "--month", f"{MONTH:%Y-%m}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHILIAN_")}
    return subprocess.Popen(
        [*command, "--seed", str(SEED), *more],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "proto/gen")))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _left_running(folder: Path) -> list[int]:
    return marked_processes(Home.at(folder / "stack"))


def test_the_demo_accounts_for_every_record_and_traces_both_ways(folder: Path, demo: "subprocess.Popen[str]") -> None:
    told, _ = demo.communicate()
    assert demo.returncode == 0, told[-3000:]

    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    month = generate(MONTH, SEED, SCALE)
    assert summary["lost"] == 0
    assert summary["dead_elsewhere"] == 0
    assert summary["published"] == sum(message.records for message in month.messages)
    assert summary["duplicates"] == sum(message.duplicates for message in month.messages) > 0
    assert summary["published"] == summary["recorded"] + summary["duplicates"] + summary["rejected"]
    assert told.splitlines()[-1] == (
        "demo: published {published} = recorded {recorded} + duplicates {duplicates} + rejected {rejected};"
        " lost {lost}".format(**summary)
    )

    lunch, contaminated = summary["batches"]["lunch"], summary["batches"]["contaminated"]
    assert (lunch["batch"], contaminated["batch"]) == (month.story.lunch.code, month.story.tainted.code)
    assert set(lunch["begins_at"]) == month.story.farms
    assert lunch["complete"]
    assert contaminated["complete"]
    assert contaminated["sites"] > 3
    assert all((folder / chain["picture"]).read_text().startswith("<svg") for chain in (lunch, contaminated))
    assert _refused_and_flagged(summary) >= {message.rule for message in month.messages if message.rule} - OF_OPERATORS
    check_loop(summary["loop"])
    check_recall(summary["recall"], month)
    check_inquiry(summary["inquiry"], month, folder)
    check_correction(summary["correction"])
    assert {"overdue_shipment", "unknown_source", "possible_duplicate"} <= summary["findings"].keys()
    check_bulletin(summary["bulletin"], folder)
    assert 0.85 < float(summary["bulletin"]["rates"]["registration"]) < 0.95
    assert {error["rule"] for roster in summary["rosters"] for error in roster["errors"]} >= {"required", "no_site"}
    assert _left_running(folder) == []


def test_a_stack_is_left_running_where_that_was_asked_for(folder: Path) -> None:
    with leaving(folder / "stack", Stages(Console(quiet=True)), keep=True):
        pass
    assert _left_running(folder)


def check_loop(loop: dict[str, Any]) -> None:
    """Goods nobody received: a finding, a task, a message that arrives, and a case that closes past every gate."""
    assert all(loop[name] for name in ("finding", "task", "case", "test_case"))
    assert loop["case"] != loop["test_case"]
    assert loop["case_state"] == "closed"
    assert [(each["channel"], each["state"]) for each in loop["deliveries"]] == [
        ("wechat", "failed"),
        ("sms", "delivered"),
    ]
    states = [step["state"] for step in loop["steps"]]
    refused = [state.removeprefix("refused ") for state in states if state.startswith("refused")]
    assert refused == ["two_inspectors", "recheck_other_officer", "measures_not_carried_out"]
    walked = ["finding open", "task open", "task inspected", "task rectifying", "finding closed", "task rectified"]
    walked += ["task closed", "case closed"]
    assert "recall proposed" in states
    assert [state for state in dict.fromkeys(states) if state in walked] == walked
    assert len({step["at"][:10] for step in loop["steps"]}) > 3
    inspected, rechecked = (
        {step["who"] for step in loop["steps"] if step["state"] == state} for state in ("task inspected", "task closed")
    )
    assert inspected.isdisjoint(rechecked)
    assert any(message["provider"] == "sms" and "断链预警" in message["text"] for message in loop["messages"])

    times = loop["times"]
    assert times["due"] < times["opened"] < times["closed"]


def check_recall(recall: dict[str, Any], month: Month) -> None:
    """What was simulated, told to people and systems, and the site that only a late record told of."""
    assert recall["batches"] == [month.recalled.lot.code]
    assert recall["added"] == [month.recalled.receipt.site.id]
    before, after = recall["sites"]
    assert (before, after) == (recall["simulated"]["sites"], recall["final"]["sites"])
    assert after == before + 1
    assert recall["final"]["share"] == 1
    assert recall["final"]["complete"]
    assert sum(recall["final"]["divisions"].values()) == after
    assert recall["deliveries"]["sms delivered"] >= after
    assert recall["heard"]["one_network"] >= before
    assert recall["tasks"] == after
    states = [step["state"] for step in recall["steps"]]
    words = ("simulated", "open", "told", "late", "grown")
    assert [*dict.fromkeys(states)] == [*(f"recall {word}" for word in words), "task open"]


def check_correction(correction: dict[str, Any]) -> None:
    """The quarantine system took back a record of its own: it stays, and nothing was overwritten."""
    assert correction["source"] == "docking.quarantine"
    assert correction["declarations"] == [
        {"state": "applied", "declarer": "source", "declared_by": "docking.quarantine"}
    ]
    assert correction["problems"] == []


def check_inquiry(inquiry: dict[str, Any], month: Month, folder: Path) -> None:
    """A pig's whole way by its tag's herd, what two meals share, and records that nobody changed."""
    assert inquiry["ear_tag"] in month.story.tainted.tags
    steps = inquiry["steps"]
    assert [*dict.fromkeys(steps)][:6] == ["farming", "shipping", "transport", "checkpoint", "receiving", "slaughter"]
    assert steps[-2:] == ["kitchen_use", "retained_sample"]
    assert (folder / inquiry["picture"]).read_text().startswith("<svg")
    assert inquiry["cases"] == [month.story.lunch.code, month.story.other.code]
    assert inquiry["explained"]
    assert month.story.tainted.code in inquiry["suspects"]
    assert inquiry["verified"]["problems"] == []
    assert inquiry["verified"]["events"] > 1000


def check_bulletin(bulletin: dict[str, Any], folder: Path) -> None:
    """In every format, and no figure other than the count over the raw records."""
    assert bulletin["figures_agree"], bulletin["differences"]
    assert bulletin["figures"] > 1000
    begins = {".html": b"<!doctype html", ".pdf": b"%PDF", ".xlsx": b"PK", ".json": b"{"}
    found = {Path(name).suffix: (folder / name).read_bytes().lower() for name in bulletin["files"]}
    assert {suffix for suffix, content in found.items() if content.startswith(begins[suffix].lower())} == set(begins)


OF_OPERATORS = {"id_number_format", "id_number_check_digit", "id_number_birth_date"}
"""Flags on operators, which no count of events shows."""


def _refused_and_flagged(summary: dict[str, Any]) -> set[str]:
    return {*summary["rejected_by_rule"], *summary["flagged_by_rule"]}


@pytest.mark.parametrize(
    ("number", "begun"), [(signal.SIGINT, "stack/supervisord.conf"), (signal.SIGTERM, "published/*.month.log")]
)
def test_an_interrupted_demo_leaves_no_process_whatever_was_to_stay(
    folder: Path, keeping: "subprocess.Popen[str]", number: signal.Signals, begun: str
) -> None:
    eventually(lambda: list(folder.glob(begun)), within=300)
    keeping.send_signal(number)
    told, _ = keeping.communicate(timeout=300)
    assert keeping.returncode != 0, told[-3000:]
    assert _left_running(folder) == []
