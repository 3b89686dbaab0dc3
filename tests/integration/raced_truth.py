"""Trace's worker, which another worker overtakes: a late receipt is recorded, and examined there, when this one has
looked.
"""

from collections.abc import Sequence
from typing import Any

from chassis.worker.run import run  # first: it makes the standard library green
from services.trace import store
from services.trace.settings import TraceSettings
from services.trace.truth import watch as truth_watch
from services.trace.truth.findings import Judged
from services.trace.worker import TraceWorker

look = truth_watch._judged


def overtaken(reader: Any, *asked: Any) -> tuple[Any, Sequence[Judged]]:
    """What the worker finds; what puts it right is written before it commits, and who wrote it found nothing wrong."""
    found = look(reader, *asked)
    if found[1]:
        events = reader._db[store.EVENTS]
        late = events.find_one({"_id": "E3"})
        events.update_one({"_id": "E5"}, {"$setOnInsert": {**late, "_id": "E5"}}, upsert=True)
    return found


truth_watch._judged = overtaken  # type: ignore[assignment]

if __name__ == "__main__":
    run(TraceWorker, TraceSettings())
