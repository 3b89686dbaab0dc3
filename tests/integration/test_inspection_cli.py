"""The commands about tests and risk on a real service: what they print for people, and as JSON."""

import json
from typing import Any

from typer.testing import CliRunner

from clients.cli.__main__ import app
from tests.bus import Bus
from tests.integration.inspection import (
    LABORATORY,
    OWNER,
    SITE,
    Client,
    ahead,
    await_count,
    client,
    failed_test,
    known,
    tell,
    worker,
)
from tests.processes import Process

__all__ = ["ahead", "client", "worker"]

REPORT = "test record --report SD-1 --at 2026-01-06T09:00 --retest-of Q1 --qualified"


def run(client: Client, words: str, *, who: str = "王一", **caller: Any) -> str:
    """What a command prints; a failure's complaint."""
    (_, bearer), *_ = client.metadata(who, **caller)
    where = ("--grpc-inspection", client.address, "--token", bearer.removeprefix("Bearer "))
    answer = CliRunner().invoke(app, [*words.split(), *where], env={"COLUMNS": "400"})
    return answer.stdout if answer.exit_code == 0 else f"{answer.exit_code}: {answer.stderr}"


def test_a_result_is_objected_to_and_decided_by_command(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    known(bus, db)
    at = "2026-01-04T20:00:00Z"
    event = {"id": "E1", "source": "market", "step": "receiving", "time": at, "sent_at": at, "site": SITE}
    tell(bus, "trace.events_recorded.v1", events=[event | {"batches": ["B1"]}])
    await_count(db.marks, 1)
    tell(bus, "inspection.record_tests.v1", tests=[failed_test()])
    await_count(db.cases, 1)

    assert "建议召回" in run(client, f"case show {db.cases.find_one()['_id']}")
    assert "no_objection" in run(client, REPORT, **LABORATORY)
    assert "异议待复检" in run(client, "test object Q1 --reason 自送样品合格", **OWNER)
    assert "objected_already" in run(client, "test object Q1 --reason 再次", **OWNER)
    assert "异议待复检" in run(client, "case list")
    decided = json.loads(run(client, f"{REPORT} --format json", **LABORATORY))
    assert (decided["test"]["retest_of"], decided["case_id"]) == ("Q1", db.cases.find_one()["_id"])
    assert "复检推翻" in run(client, "inspect tests")
    assert json.loads(run(client, "case list --recall withdrawn --format json"))["cases"][0]["rescinded"]
    assert not json.loads(run(client, "case list --recall proposed --format json"))["cases"]
    run(client, "test record --report SD-2 --at 2026-01-06 --item 克百威 --site x --batch B7 --qualified", **LABORATORY)
    assert run(client, "test shared B7 克百威").startswith("仍有效的检测")


def test_grade_and_points_are_shown_by_command(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    known(bus, db)
    created = f"inspect create --site {SITE} --title 检查 --item licence --officer 甲 --officer 乙 --format json"
    task = json.loads(run(client, created))["task"]
    run(client, f"inspect record {task['task_id']} --problem --note 过期")
    grade = json.loads(run(client, f"risk grade {SITE} --format json"))["grade"]
    assert (grade["grade"], grade["static_points"], grade["dynamic_points"], grade["checks_done"]) == ("A", 10, 3, 1)
    shown = run(client, f"risk grade {SITE}")
    assert "食品销售" in shown
    assert "检查发现问题" in shown
    due = run(client, "risk due")
    assert "进货查验" in due
    assert "许可与备案" not in due
    assert "not_found" in run(client, f"risk grade {SITE}", division="370202")
