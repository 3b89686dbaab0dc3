"""A recall simulated: where the goods of batches, and what was made of them, are. Pure; driven like `walk`."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

from contracts.trace import Step
from services.trace.asks import Bounds, EventsNamed, GoodsAt, Raw, SalesNaming
from services.trace.lineage import Event, Place, split
from services.trace.recalls.coverage import Coverage, coverages, share_of
from services.trace.recalls.portions import Portion, named, portions
from services.trace.sites import Sites
from services.trace.stock.amounts import NOTHING, Amount, plus
from services.trace.stock.books import Books
from services.trace.walks.chain import SIZE_LIMIT, Chain, Direction, Gap
from services.trace.walks.start import Start
from services.trace.walks.walk import PER_REQUEST, Walk

MOST_BATCHES: Final = 100
MOST_NODES: Final = 20_000
DEEPEST: Final = 100


class Handover(NamedTuple):
    """Goods that one node handed to another."""

    tail: str
    head: str
    amount: Amount | None


class Held(NamedTuple):
    """What stands at a node, and where that is."""

    place: Place
    product: str | None
    category: str


@dataclass(frozen=True)
class Simulation:
    """Everything a recall of these batches meets, as of `at`; `nodes` by key, without meeting places of halves."""

    batches: tuple[str, ...]
    at: datetime
    nodes: dict[str, Held]
    portions: list[Portion]
    handovers: list[Handover]
    coverages: list[Coverage]
    gaps: list[Gap]

    @property
    def sites(self) -> list[str]:
        """Sites that hold the goods, held them or sold them on; those outside the province are not ours to tell."""
        there = (goods.place for goods in self.nodes.values())
        return sorted({place.site for place in there if not place.external})

    @property
    def share(self) -> Fraction | None:
        """How much of the recalled batches' goods is located; None when that of one is not known, or units differ."""
        recalled = [each for each in self.coverages if each.batch in self.batches]
        located: Amount | None = NOTHING
        produced: Amount | None = NOTHING
        for each in recalled:
            located, produced = plus(located, each.located), plus(produced, each.produced)
        return share_of(located, produced)

    def product(self) -> tuple[str | None, str]:
        """Product and category of the first recalled batch that anybody says it of."""
        of_these = [goods for key, goods in self.nodes.items() if split(key)[0] in self.batches]
        said = [goods for goods in of_these if goods.product] or of_these
        return (said[0].product, said[0].category) if said else (None, "other")


def beginning(batches: Sequence[str], as_of: datetime, reference: str = "", max_nodes: int = MOST_NODES) -> Start:
    """Where a recall's walk begins: at batches, or at all that a paper names.

    In any order of times: a recall would rather go too far than miss goods for a clock that was wrong.
    """
    first, *others = batches or [""]
    return Start(
        first,
        Direction.FORWARD,
        max_depth=DEEPEST,
        max_nodes=max_nodes,
        others=tuple(others),
        reference=reference,
        in_time=False,
        as_of=as_of,
    )


def simulate(start: Start, at: datetime) -> Generator[Any, Any, Simulation]:
    """Follows the goods forward, then reads what came to every node on the way, and what left it."""
    walk = Walk(start)
    chain = yield from walk.run()
    nodes = named(chain)
    rows = yield from _moved(walk, nodes)
    books = Books(rows, walk.sites.now if walk.sites.aliased else str)
    yield from placed(walk.sites, {split(key)[1]: chain.via[key] for key in nodes})
    batches = tuple(batch for batch in start.batches if batch) or tuple(sorted({split(key)[0] for key in chain.starts}))
    return assessed(batches, at, chain, books)


def _moved(walk: Walk, nodes: Sequence[str]) -> Generator[Any, Any, list[dict[str, Any]]]:
    """What came to every node, and what left it; only what came where the walk was cut for want of room: what left
    there may be a million sales, of which nothing is told.
    """
    chain, bounds = walk.chain, walk.start.bounds
    refused = {gap.node for gap in chain.gaps if gap.kind == SIZE_LIMIT}
    cut = {key for key in nodes if key in refused and key not in chain.expanded and not chain.is_outside(key)}
    rows = yield from moving(walk.keys([key for key in nodes if key not in cut]), bounds)
    if not cut:
        return rows
    came = yield from _at(walk.keys(sorted(cut)), bounds, inward=True)
    return [*{row["_id"]: row for row in [*rows, *came]}.values()]


def moving(keys: Sequence[str], bounds: Bounds, dated: bool = False) -> Generator[Any, Any, list[dict[str, Any]]]:
    """Every event that brings goods to these nodes or takes some from them, once, as `books` read them.

    A sale without a site is to consumers unless it names somebody. Few do, and only sales are asked whether they do.
    """
    rows = yield from _at(keys, bounds, dated)
    sales = [row["_id"] for row in rows if row["step"] == Step.SELLING and not row["there"]]
    named: set[str] = set()
    for first in range(0, len(sales), PER_REQUEST):
        found: list[Raw] = yield SalesNaming(tuple(sales[first : first + PER_REQUEST]))
        named.update(row["_id"] for row in found)
    for row in rows if named else ():
        row["buyer_named"] = row["_id"] in named
    return rows


def _at(
    keys: Sequence[str], bounds: Bounds, dated: bool = False, inward: bool = False
) -> Generator[Any, Any, list[dict[str, Any]]]:
    if len(keys) <= PER_REQUEST:
        rows: list[dict[str, Any]] = yield GoodsAt(tuple(keys), bounds, dated=dated, inward=inward)
        return rows
    found: dict[str, dict[str, Any]] = {}
    for first in range(0, len(keys), PER_REQUEST):
        rows = yield GoodsAt(tuple(keys[first : first + PER_REQUEST]), bounds, dated=dated, inward=inward)
        found.update((row["_id"], row) for row in rows)
    return list(found.values())


def placed(sites: Sites, via: Mapping[str, str]) -> Generator[Any, Any, None]:
    """Learns where sites are: as the registry tells or, where it does not know one, as an event that names it does."""
    known = yield from sites.known(via.keys())
    ids = sorted({id for site, id in via.items() if site not in known})
    if ids:
        events: list[Event] = yield EventsNamed(tuple(ids))
        yield from sites.resolve(events)


def assessed(batches: tuple[str, ...], at: datetime, chain: Chain, books: Books) -> Simulation:
    """What a chain and its books come to."""
    found = portions(chain, books)
    nodes = {key: _held(key, chain, books) for key in named(chain)}
    handed = [
        Handover(tail, head, amount) for (tail, head), amount in books.edges.items() if tail in nodes and head in nodes
    ]
    return Simulation(batches, at, nodes, found, handed, coverages(chain, books, found), chain.gaps)


def _held(key: str, chain: Chain, books: Books) -> Held:
    batch, site = split(key)
    return Held(chain.places.get(site) or Place(site), *books.said(batch))
