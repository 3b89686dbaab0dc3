"""One name for one thing, whoever says it."""

import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from clients.cli import words
from contracts import rules
from contracts.findings import TITLES, Finding, FindingKind, FindingsChangedV1
from services.inspection import gates, penalties, places, tasks
from services.inspection import rules as inspection
from services.notify.occurrences import occurrences
from services.reporting import bulletin_tables

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
    assert TITLES[kind] in {row[0] for row in bulletin_tables._work(Counter())}
