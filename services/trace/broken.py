"""Judging handoffs: what is broken, since when, and whom it is laid to. Pure; driven like `walk`."""

from collections.abc import Generator, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from contracts.fields import SHANGHAI
from contracts.findings import FindingKind
from contracts.trace import Link
from services.trace import terms
from services.trace.chain import GROWN
from services.trace.handoffs import Handoff, unanswered
from services.trace.lineage import Event, Place
from services.trace.sites import Sites, SitesOf


class HandoffsOf(NamedTuple):
    """Request: every handoff of these batches."""

    batches: tuple[str, ...]


class EventsNamed(NamedTuple):
    """Request: the events of these ids."""

    ids: tuple[str, ...]


Request = HandoffsOf | EventsNamed | SitesOf


class Broken(NamedTuple):
    """A handoff without one half: which should have come by `due_at`, at `site`; `event` is the half that came."""

    kind: FindingKind
    due_at: datetime
    event: Event
    site: Place
    other: Place


class Judgement(NamedTuple):
    """A handoff as it was read, and what is wrong with it."""

    handoff: Handoff
    broken: Broken | None


def judge(batches: Iterable[str]) -> Generator[Request, Any, list[Judgement]]:
    """Judges all handoffs of these batches by everything told so far, in today's site ids."""
    found: list[Handoff] = yield HandoffsOf(tuple(sorted(set(batches))))
    sites = Sites()
    yield from sites.resolve((), *(site for handoff in found for site in (handoff.tail, handoff.head)))
    today = [each._replace(tail=sites.now(each.tail), head=sites.now(each.head)) for each in found]
    kinds = unanswered(today)
    evidence: list[Event] = yield EventsNamed(tuple(sorted({each.first.event for each in today if each.id in kinds})))
    events = {event.id: event for event in (yield from sites.resolve(evidence))}
    return [
        Judgement(handoff, _broken(handoff, kinds[handoff.id], events[handoff.first.event], sites))
        if handoff.id in kinds
        else Judgement(handoff, None)
        for handoff in today
    ]


def _broken(handoff: Handoff, kind: FindingKind, event: Event, sites: Sites) -> Broken | None:
    tail, head = sites.place(handoff.tail), sites.place(handoff.head)
    if kind is FindingKind.UNKNOWN_SOURCE:
        if _own_produce(handoff, tail):
            return None
        return Broken(kind, _due(handoff, terms.UPLOADS, tail), event, head, tail)
    # A sender that names nobody answers for its handoff itself.
    site, other = (head, tail) if handoff.head else (tail, head)
    return Broken(kind, _due(handoff, terms.RECEIPTS, site), event, site, other)


def _own_produce(handoff: Handoff, tail: Place) -> bool:
    """A grower's produce is first heard of when it is delivered: law 65 asks for no record before (`chain`)."""
    return tail.link is Link.PRODUCTION and handoff.categories <= GROWN


def _due(handoff: Handoff, table: tuple[terms.Term, ...], place: Place) -> datetime:
    since = handoff.first.time
    day = since.astimezone(SHANGHAI).date()
    return since + terms.allowed(table, day, handoff.categories, place.link, place.division)
