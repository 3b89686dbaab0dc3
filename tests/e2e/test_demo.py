"""The demo, a few days of it: every record accounted for, both chains whole, nothing left running."""

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

from demo.generator import generate
from deploy.local.home import LOCAL, Home
from deploy.local.leftovers import end_processes, marked_processes
from tests.processes import ROOT, eventually

SEED, SCALE, MONTH = 20220701, 0.02, date(2026, 2, 1)

pytestmark = pytest.mark.timeout(240)


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
    demo = _start(folder)
    with demo:
        yield demo
        demo.terminate()


def _start(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "demo", "--dir", str(folder), "--scale", str(SCALE), "--month", f"{MONTH:%Y-%m}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHILIAN_")}
    return subprocess.Popen(
        [*command, "--seed", str(SEED)],
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
    assert _left_running(folder) == []


OF_OPERATORS = {"id_number_format", "id_number_check_digit", "id_number_birth_date"}
"""Flags on operators, which no count of events shows."""


def _refused_and_flagged(summary: dict[str, Any]) -> set[str]:
    return {*summary["rejected_by_rule"], *summary["flagged_by_rule"]}


@pytest.mark.parametrize(
    ("number", "begun"), [(signal.SIGINT, "stack/supervisord.conf"), (signal.SIGTERM, "published/*.month.log")]
)
def test_an_interrupted_demo_leaves_no_process(
    folder: Path, demo: "subprocess.Popen[str]", number: signal.Signals, begun: str
) -> None:
    eventually(lambda: list(folder.glob(begun)), within=90)
    demo.send_signal(number)
    told, _ = demo.communicate(timeout=90)
    assert demo.returncode != 0, told[-3000:]
    assert _left_running(folder) == []
