"""Composition root: `python -m services.reporting worker|api`."""

from chassis.run import main


def worker() -> None:
    """Consumes the bus, freezes the bulletins and relays the outbox."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from services.reporting.settings import ReportingSettings
    from services.reporting.worker import ReportingWorker

    run(ReportingWorker, ReportingSettings())


def api() -> None:
    """Serves gRPC."""
    from chassis.api.run import run
    from services.reporting.api import service
    from services.reporting.settings import ReportingSettings
    from services.reporting.store import COLLECTIONS

    settings = ReportingSettings()
    run(settings, [service(settings)], COLLECTIONS)


main(worker=worker, api=api)
