"""One vehicle with animals under more than one certificate at once (S0; domain: "Animal chain"). Pure.

Of meat a vehicle carries one certificate for each consignment, which is no doubt.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from contracts.fields import day_of, is_day_only
from contracts.findings import FindingKind
from contracts.trace import Step
from contracts.workdays import midnight_after
from services.trace.lineage import TAKEOVERS, Event
from services.trace.truth.animals import answers, certificates, sets_out
from services.trace.truth.statements import Doubt, Statement, by_time, ids, last, once

ENDS: Final = TAKEOVERS | {Step.SLAUGHTER}


class Trip(NamedTuple):
    """A certificate's way on one vehicle on one day."""

    number: str
    start: datetime
    end: datetime
    event: Event


def two_certificates(statements: Iterable[Statement], arrivals: Iterable[Statement]) -> Doubt | None:
    """One vehicle that carried animals under more than one certificate at once.

    `statements` are one vehicle's of one day in Shanghai; `arrivals` those that cite the same certificates, or take
    over what set out, whatever vehicle they name. A trip lasts from its first event on the vehicle to the first
    arrival, else to the day's end.
    """
    standing = once(statements)
    trips = _trips(standing, once(arrivals))
    together = [(a, b) for place, a in enumerate(trips) for b in trips[place + 1 :] if _overlap(a, b)]
    if not together:
        return None
    found = sorted({trip for pair in together for trip in pair}, key=lambda trip: (trip.start, trip.number))
    numbers, events = [trip.number for trip in found], [trip.event for trip in found]
    event = last(events)
    return Doubt(
        FindingKind.VEHICLE_WITH_TWO_CERTIFICATES,
        event,
        ids(events),
        "1",
        ", ".join(numbers),
        standing[0].vehicle,
        numbers[-1],
    )


def _trips(told: Sequence[Statement], arrivals: Sequence[Statement]) -> list[Trip]:
    starts: dict[str, list[Event]] = {}
    for each in told:
        for key in {paper.key for paper in each.papers if sets_out(each, paper.key)}:
            starts.setdefault(key, []).append(each.event)
    return [_trip(key, events, arrivals) for key, events in sorted(starts.items())]


def _trip(key: str, events: Sequence[Event], arrivals: Sequence[Statement]) -> Trip:
    first = min(events, key=by_time)
    whole_day = midnight_after(day_of(first.time))
    ended = [
        each.event.time
        for each in arrivals
        if each.event.step in ENDS and each.event.time >= first.time and _ends(key, events, each)
    ]
    known = [at for at in ended if not is_day_only(at)] if not is_day_only(first.time) else []
    return Trip(key, first.time, min([*known, whole_day]), first)


def _ends(key: str, events: Sequence[Event], arrival: Statement) -> bool:
    """Whether an arrival is of this trip: it says so, or says of no certificate and takes over what set out."""
    numbers = certificates(arrival)
    return any(paper.key == key for paper in arrival.papers) or (not numbers and answers(arrival.event, events))


def _overlap(one: Trip, other: Trip) -> bool:
    return one.start < other.end and other.start < one.end
