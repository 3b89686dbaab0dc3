"""What the command line says where there is little to say."""

from typing import Any

import pytest
from shilian.trace.v1 import recall_pb2 as pb

from clients.cli import analysis_tables, egress, recall_tables, verify, where
from clients.cli.analysing import _stages
from clients.cli.answers import as_json, listing
from clients.cli.dead import _row
from clients.cli.letters import Letter
from clients.cli.printing import Format

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]


def test_a_list_of_nothing_says_so_and_a_page_token_stays_in_one_piece(capsys: Printed) -> None:
    show = listing("events", "追溯记录 events", ("事件 event",), lambda one: (one["id"],))
    show({"events": []})
    assert capsys.readouterr().out == "追溯记录 events：无 none\n"
    show({"events": [{"id": "E1"}], "next_page_token": "x" * 300})
    assert f"--page-token {'x' * 300}\n" in capsys.readouterr().out


def test_a_verdict_names_the_event_to_declare_wrong(capsys: Printed) -> None:
    verdict = {"message_id": "M1", "record": 1, "outcome": "accepted", "document": "D-1", "event_id": "E1"}
    egress._print("market", [{"type": "egress.verdicts.v1", "data": {"verdicts": [verdict]}}])
    printed = capsys.readouterr().out
    assert "E1" in printed
    assert "D-1" in printed


@pytest.mark.parametrize(
    ("problems", "says"), [([], True), ([{"block": "1/1", "fault": "event_changed", "events": 0}], False)]
)
def test_verify_says_that_nothing_was_changed_only_where_that_is_so(
    capsys: Printed, problems: list[Json], says: bool
) -> None:
    verify._tell({"lanes": 1, "blocks": 2, "events": 3, "problems": problems}, Format.TABLE)
    assert ("未发现改动" in capsys.readouterr().out) is says


def test_token_of_a_file_may_end_with_a_line_break() -> None:
    assert where.bearer("a.b-c_d\n") == "a.b-c_d"


def test_a_dead_letter_without_a_field_has_no_empty_place() -> None:
    told = Letter("M1", "q", "k", "t", "unreadable", 1, ({"field": "", "message": "无法读取"},))
    assert _row(told)[-1] == "无法读取"


def test_what_could_not_be_judged_is_no_broken_chain(capsys: Printed) -> None:
    analysis_tables._show_gaps({"not_judged": [{}], "gaps": [], "nodes": [], "complete": False})
    assert "未能判断" in capsys.readouterr().out


def test_a_way_names_sites_once_while_goods_stay_there() -> None:
    node = {"site_name": "农场"}
    nodes = [{"site": "f", **node}, {"site": "s", "site_name": ""}]
    way = [{"batch": "A", "site": "f"}, {"batch": "A", "site": "s"}, {"batch": "M", "site": "s"}]
    assert list(_stages({"nodes": nodes, "shortest": way})) == ["农场 A", "s A", "M"]


def test_a_closed_recall_says_when_and_why() -> None:
    found = pb.Recall(recall_id="R1", state="closed", closed_reason="已全部销毁")
    for time in (found.opened_time, found.finish_by, found.closed_time):
        time.FromJsonString("2026-11-22T08:00:00Z")
    assert recall_tables._recall_row(as_json(found))[1] == "已结束\n2026-11-22 16:00\n已全部销毁"


def test_a_version_of_a_recall_names_its_sites() -> None:
    row = recall_tables._version_row(
        {"version": 1, "sites_added": 2, "sites_changed": 0, "sites": 2, "site_ids": ["a", "b"], "at_time": ""},
        {"a": "超市"},
    )
    assert row[-1] == "超市\nb"
