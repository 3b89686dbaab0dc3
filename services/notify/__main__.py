"""Composition root: `python -m services.notify worker|api|web`."""

from chassis.run import main


def worker() -> None:
    """Consumes the bus, plans and sends; relays the outbox."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from services.notify.settings import NotifySettings
    from services.notify.worker import NotifyWorker

    run(NotifyWorker, NotifySettings())


def api() -> None:
    """Serves gRPC."""
    from chassis.api.run import run
    from services.notify.api import SERVICE
    from services.notify.settings import NotifySettings
    from services.notify.store import COLLECTIONS

    run(NotifySettings(), [SERVICE], COLLECTIONS)


def web() -> None:
    """Takes the providers' callbacks."""
    from services.notify.settings import NotifySettings
    from services.notify.web import run

    run(NotifySettings())


main(worker=worker, api=api, web=web)
