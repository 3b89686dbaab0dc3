"""What the command line tells of a record, and of a finding."""

import pytest
from shilian.trace.v1 import trace_pb2 as pb

from clients.cli.answers import Json, as_json
from clients.cli.event_tables import EVENT_HEADS, event_row, show_event
from clients.cli.findings import HEADS, _row, _told
from clients.cli.words import AWAITED, FINDINGS, figures, rule_title
from contracts.rules import RULES

FLAG = pb.Flag(field="time", rule="late_upload", message="上传迟于24小时 / uploaded later than 24 h")


def event(**more: object) -> Json:
    lot = pb.Lot(batch="B1", product="牛奶", quantity_text="20箱", ear_tags=["137011400000101"])
    told = {"event_id": "E1", "step": "receiving", "site_id": "s1", "inputs": [lot], "outputs": [lot], **more}
    return as_json(pb.Event(**told))  # type: ignore[arg-type]


def cell(row: tuple[str, ...], head: str) -> str:
    return row[EVENT_HEADS.index(head)]


def test_goods_of_a_handover_are_told_once_and_as_reported_where_nothing_converts() -> None:
    assert cell(event_row(event()), "货物 goods") == "牛奶 20箱 B1"


def test_goods_that_became_others_are_told_as_such() -> None:
    made = event(step="making", outputs=[pb.Lot(batch="B2", product="奶粉", quantity="3.0", unit="KGM")])
    assert cell(event_row(made), "货物 goods") == "投入 牛奶 20箱 B1\n产出 奶粉 3 kg B2"


def test_flags_are_words_and_a_wrong_event_says_so() -> None:
    row = event_row(event(flags=[FLAG], declaration_id="D1", counterparty_name="某厂", counterparty_external=True))
    assert cell(row, "标记 flags") == "上传迟于24小时\n已声明有误 declared wrong"
    assert cell(row, "对方 counterparty") == "某厂 (省外)"


def test_an_event_is_shown_with_what_few_have(capsys: pytest.CaptureFixture[str]) -> None:
    answer = pb.GetEventResponse(completeness=0.5)
    told = event(flags=[FLAG], vehicle="鲁A12345", production_line="1号线", also_from=["catering"], source="market")
    show_event(as_json(answer) | {"event": told, "declarations": [{
        "reason": "误录", "declarer": "source", "declared_by": "market", "correction_ids": ["E2"],
    }]})  # fmt: skip
    printed = capsys.readouterr().out
    words = (
        "鲁A12345",
        "1号线",
        "137011400000101",
        "market、catering",
        "50%",
        "late_upload",
        "误录",
        "来源系统 market",
        "E2",
    )
    assert [word for word in words if word not in printed] == []


def test_a_finding_names_its_sites_and_says_what_was_told() -> None:
    found = as_json(pb.Finding(kind="quantity_mismatch", open=True, site_id="s1", site_name="超市",
                               counterparty_site_id="s2", told="74 H87"))  # fmt: skip
    row = dict(zip(HEADS, _row(found), strict=True))
    assert (row["场所 site"], row["对方 counterparty"], row["所报 told"]) == ("超市", "s2", "74 个")
    assert dict(_told(found))["场所 site"] == "超市 s1"


@pytest.mark.parametrize(("kind", "word"), [("overdue_shipment", "应于 due"), ("more_out_than_in", "事发 happened")])
def test_only_what_was_awaited_was_due(kind: str, word: str) -> None:
    found = pb.Finding(kind=kind)
    found.due_time.FromJsonString("2026-10-01T00:00:00Z")
    assert dict(_told(as_json(found)))[word] == "2026-10-01 08:00"
    assert set(FINDINGS) > AWAITED


def test_figures_have_units_as_people_write_them() -> None:
    assert figures("2026-10-09; SLJPZZSJXCMKF7T8JZN ≤ 39 KGM") == "2026-10-09; SLJPZZSJXCMKF7T8JZN ≤ 39 kg"


def test_every_rule_has_a_title_without_blanks() -> None:
    assert all(title and "{" not in title for title in map(rule_title, RULES))
