"""Where deployed things are described, and what a process is called there."""

from typing import Final

import pytest

from deploy.local.home import ROOT
from deploy.local.processes import PROCESSES, Process

DEPLOY: Final = ROOT / "deploy"
HTTP: Final = 9100
GRPC: Final = 50051


def deployed(process: Process) -> str:
    """Name of a process in containers: `adapters-one-network-worker`."""
    return process.name.replace(".", "-").replace("_", "-")


by_process = pytest.mark.parametrize("process", PROCESSES, ids=deployed)
