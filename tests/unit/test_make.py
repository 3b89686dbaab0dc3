"""What `make` does, with a Python that only notes what it was asked."""

import os
import subprocess
from pathlib import Path

from tests.processes import ROOT


def test_clean_ends_every_stack_before_its_data_goes(tmp_path: Path) -> None:
    python, asked = tmp_path / ".venv/bin/python", tmp_path / "asked"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    python.chmod(0o700)
    (tmp_path / ".venv/.stamp").touch()
    for stack in ("stack", "demo/stack"):
        (tmp_path / ".local" / stack).mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    made = subprocess.run(
        ["make", "-f", ROOT / "Makefile", "clean"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert not (tmp_path / ".local").exists()
    ended = asked.read_text().splitlines()
    assert {f"-m deploy.local down --dir .local/{stack}" for stack in ("stack", "demo/stack")} <= {*ended}
