"""Composition root: `python -m services.registry worker|api`."""

from chassis.run import main


def worker() -> None:
    """Consumes the bus and relays the outbox."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from services.registry.settings import RegistrySettings
    from services.registry.worker import RegistryWorker

    run(RegistryWorker, RegistrySettings())


def api() -> None:
    """Serves gRPC."""
    from chassis.api.run import run
    from services.registry.api import SERVICE
    from services.registry.settings import RegistrySettings
    from services.registry.store import COLLECTIONS

    run(RegistrySettings(), [SERVICE], COLLECTIONS)


main(worker=worker, api=api)
