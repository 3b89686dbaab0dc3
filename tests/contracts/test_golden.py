"""Every message a sender ever wrote is still read as it was."""

import json
from typing import Any

import pytest

from contracts.catalogue import CATALOGUE
from contracts.topology import INGEST
from tests.contracts.golden import GOLDEN, Golden, adapted

each = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: f"{golden.type}/{golden.name}")


@each
def test_golden_message_is_read_as_it_was(golden: Golden) -> None:
    assert adapted(golden) == golden.expected


@each
def test_fields_of_a_newer_sender_are_ignored(golden: Golden) -> None:
    encoding = "gb18030" if golden.name.endswith(".gb18030") else "utf-8"
    newer = json.dumps(with_additions(json.loads(golden.body.decode(encoding))), ensure_ascii=False)
    assert adapted(golden, newer.encode(encoding)) == golden.expected


def test_every_type_on_ingest_has_a_golden_message() -> None:
    wanted = {entry.name for entry in CATALOGUE if entry.exchange == INGEST}
    assert {golden.type for golden in GOLDEN} == wanted


def with_additions(part: Any) -> Any:
    """The same message with fields nobody knows, at every level."""
    if isinstance(part, list):
        return [with_additions(element) for element in part]
    if isinstance(part, dict):
        known = {name: value if name == "kdes" else with_additions(value) for name, value in part.items()}
        return {"新字段": {"a": [1, None]}, **known, "added_later": "x"}
    return part
