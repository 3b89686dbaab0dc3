"""Composition root: `python -m services.adapters.docking worker`."""

from chassis.run import main


def worker() -> None:
    """Consumes `docking.ingest`."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from contracts.topology import DOCKING_INGEST
    from services.adapters.docking.formats import FORMATS
    from services.adapters.docking.settings import DockingSettings
    from services.adapters.worker import adapter

    run(adapter(DOCKING_INGEST, FORMATS), DockingSettings())


main(worker=worker)
