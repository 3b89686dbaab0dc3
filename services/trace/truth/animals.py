"""Live alerts about animals on their way under a quarantine certificate (S0; domain: "Animal chain"). Pure.

Animals depart with the first handovers under a certificate, and have arrived when somebody else takes them over.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from contracts.fields import day_of
from contracts.findings import FindingKind
from contracts.trace import Step
from contracts.workdays import midnight_after
from services.trace.lineage import HANDOVERS, TAKEOVERS, UNNAMED, Event, edges, goods_on, split
from services.trace.truth.papers import brought, certifies, cited, last_day, number_of
from services.trace.truth.statements import QUARANTINE, Doubt, Paper, Statement, ids, last, once

HEADS: Final = "HEA"

LONGEST: Final = timedelta(days=5)
"""The longest that animals may be under way, where their certificate tells neither its form nor its last day."""

SETS_OUT: Final = frozenset({Step.SHIPPING, Step.TRANSPORT, Step.CHECKPOINT})


class Journey(NamedTuple):
    """Animals under one certificate: who handed them over first, who took them over from there, until when they may."""

    number: str
    departures: tuple[Event, ...]
    arrivals: tuple[Event, ...]
    departed: Decimal | None
    arrived: Decimal | None
    ends_at: datetime


def is_of_animals(statement: Statement, paper: Paper) -> bool:
    """Whether a paper is a quarantine certificate of live animals."""
    return paper.kind == QUARANTINE and ((paper.form or "").startswith("animal") or statement.live)


def sets_out(statement: Statement, key: str) -> bool:
    """Whether animals are on their way under a certificate, as an event tells it."""
    return statement.event.step in SETS_OUT and any(
        paper.key == key and is_of_animals(statement, paper) for paper in statement.papers
    )


def misled(key: str, statements: Iterable[Statement]) -> Doubt | None:
    """Animals of a certificate that did not arrive, or not as many as departed, or more.

    More is wrong at once; fewer, or none, once the certificate's validity has ended without the others. Every event
    that cites it, or touches the same nodes, has to be given. What leaves the province is out of sight.
    """
    journey = _journey(key, once(statements))
    if journey is None:
        return None
    if not journey.arrivals:
        return _not_arrived(journey)
    if journey.departed is None or journey.arrived is None or journey.departed == journey.arrived:
        return None
    late = journey.arrived < journey.departed
    return _doubt(FindingKind.HEAD_COUNT_MISMATCH, journey, last(journey.arrivals), journey.ends_at if late else None)


def _not_arrived(journey: Journey) -> Doubt | None:
    """Laid to the receiver; to the sender where it names none."""
    event = last(journey.departures)
    doubt = _doubt(FindingKind.ANIMALS_NOT_ARRIVED, journey, event, journey.ends_at)
    return doubt._replace(site=event.there.site or event.here.site)


def _doubt(kind: FindingKind, journey: Journey, event: Event, until: datetime | None) -> Doubt:
    shows = ids([*journey.departures, *journey.arrivals])
    allowed, told = _heads(journey.departed), _heads(journey.arrived if journey.arrivals else Decimal(0))
    return Doubt(kind, event, shows, allowed, told, "0", journey.number, until=until)


def _heads(count: Decimal | None) -> str:
    return "?" if count is None else f"{count.normalize():f} {HEADS}"


def _journey(key: str, statements: Sequence[Statement]) -> Journey | None:
    citing = cited(key, statements)
    under = brought(citing, statements)
    of_animals = [
        each for each in citing if any(paper.key == key and is_of_animals(each, paper) for paper in each.papers)
    ]
    out = [each for each in of_animals if each.event.step in HANDOVERS]
    first = [each for each in out if any(tail not in under for tail, _ in edges(each.event))]
    if not first or any(each.event.there.external for each in first):
        return None
    departures = tuple(each.event for each in first)
    ours = [each for each in statements if not _under_another(each, key)]
    arrived = [each for each in ours if each.event.step in TAKEOVERS and answers(each.event, departures)]
    certified = certifies(key, citing)
    told = _counted(departures)
    if told is None and certified and certified.unit == HEADS:
        told = certified.quantity
    others = [each.event for each in statements if _under_another(each, key) and _beside(each.event, departures)]
    heads = _came(told, arrived, _counted(others))
    arrivals = tuple(each.event for each in arrived)
    return Journey(number_of(key, citing), departures, arrivals, told, heads, _ends(key, first))


def certificates(statement: Statement) -> set[str]:
    """Numbers of the certificates that animals are under, as an event tells it."""
    return {paper.key for paper in statement.papers if is_of_animals(statement, paper)}


def _under_another(statement: Statement, key: str) -> bool:
    """Whether animals were under other certificates only: one lot may leave in many loads."""
    numbers = certificates(statement)
    return bool(numbers) and key not in numbers


def _beside(event: Event, departures: Iterable[Event]) -> bool:
    """Whether an event hands animals of the same lots over to the same site."""
    ways = {edge for departure in departures for edge in edges(departure)}
    return event.step in HANDOVERS and not ways.isdisjoint(edges(event))


def _came(departed: Decimal | None, arrived: Iterable[Statement], others: Decimal | None) -> Decimal | None:
    """Heads that arrived; what cites no certificate may have come in `others`, the lot's other loads."""
    arrived = [*arrived]
    heads = _counted(each.event for each in arrived)
    if heads is None or departed is None or heads <= departed:
        return heads
    uncited = _counted(each.event for each in arrived if not certificates(each)) or Decimal(0)
    return max(departed, heads - (uncited if others is None else min(uncited, others)))


def answers(receipt: Event, departures: Iterable[Event]) -> bool:
    """Whether a receipt takes over what departed: the same batch, of the same sender or of nobody named, by the
    receiver or by somebody where none is named.
    """
    return any(
        _meet(ours, theirs) for departure in departures for ours in edges(departure) for theirs in edges(receipt)
    )


def _meet(departed: tuple[str, str], came: tuple[str, str]) -> bool:
    (batch, sender), (_, receiver) = split(departed[0]), split(departed[1])
    (theirs, supplier), (_, taker) = split(came[0]), split(came[1])
    return batch == theirs and supplier in (sender, UNNAMED) and receiver in (taker, UNNAMED) and taker != sender


def _counted(events: Iterable[Event]) -> Decimal | None:
    """Heads in events, those sold and shipped, or bought and received, once; None where one of them tells none."""
    heads: dict[tuple[str, str], dict[Step, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for event in events:
        for tail, head in edges(event):
            goods = goods_on(event, tail)
            if split(tail)[1] == split(head)[1]:
                continue
            if goods.unit != HEADS or goods.quantity is None:
                return None
            heads[tail, head][event.step] += goods.quantity
    return sum((max(steps.values()) for steps in heads.values()), Decimal(0))


def _ends(key: str, departures: Sequence[Statement]) -> datetime:
    ends = [last_day(paper) for each in departures for paper in each.papers if paper.key == key]
    known = [end for end in ends if end]
    if known:
        return midnight_after(min(known))
    return midnight_after(day_of(max(each.event.time for each in departures) + LONGEST))
