"""The import rules of pyproject.toml hold, and each notices a breach."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from deploy.local.home import ROOT

FOLDERS = ("contracts", "chassis", "services", "clients", "deploy", "demo", "bench")
PLANTED = {
    "services/trace/domain.py": "import services.registry.store\nimport pymongo",
    "services/trace/worker.py": "import chassis.api.mongo",
    "services/trace/api.py": "import chassis.topology",
    "services/registry/views.py": "import motor, nameko",
    "services/adapters/market/mapping.py": "import services.adapters.catering.mapping",
    "contracts/words.py": "import chassis",
}


def test_the_import_rules_hold_and_each_notices_a_breach(tmp_path: Path) -> None:
    rules = {contract["name"] for contract in contracts()}
    assert len(rules) >= 8
    assert broken(tmp_path / "as-it-is", {}) == set()
    assert broken(tmp_path / "breached", PLANTED) == rules


def contracts() -> list[dict[str, str]]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(config["tool"]["importlinter"]["contracts"])


def broken(copy: Path, planted: dict[str, str]) -> set[str]:
    """Rules that `lint-imports` finds broken in a copy of the sources with these lines added to these files."""
    for source in (found for folder in FOLDERS for found in (ROOT / folder).rglob("*.py")):
        target = copy / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{source.read_text()}\n{planted.get(str(source.relative_to(ROOT)), '')}\n")
    (copy / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    told = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert "kept" in told.stdout, told.stdout + told.stderr
    shown = re.sub(r"\s+", " ", told.stdout)
    return {contract["name"] for contract in contracts() if f"{contract['name']} BROKEN" in shown}
