"""Pages of a chain: together they are the chain, whatever their size."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from chassis.caller import Caller
from services.trace.lineage import Event, Place
from services.trace.walks import page as chain_page
from services.trace.walks.chain import Direction
from services.trace.walks.page import Page
from services.trace.walks.start import Start
from services.trace.walks.walk import Walk
from tests.unit.trace_oracle import BATCHES, weeks
from tests.unit.trace_world import World, ship, world


def pages(told: World, size: int, batch: str, direction: Direction, **more: object) -> Iterator[Page]:
    """Each page from a walk of its own, as calls would make them."""
    after = ""
    while True:
        walk = Walk(Start(batch, direction, **more))  # type: ignore[arg-type]
        told.drive(walk.run())
        page = told.drive(chain_page.page(walk, after, size))
        yield page
        if page.last:
            return
        after = page.position


@given(weeks(), st.sampled_from(BATCHES), st.sampled_from([*Direction]), st.integers(1, 6), st.integers(1, 12))
def test_pages_add_up_to_the_chain(
    events: list[Event], batch: str, direction: Direction, size: int, max_nodes: int
) -> None:
    told = world(*events)
    whole = told.walk(batch, direction, max_nodes=max_nodes)
    read = list(pages(told, size, batch, direction, max_nodes=max_nodes))
    assert [key for page in read for key in page.keys] == list(whole.nodes)
    assert sorted(edge for page in read for edge in page.edges) == sorted(whole.edges)
    assert sorted(gap for page in read for gap in page.gaps) == sorted(whole.gaps)
    ids = [id for page in read for id in page.events]
    assert (len(ids), set(ids)) == (len(set(ids)), whole.events)
    assert all(len(page.keys) <= size for page in read)


@given(weeks(), st.sampled_from(BATCHES), st.integers(1, 6))
def test_what_a_page_shows_was_told(events: list[Event], batch: str, size: int) -> None:
    told = world(*events)
    whole = told.forward(batch)
    for page in pages(told, size, batch, Direction.FORWARD):
        assert [page.chain.goods(key) for key in page.keys] == [whole.goods(key) for key in page.keys]
        assert [page.chain.place(key).site for key in page.keys] == [whole.place(key).site for key in page.keys]
        assert [page.chain.shown(edge).goods for edge in page.edges] == [whole.shown(edge).goods for edge in page.edges]


def test_chain_touches_whom_its_farthest_node_belongs_to() -> None:
    far = Place("s9", division="371302")
    told = world(ship("e1", "A", "s1", "s2"), ship("e2", "A", "s2", far))
    for division, touched in (("3713", True), ("3702", False)):
        walk = Walk(Start("A", Direction.FORWARD))
        told.drive(walk.run())
        caller = Caller("somebody", "regulator", division, None)
        assert told.drive(chain_page.touched(walk, caller)) is touched
