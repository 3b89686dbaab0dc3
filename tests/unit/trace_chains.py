"""Random chains of every kind: several lots, new codes, returns, halves that name nobody, sites with older ids."""

from typing import Final

from hypothesis import strategies as st

from contracts.trace import Step
from services.trace.lineage import Event, Place
from services.trace.sites import Row
from tests.unit.trace_oracle import BATCHES, SITES
from tests.unit.trace_world import event, goods

STEPS: Final = (Step.SHIPPING, Step.RECEIVING, Step.RETURNING, Step.MAKING, Step.MAKING, Step.STORING)

ALIASES: Final = (Row("old0", "s0"), Row("older0", "old0"), Row("old1", "s1"))
MEANT: Final = {"old0": "s0", "older0": "s0", "old1": "s1"}
"""What each alias means today; one of them by way of another."""


def today(event: Event) -> Event:
    """The event as if it had named today's sites."""
    here, there = (Place(MEANT.get(place.site, place.site)) for place in (event.here, event.there))
    return event._replace(here=here, there=there)


@st.composite
def chains(draw: st.DrawFn, others: tuple[str, ...] = SITES, heres: tuple[str, ...] = SITES) -> list[Event]:
    """Random events of a week among four batches."""
    lots = st.lists(st.sampled_from(BATCHES), min_size=1, max_size=2, unique=True)
    found: list[Event] = []
    for number in range(draw(st.integers(0, 12))):
        step = draw(st.sampled_from(STEPS))
        here, there = draw(st.sampled_from(heres)), draw(st.sampled_from(others))
        hour = 24 * draw(st.integers(0, 6)) + draw(st.integers(0, 23))
        found.append(event(f"e{number}", step, here, goods(*draw(lots)), goods(*draw(lots)), there, hour))
    return found
