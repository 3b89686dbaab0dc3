"""The stubs are what the proto files say, and the check says nothing when they are."""

import subprocess
import sys

from tests.processes import ROOT


def test_stubs_are_up_to_date_and_the_check_is_silent() -> None:
    command = [sys.executable, "-m", "proto.generate", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")
