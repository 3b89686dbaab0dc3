"""What the pages point to is there: files, tests and services."""

import re
from pathlib import Path

import pytest

from deploy.local.home import ROOT
from deploy.local.processes import PROCESSES

PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "services/**/*.md", "clients/**/*.md", "deploy/**/*.md")
    for page in ROOT.glob(pattern)
)
TESTS = {
    name
    for source in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", source.read_text(), re.MULTILINE)
}
TEST_FILES = {source.stem for source in (ROOT / "tests").rglob("test_*.py")}


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/adr/*.md")), ids=page_id)
def test_a_decision_names_tests_that_exist(page: Path) -> None:
    named = set(re.findall(r"\btest_\w+", page.read_text()))
    assert named
    assert not named - TESTS - TEST_FILES


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_lists_every_service(readme: str) -> None:
    text = (ROOT / readme).read_text()
    folders = {process.module.replace(".", "/") for process in PROCESSES}
    assert not [folder for folder in folders if f"({folder}/README.md)" not in text]
