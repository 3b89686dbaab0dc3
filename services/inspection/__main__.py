"""Composition root: `python -m services.inspection worker|api`."""

from chassis.run import main


def worker() -> None:
    """Consumes the bus, fires timers and relays the outbox."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from services.inspection.settings import InspectionSettings
    from services.inspection.worker import InspectionWorker

    run(InspectionWorker, InspectionSettings())


def api() -> None:
    """Serves gRPC."""
    from chassis.api.run import run
    from services.inspection.api import SERVICE
    from services.inspection.settings import InspectionSettings
    from services.inspection.store import COLLECTIONS

    run(InspectionSettings(), [SERVICE], COLLECTIONS)


main(worker=worker, api=api)
