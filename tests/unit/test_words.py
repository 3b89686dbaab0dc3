"""One name for one thing, whoever says it."""

import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from clients.cli import words
from contracts import rules
from contracts.findings import GAPS, TITLES, Finding, FindingKind, FindingsChangedV1
from services.inspection import places
from services.inspection import rules as inspection
from services.inspection.cases import gates, penalties
from services.inspection.tasks import tasks
from services.notify.events.occurrences import occurrences
from services.reporting.bulletin import tables

ENGLISH = re.compile(r"[\u4e00-\u9fff] ?art\.")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,:;][\u4e00-\u9fff]")

AT = datetime(2026, 3, 2, tzinfo=UTC)


def test_laws_are_cited_in_chinese_with_chinese_punctuation() -> None:
    sources = [rule.source for table in (rules.RULES, inspection.RULES) for rule in table.values()]
    shown = [*sources, *(part for must in gates.MUSTS.values() for part in must)]
    shown += [part for row in penalties.TABLE for part in (row.clause, row.text)]
    assert "食品安全法第126条" in shown
    assert [text for text in shown if ENGLISH.search(text) or HALF_WIDTH.search(text)] == []


@pytest.mark.parametrize("kind", FindingKind)
def test_a_kind_of_finding_has_one_name_wherever_it_is_read(kind: FindingKind) -> None:
    finding = Finding(id="F1", kind=kind, open=True, version=1, site="licence:JY1", due_at=AT, opened_at=AT)
    [told] = occurrences(FindingsChangedV1(findings=(finding,)), {})
    task = tasks.title(kind, places.Place("licence:JY1", site_name="东岳超市"))
    assert told.facts["kind"] == words.FINDINGS[kind] == TITLES[kind]
    assert task.endswith(f"核查：{TITLES[kind]} · 东岳超市")
    assert TITLES[kind] in {row[0] for row in tables._work(Counter({f"{kind}_closed": 1}))}


def test_the_bulletin_tells_of_what_does_not_look_true_where_there_was_any() -> None:
    always = {row[0] for row in tables._work(Counter())}
    assert {kind for kind in FindingKind if TITLES[kind] in always} == GAPS
    assert ["出多于进（物料不平衡）", 3, 1, 2] in tables._work(
        Counter({"more_out_than_in_opened": 3, "more_out_than_in_closed": 1, "more_out_than_in_open": 2})
    )
