"""Inspection's worker, which another worker overtakes: the registry's word on a site comes right after it looked."""

from collections.abc import Iterable
from typing import Any

from chassis.worker.run import run  # first: it makes the standard library green
from contracts.registry import SiteFacts
from services.inspection import replica, store
from services.inspection.places import Sites
from services.inspection.settings import InspectionSettings
from services.inspection.worker import InspectionWorker
from tests.integration.inspection import site

look = InspectionWorker._sites


def overtaken(worker: Any, ids: Iterable[str]) -> Sites:
    """What the worker sees; what it would see a moment later is written."""
    seen = look(worker, ids)
    worker.store.db[store.SITES].bulk_write([replica.site_changed(SiteFacts.model_validate(site()))])
    return seen


InspectionWorker._sites = overtaken  # type: ignore[assignment, method-assign]

if __name__ == "__main__":
    run(InspectionWorker, InspectionSettings())
