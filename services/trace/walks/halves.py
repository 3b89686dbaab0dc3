"""Which halves of a handoff that name no other side are told by that side too. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.trace.lineage import Event, goods_on, split


class Told(NamedTuple):
    """An edge with the event that tells it."""

    tail: str
    head: str
    event: Event


def answered(node: str, halves: Sequence[Told], named: Iterable[Told]) -> list[str]:
    """Ids of the node's own `halves`, which name no other side, that are told from the other side too.

    `named` are the node's edges on the same side of it that name both. What others report beyond what the node's
    site itself reports of them answers a half: one of the same quantity, else the earliest.
    """
    waiting = sorted(halves, key=_by_time)
    found: list[str] = []
    for spare in _spare(split(node)[1], sorted(named, key=_by_time)):
        if waiting:
            same = (half for half in waiting if _amount(half) == _amount(spare))
            half = next(same, waiting[0])
            waiting.remove(half)
            found.append(half.event.id)
    return found


def _by_time(told: Told) -> tuple[object, str]:
    return told.event.time, told.event.id


def _amount(told: Told) -> tuple[object, ...]:
    return goods_on(told.event, told.tail)[:3]


def _spare(site: str, named: Iterable[Told]) -> Iterable[Told]:
    """Handoffs reported by the other side only."""
    own: dict[tuple[str, str], int] = defaultdict(int)
    others: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for told in named:
        if told.event.here.site == site:
            own[told.tail, told.head] += 1
        else:
            others[told.tail, told.head].append(told)
    return [told for ends, tellings in others.items() for told in tellings[own[ends] :]]
