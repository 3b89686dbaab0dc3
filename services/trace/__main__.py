"""Composition root: `python -m services.trace worker|api`."""

from chassis.run import main


def worker() -> None:
    """Consumes the bus and relays the outbox."""
    from chassis.worker.run import run  # first: it makes the standard library green
    from services.trace.settings import TraceSettings
    from services.trace.worker import TraceWorker

    run(TraceWorker, TraceSettings())


def api() -> None:
    """Serves gRPC."""
    from chassis.api.run import run
    from services.trace.analyses.api import SERVICE as ANALYSIS
    from services.trace.api import SERVICE
    from services.trace.evidence.api import SERVICE as EVIDENCE
    from services.trace.recalls.api import SERVICE as RECALLS
    from services.trace.settings import TraceSettings
    from services.trace.store import COLLECTIONS

    run(TraceSettings(), [SERVICE, ANALYSIS, EVIDENCE, RECALLS], COLLECTIONS)


main(worker=worker, api=api)
