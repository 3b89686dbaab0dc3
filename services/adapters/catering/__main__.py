"""Composition root: `python -m services.adapters.catering worker`."""

from chassis.run import main


def worker() -> None:
    """Consumes `catering.ingest`."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from contracts.topology import CATERING_INGEST
    from services.adapters.catering.formats import FORMATS
    from services.adapters.catering.settings import CateringSettings
    from services.adapters.worker import adapter

    run(adapter(CATERING_INGEST, FORMATS), CateringSettings())


main(worker=worker)
