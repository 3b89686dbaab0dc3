"""The same vehicle or animal at two places too far apart for the time between. Pure.

Sites have no coordinates here: their division codes tell how far apart they are at least. A paper that carries a day
only tells no moment and is left out.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from typing import Final

from contracts.fields import is_day_only
from contracts.findings import FindingKind
from contracts.trace import Step
from services.trace.lineage import Event
from services.trace.truth.statements import Doubt, Statement, by_time, moment, once

COUNTY: Final = 6
"""Digits of a county's code; fewer name no county."""

APART: Final = ((2, timedelta(minutes=60)), (4, timedelta(minutes=30)), (6, timedelta(minutes=10)))
"""⚠ Provisional: sites that differ in so many first digits (province, city, county) are at least so long apart."""

SEEN: Final = frozenset({Step.SHIPPING, Step.RECEIVING, Step.PURCHASE, Step.RETURNING, Step.CHECKPOINT})
"""Steps at which a vehicle stands at the site that tells of it; a carrier's own record of transport tells no place."""


def vehicle_apart(statements: Iterable[Statement]) -> Doubt | None:
    """One vehicle; its statements of a day have to be given."""
    return _apart([each.event for each in once(statements) if each.event.step in SEEN])


def animal_apart(statements: Iterable[Statement]) -> Doubt | None:
    """One ear tag; all its statements have to be given. An animal is slaughtered once, too."""
    seen = [each.event for each in once(statements)]
    slain = [event for event in seen if event.step is Step.SLAUGHTER]
    twice = next(((a, b) for a, b in pairwise(slain) if a.here.site != b.here.site), None)
    return _doubt(*twice, None) if twice else _apart(seen)


def _apart(events: Iterable[Event]) -> Doubt | None:
    """The first two sightings that follow each other too soon.

    Of any two too close in time, some two that follow each other are too: the way between them crosses as high a
    border, in no more time.
    """
    told = sorted((event for event in events if not is_day_only(event.time)), key=by_time)
    seen = [event for event in told if len(event.here.division or "") >= COUNTY]
    for before, after in pairwise(seen):
        least = way(before.here.division or "", after.here.division or "")
        if after.time - before.time < least:
            return _doubt(before, after, least)
    return None


def way(one: str, other: str) -> timedelta:
    """The time it takes at least from one division to another."""
    return next((least for digits, least in APART if one[:digits] != other[:digits]), timedelta(0))


def _doubt(before: Event, after: Event, least: timedelta | None) -> Doubt:
    """Laid to the later one's site, which tells of what cannot be."""
    return Doubt(
        FindingKind.IMPOSSIBLE_PLACE,
        after,
        (before.id, after.id),
        _at(before),
        _at(after),
        f"{least // timedelta(minutes=1)} min" if least else None,
        after.document,
    )


def _at(event: Event) -> str:
    """Division and time; not whose site it is, for who reads of its own need not know others' trade."""
    return f"{event.here.division or ''} {moment(event.time)}".strip()
