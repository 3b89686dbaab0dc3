"""One name for one thing, whoever says it."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from clients.cli import words
from contracts.findings import TITLES, Finding, FindingKind, FindingsChangedV1
from services.inspection import places, tasks
from services.notify.occurrences import occurrences
from services.reporting import bulletin_tables

AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("kind", FindingKind)
def test_a_kind_of_finding_has_one_name_wherever_it_is_read(kind: FindingKind) -> None:
    finding = Finding(id="F1", kind=kind, open=True, version=1, site="licence:JY1", due_at=AT, opened_at=AT)
    [told] = occurrences(FindingsChangedV1(findings=(finding,)), {})
    task = tasks.title(kind, places.Place("licence:JY1", site_name="东岳超市"))
    assert told.facts["kind"] == words.FINDINGS[kind] == TITLES[kind]
    assert task.endswith(f"核查：{TITLES[kind]} · 东岳超市")
    assert TITLES[kind] in {row[0] for row in bulletin_tables._work(Counter())}
