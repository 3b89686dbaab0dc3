"""Composition root: `python -m services.adapters.market worker`."""

from chassis.run import main


def worker() -> None:
    """Consumes `market.ingest`."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from contracts.topology import MARKET_INGEST
    from services.adapters.market.formats import FORMATS
    from services.adapters.market.settings import MarketSettings
    from services.adapters.worker import adapter

    run(adapter(MARKET_INGEST, FORMATS), MarketSettings())


main(worker=worker)
