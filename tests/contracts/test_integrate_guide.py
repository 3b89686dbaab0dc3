"""The vendors' guide cannot rot: what it shows is what the code does."""

import json
import re
from typing import Any

import pytest

from contracts import egress, generate, tables
from contracts.catalogue import CATALOGUE
from contracts.rules import RULES
from contracts.topology import INGEST
from services.adapters.check import dry_run
from tests.contracts.golden import GOLDEN, Golden

GUIDE = generate.GUIDE.read_text()
EXAMPLES = re.findall(r"<!-- golden: (\S+) -->\n```json\n(.*?)\n```", GUIDE, re.DOTALL)
ANSWERS = re.findall(r"<!-- answer: (\w+) -->\n```json\n(.*?)\n```", GUIDE, re.DOTALL)
LINES = re.findall(r"^    (\{\"type\".*\})$", GUIDE, re.MULTILINE)


def golden_of(place: str) -> Golden:
    type_, _, name = place.partition("/")
    return Golden(type_, name)


@pytest.mark.parametrize(("place", "text"), EXAMPLES, ids=[place for place, _ in EXAMPLES])
def test_example_is_the_golden_message_and_is_accepted(place: str, text: str) -> None:
    golden = golden_of(place)
    assert golden in GOLDEN
    assert text == golden.body.decode("gb18030" if "gb18030" in place else "utf-8").rstrip()
    assert not golden.expected["refusals"]


def test_every_json_block_is_an_example_or_an_answer() -> None:
    assert len(EXAMPLES) + len(ANSWERS) == GUIDE.count("```json")


def test_every_type_on_ingest_has_an_example() -> None:
    wanted = {entry.name for entry in CATALOGUE if entry.exchange == INGEST}
    assert {golden_of(place).type for place, _ in EXAMPLES} == wanted
    assert all(f"`{name}`" in GUIDE for name in wanted)


@pytest.mark.parametrize(("model", "text"), ANSWERS)
def test_answers_are_what_the_platform_writes(model: str, text: str) -> None:
    answer: Any = getattr(egress, model).model_validate_json(text)
    assert json.loads(answer.model_dump_json(exclude_defaults=True)) == json.loads(text)


def test_lines_of_a_dry_run_are_accepted() -> None:
    assert len(LINES) == 2
    assert [verdict.outcome.value for verdict in dry_run("market", LINES)] == ["accepted", "accepted"]


def test_table_of_error_codes_names_every_rule() -> None:
    shown = re.findall(r"^\| `(\w+)` \| (?:拒绝|标记) \|", GUIDE, re.MULTILINE)
    assert shown == list(RULES)


def test_tables_are_filled_in_again_and_only_they() -> None:
    emptied = re.sub(r"<!-- (rules|words) -->.*?<!-- /", r"<!-- \1 -->\n<!-- /", GUIDE, flags=re.DOTALL)
    assert emptied != GUIDE
    assert tables.filled(emptied) == GUIDE
