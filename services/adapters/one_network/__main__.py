"""Composition root: `python -m services.adapters.one_network worker`."""

from chassis.run import main


def worker() -> None:
    """Consumes `one_network.ingest`."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from contracts.topology import ONE_NETWORK_INGEST
    from services.adapters.one_network.formats import FORMATS
    from services.adapters.one_network.settings import OneNetworkSettings
    from services.adapters.worker import adapter

    run(adapter(ONE_NETWORK_INGEST, FORMATS), OneNetworkSettings())


main(worker=worker)
