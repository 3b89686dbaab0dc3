"""What is generated from the models: the AsyncAPI document and the JSON Schemas."""

import json
from pathlib import Path

import jsonschema
import pytest

from contracts import generate
from contracts.catalogue import CATALOGUE
from tests.contracts.golden import GOLDEN, Golden

ENGLISH = [golden for golden in GOLDEN if b'"lines"' in golden.body]


def test_generated_documents_are_up_to_date() -> None:
    assert generate.drift() == []


def test_drift_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr(generate, "GUIDE", tmp_path / "guide.md")
    (tmp_path / "guide.md").write_text("<!-- rules -->old<!-- /rules -->")
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "schemas" / "trace.capture.v1.json").write_text("{}")
    (tmp_path / "schemas" / "market.forgotten.v1.json").write_text("{}")
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "trace.capture.v1.json" in told
    assert "market.forgotten.v1.json" in told


def test_asyncapi_describes_every_type() -> None:
    document = generate.asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]) == {entry.name for entry in CATALOGUE}
    for name, message in document["components"]["messages"].items():
        assert (generate.DOCS / message["payload"]["$ref"]).exists(), name


@pytest.mark.parametrize("golden", ENGLISH, ids=lambda golden: f"{golden.type}/{golden.name}")
def test_documented_messages_satisfy_their_schema(golden: Golden) -> None:
    schema = json.loads((generate.DOCS / "schemas" / f"{golden.type}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(golden.body))
