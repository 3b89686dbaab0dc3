"""A page of a chain: some of its nodes, nearest first, with what reaches them, and what is told of those. Pure."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from chassis.caller import Caller
from services.trace import privacy
from services.trace.walks.chain import Chain, Edge, Gap
from services.trace.walks.walk import Walk

AT_ONCE: Final = 1_000
"""Nodes told of together while looking for one that is the caller's."""


@dataclass(frozen=True)
class Page:
    """The nodes of a page in their order, edges that reach them, their gaps; events oldest first, each on one page."""

    chain: Chain
    keys: Sequence[str]
    edges: Sequence[Edge]
    events: Sequence[str]
    gaps: Sequence[Gap]
    last: bool

    @property
    def total(self) -> int:
        """Nodes of the whole chain."""
        return len(self.chain.nodes)

    @property
    def position(self) -> str:
        """Of the last node, where the next page begins."""
        return self.chain.position(self.keys[-1])


def shown(walk: Walk, caller: Caller, after: str, size: int) -> Generator[Any, Any, Page | None]:
    """A page of a walk; None when nothing of it is the caller's."""
    yield from walk.run()
    if not (yield from touched(walk, caller)):
        return None
    return (yield from page(walk, after, size))


def touched(walk: Walk, caller: Caller) -> Generator[Any, Any, bool]:
    """Whether anything of a finished walk is the caller's; tells of as much as it takes to know."""
    keys = walk.chain.seen
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first : first + AT_ONCE]
        yield from walk.tell(walk.chain.ids_around(some))
        if any(privacy.owns(caller, walk.chain.place(key)) for key in some):
            return True
    return False


def page(walk: Walk, after: str, size: int) -> Generator[Any, Any, Page]:
    """So many nodes of a finished walk after a position (`Chain.position`; empty for the first page).

    What no node of the chain shows, such as storing at one of them, is told on the last page.
    """
    chain = walk.chain
    keys = chain.page(after, size)
    edges = list(chain.reaching(set(keys)))
    last = not keys or keys[-1] == next(reversed(chain.nodes))
    ids = _ids(edges) - _ids(chain.reaching(set(_before(chain, keys))))
    if last:
        ids |= chain.events - _ids(chain.edges)
    yield from walk.tell(ids | chain.ids_around(keys))
    events = sorted(ids, key=lambda id: (chain.told[id].time, id))
    return Page(chain, keys, edges, events, _gaps(chain, keys, last), last)


def _ids(edges: Iterable[Edge]) -> set[str]:
    return {id for _, _, id in edges}


def _before(chain: Chain, keys: Sequence[str]) -> Iterator[str]:
    """Nodes of earlier pages."""
    return takewhile(lambda key: not keys or key != keys[0], chain.nodes)


def _gaps(chain: Chain, keys: Sequence[str], last: bool) -> list[Gap]:
    """Of the page's nodes; on the last page those of nodes that had no room in the chain, too."""
    here = set(keys)
    return [gap for gap in chain.gaps if gap.node in here or (last and gap.node not in chain.nodes)]
