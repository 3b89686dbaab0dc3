"""The probe as a process. `chassis.worker.run` comes first: it makes the standard library green."""

from chassis.settings import Settings
from chassis.worker.run import run
from tests.integration.probe import ProbeWorker

if __name__ == "__main__":
    run(ProbeWorker, Settings())
