"""Every type of message that a binding brings to a queue has a model there: one without it would be a dead letter."""

import json
import re
import subprocess
import sys

import pytest

from contracts import topology
from contracts.catalogue import CATALOGUE
from contracts.topology import Queue

WORKERS = ("registry", "trace", "inspection", "notify", "reporting")
QUEUES = {queue.name: queue for queue in vars(topology).values() if isinstance(queue, Queue)}
TELL = """
import json, sys
from importlib import import_module
from chassis.worker.consumer import Consumer
module = import_module(f"services.{sys.argv[1]}.worker")
[worker] = [each for name, each in vars(module).items() if name.lower() == f"{sys.argv[1]}worker"]
entrypoints = [each for method in vars(worker).values() for each in getattr(method, "nameko_entrypoints", ())]
print(json.dumps({each.queue.name: sorted(each.models) for each in entrypoints if isinstance(each, Consumer)}))
"""
"""Prints a worker's queues and the types it has models of; apart, since a test's process is no worker (ADR 0001)."""


def brought(queue: Queue) -> list[str]:
    """Types of the catalogue that the queue's bindings match."""
    patterns = [re.escape(key).replace(r"\*", r"[^.]+") for key in queue.keys]
    matching = [each for each in CATALOGUE if each.exchange == queue.exchange]
    return sorted(each.name for each in matching if any(re.fullmatch(one, each.routing_key) for one in patterns))


@pytest.mark.parametrize("service", WORKERS)
def test_every_type_that_is_brought_has_a_model(service: str) -> None:
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", TELL, service], capture_output=True, check=True)
    taken = json.loads(told.stdout)
    assert taken
    assert taken == {name: brought(QUEUES[name]) for name in taken}
