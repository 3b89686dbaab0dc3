"""The probe as a process, put together as a service's `__main__` is."""

from chassis.run import main


def worker() -> None:
    """Consumes the probe's queue."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from chassis.settings import Settings  # isort: skip
    from tests.integration.probe import ProbeWorker

    run(ProbeWorker, Settings())


main(worker=worker)
