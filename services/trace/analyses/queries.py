"""What analyses ask of events beside their walks: filters and what they find. No I/O."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final

from contracts.trace import Step
from services.trace.analyses.contamination import ON_LINES, Use
from services.trace.analyses.requests import begin_of, begin_of_day
from services.trace.asks import Bounds
from services.trace.lineage import TRANSFORMS, day_of
from services.trace.rows import lots_of
from services.trace.told import Stored
from services.trace.walks.walk import PER_REQUEST

MOST_USES: Final = 5_000
"""Steps of a site that are looked at, the earliest first."""

OLDEST_FIRST: Final = (("time", 1), ("_id", 1))


def uses_of(batches: Collection[str], sites: Collection[str], bounds: Bounds) -> Stored:
    """Filter of the steps at these sites that worked on one of the batches or made it."""
    return _steps({"batches": {"$in": sorted(batches)}}, sites, TRANSFORMS, bounds.since, bounds.until)


def cleanings(sites: Collection[str], since: datetime, until: datetime | None) -> Stored:
    """Filter of the clean-downs of a site's lines, as `on_lines`."""
    return _steps({}, sites, (Step.CLEANING,), begin_of_day(since), until)


def on_lines(sites: Collection[str], since: datetime, until: datetime | None) -> Stored:
    """Filter of what happened on the lines of a site, given by all its ids, from the day of a moment on."""
    return _steps({}, sites, ON_LINES, begin_of_day(since), until)


def _steps(
    where: Stored, sites: Collection[str], steps: Iterable[Step], since: datetime | None, until: datetime | None
) -> Stored:
    times = {op: at for op, at in (("$gte", since), ("$lt", until)) if at}
    found = where | {"site": {"$in": sorted(sites)}, "step": {"$in": sorted(steps)}, "declared": None}
    return found | ({"time": times} if times else {})


def cooked(ids: Collection[str], day: date) -> Iterator[Stored]:
    """Filters of the kitchen uses of a day in Shanghai among these events, a request of them at a time."""
    wanted = sorted(ids)
    for first in range(0, len(wanted), PER_REQUEST):
        some = wanted[first : first + PER_REQUEST]
        yield {"_id": {"$in": some}, "step": Step.KITCHEN_USE, "day": day_of(begin_of(day))}


def use(row: Stored) -> Use:
    """An event as a step on a line."""
    inputs, outputs = ([lot["batch"] for lot in lots] for lots in lots_of(row))
    return Use(row["_id"], Step(row["step"]), row["time"], row.get("production_line"), tuple(inputs), tuple(outputs))


def product_of(row: Stored, batch: str) -> str:
    """What an event calls a batch's goods."""
    lots: list[dict[str, Any]] = [lot for side in lots_of(row) for lot in side]
    return next((lot["product"] for lot in lots if lot["batch"] == batch and lot.get("product")), "")
