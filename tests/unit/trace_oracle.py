"""Random chains over a week, and what counting finds in them: written out of the README's table, sharing no code."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from hypothesis import strategies as st

from contracts.trace import Step
from services.trace.lineage import Event
from tests.unit.trace_world import event, goods

SITES, BATCHES = ("s0", "s1", "s2", "s3"), ("A", "B", "C", "D")

Arrow = tuple[str, str, int]
"""From a node to a node, on a day."""

State = tuple[str, int]
"""Goods at a node since a day."""

LONG_AGO = -99


def later(told: Event, days: int) -> Event:
    """The same, so many days later."""
    return told._replace(time=told.time + timedelta(days=days))


@st.composite
def weeks(draw: st.DrawFn) -> list[Event]:
    """Shipments, receipts and meals, a few to a day."""
    found: list[Event] = []
    for number in range(draw(st.integers(0, 14))):
        step = draw(st.sampled_from((Step.SHIPPING, Step.RECEIVING, Step.MAKING, Step.MAKING, Step.STORING)))
        here, there = draw(st.permutations(SITES))[:2]
        lots = [goods(*draw(st.lists(st.sampled_from(BATCHES), min_size=1, max_size=2, unique=True))) for _ in "io"]
        inputs, outputs = lots if step is Step.MAKING else (lots[0], lots[0])
        hour = 24 * draw(st.integers(0, 6)) + draw(st.integers(0, 15))
        found.append(event(f"e{number}", step, here, inputs, outputs, there if step is not Step.MAKING else "", hour))
    return found


def arrows(events: Iterable[Event], in_time: bool = True) -> set[Arrow]:
    """Where goods went, and on which day of January in Shanghai; day 0 for all where time does not matter."""
    return {
        (tail, head, (each.time.day if each.time.hour < 16 else each.time.day + 1) if in_time else 0)
        for each in events
        for tail, head in _moved(each)
        if tail != head
    }


def _moved(each: Event) -> Iterator[tuple[str, str]]:
    here, there = each.here.site, each.there.site
    old, new = ([lot.batch for lot in side] for side in (each.inputs, each.outputs))
    if each.step is Step.MAKING:
        yield from ((f"{a}@{here}", f"{b}@{here}") for a in old for b in new)
    if each.step in (Step.SHIPPING, Step.RETURNING, Step.RECEIVING):
        renamed = [a for a in old if a not in new], [b for b in new if b not in old]
        if len(renamed[0]) == len(renamed[1]):
            yield from ((f"{a}@{here}", f"{b}@{here}") for a, b in zip(*renamed, strict=True))
        else:
            yield from ((f"{a}@{here}", f"{b}@{here}") for a in renamed[0] or old for b in renamed[1] or new)
        if each.step is Step.RECEIVING:
            yield from ((f"{a}@{there}", f"{a}@{here}") for a in old)
        else:
            yield from ((f"{b}@{here}", f"{b}@{there}") for b in new)


def nodes_of(events: Iterable[Event], batch: str) -> set[str]:
    """Every node of a batch that an event names."""
    found: set[str] = set()
    for each in events:
        crossing = {Step.RECEIVING: each.inputs, Step.SHIPPING: each.outputs, Step.RETURNING: each.outputs}
        lots = [(each.goods, each.here), (crossing.get(each.step, ()), each.there)]
        found |= {f"{lot.batch}@{place.site}" for goods, place in lots for lot in goods if lot.batch == batch}
    return found


def states(starts: Iterable[str], told: set[Arrow], since: int = LONG_AGO) -> set[State]:
    """Everywhere goods may have come, and when, until nothing new is found."""
    found = {(start, since) for start in starts}
    while True:
        more = {(head, day) for tail, head, day in told for node, came in found if node == tail and came <= day}
        if more <= found:
            return found
        found |= more


def backward(told: set[Arrow]) -> set[Arrow]:
    """The same arrows walked backward: from head to tail, and time runs the other way."""
    return {(head, tail, -day) for tail, head, day in told}


def reached(starts: Iterable[str], told: set[Arrow]) -> set[str]:
    """The nodes of `states`."""
    return {node for node, _ in states(starts, told)}
