"""Random chains, and what brute force finds in them."""

from collections.abc import Iterable

from hypothesis import strategies as st

from contracts.trace import Step
from services.trace.chain import Direction
from services.trace.lineage import Event, edges, split
from tests.unit.trace_world import event, goods, world

SITES = ("s0", "s1", "s2", "s3")
BATCHES = ("A", "B", "C", "D")


@st.composite
def chains(draw: st.DrawFn, others: tuple[str, ...] = SITES) -> list[Event]:
    """Random events among four sites and four batches."""
    batch, site = st.sampled_from(BATCHES), st.sampled_from(SITES)
    found: list[Event] = []
    for number in range(draw(st.integers(0, 12))):
        step = draw(st.sampled_from((Step.SHIPPING, Step.RECEIVING, Step.RETURNING, Step.MAKING, Step.STORING)))
        inputs = goods(*draw(st.lists(batch, min_size=1, max_size=2, unique=True)))
        outputs = goods(*draw(st.lists(batch, min_size=1, max_size=2, unique=True)))
        found.append(event(f"e{number}", step, draw(site), inputs, outputs, draw(st.sampled_from(others))))
    return found


def reachable(starts: Iterable[str], arrows: set[tuple[str, str]]) -> set[str]:
    """Brute force: nodes from which nothing new can be reached any more."""
    reached = set(starts)
    while more := {head for tail, head in arrows if tail in reached} - reached:
        reached |= more
    return reached


def arrows_of(events: list[Event], direction: Direction) -> set[tuple[str, str]]:
    found = {edge for event in events for edge in edges(event)}
    return found if direction is Direction.FORWARD else {(head, tail) for tail, head in found}


def starts_of(chain_events: list[Event], batch: str) -> set[str]:
    """Every named node of a batch."""
    told = world(*chain_events).forward(batch, max_depth=1)
    named = {f"{batch}@{e.here.site}" for e in chain_events if any(lot.batch == batch for lot in e.goods)}
    crossed = {key for e in chain_events for edge in edges(e) for key in edge if split(key)[0] == batch}
    assert told.batch == batch
    return {key for key in named | crossed if split(key)[1]}
