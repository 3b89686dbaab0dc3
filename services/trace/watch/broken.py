"""Judging handoffs: what is broken, since when, and whom it is laid to. Pure; driven like `walk`."""

from collections.abc import Generator, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from contracts.fields import day_of
from contracts.findings import FindingKind
from contracts.trace import Link
from services.trace.asks import EventsNamed, SitesOf
from services.trace.lineage import Event, Place
from services.trace.sites import Sites
from services.trace.walks.chain import GROWN
from services.trace.watch import terms
from services.trace.watch.handoff_accounts import Discrepancy, discrepancies
from services.trace.watch.handoffs import Half, Handoff, unanswered
from services.trace.watch.terms import Duty


class HandoffsOf(NamedTuple):
    """Request: every handoff of these batches, or those between any of these sites."""

    batches: tuple[str, ...]
    sites: tuple[str, ...] = ()


Request = HandoffsOf | EventsNamed | SitesOf


class Broken(NamedTuple):
    """What is wrong with a handoff and should have been put right by `due_at`, at `site`; `event` is the half that
    nothing answers.
    """

    discrepancy: Discrepancy
    due_at: datetime
    event: Event
    site: Place
    other: Place


class Judgement(NamedTuple):
    """A handoff as it was read, and what is wrong with it."""

    handoff: Handoff
    broken: tuple[Broken, ...]


def judge(asked: HandoffsOf) -> Generator[Request, Any, list[Judgement]]:
    """Judges handoffs by everything told so far, in today's site ids.

    Those between some sites may be judged alone where no half of the batches names but one side; any of the sites' ids
    will do.
    """
    sites = Sites()
    yield from sites.resolve((), *asked.sites)
    ids = {id for site in asked.sites for id in sites.ids(sites.now(site))}
    found: list[Handoff] = yield asked._replace(sites=tuple(sorted(ids)))
    yield from sites.resolve((), *(site for handoff in found for site in (handoff.tail, handoff.head)))
    today = [each._replace(tail=sites.now(each.tail), head=sites.now(each.head)) for each in found]
    kinds, disagreeing = unanswered(today), discrepancies(today)
    wrong = {each.id: [_missing(each, kinds[each.id])] for each in today if each.id in kinds} | disagreeing
    named = {discrepancy.owed[-1].event for each in wrong.values() for discrepancy in each}
    evidence: list[Event] = yield EventsNamed(tuple(sorted(named)))
    events = {event.id: event for event in (yield from sites.resolve(evidence))}
    return [Judgement(each, tuple(_broken(each, wrong.get(each.id, ()), events, sites))) for each in today]


_DUTIES = {FindingKind.OVERDUE_SHIPMENT: Duty.RECEIPT, FindingKind.UNKNOWN_SOURCE: Duty.SHIPMENT}


def _missing(handoff: Handoff, kind: FindingKind) -> Discrepancy:
    return Discrepancy(kind, _DUTIES[kind], (handoff.first,))


def _broken(
    handoff: Handoff, wrong: Iterable[Discrepancy], events: Mapping[str, Event], sites: Sites
) -> Iterable[Broken]:
    tail, head = sites.place(handoff.tail), sites.place(handoff.head)
    # A sender that names nobody answers for its handoff itself.
    site, other = (head, tail) if handoff.head else (tail, head)
    for discrepancy in wrong:
        if not (discrepancy.kind is FindingKind.UNKNOWN_SOURCE and _own_produce(handoff, tail)):
            slow = tail if discrepancy.duty is Duty.SHIPMENT else site
            due_at = max(_due(half, discrepancy.duty, slow) for half in discrepancy.owed)
            yield Broken(discrepancy, due_at, events[discrepancy.owed[-1].event], site, other)


def _own_produce(handoff: Handoff, tail: Place) -> bool:
    """A grower's produce is first heard of when it is delivered: law 65 asks for no record before (`chain`)."""
    return tail.link is Link.PRODUCTION and handoff.categories <= GROWN


def _due(half: Half, duty: Duty, place: Place) -> datetime:
    return half.time + terms.allowed(duty, day_of(half.time), half.category, place.link, place.division)
