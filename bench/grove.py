"""Stores of events with one chain spread among the others: a batch that a site hands on to three, and so on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from pymongo import IndexModel

from bench import chains
from bench.ground import Field
from bench.seeding import seed
from chassis.asking import answered
from chassis.collections import Collection, ensure
from contracts.registry import Alias
from services.trace import replica, store
from services.trace.walks import store as walk_store
from services.trace.walks.chain import Direction
from services.trace.walks.start import Start
from services.trace.walks.walk import Request, Walk

BATCH: Final = "SL0"
NODES: Final = 10_000
BRANCHES: Final = 3
"""A site hands the batch on to three, each of these to three more, a day later: nine levels."""

TOLD: Final = 2 * (NODES - 1)
"""Each handoff is told by both sides: two events."""

SITES_PER_EVENT, ALIASES_PER_SITE = 0.1, 0.02


@dataclass(frozen=True)
class Grove:
    """A store of so many events, in collections of its own; `name` sets it apart from another in the same field."""

    field: Field
    events: int
    name: str = ""

    def plant(self) -> None:
        """Fills it; indexes are built when all is there, which takes a third of the time."""
        ensure(self.field.db, self._collections(indexed=False))
        seed(self.field, store.EVENTS + self.name, partial(documents, self.events), self.events)
        sites = max(NODES, round(self.events * SITES_PER_EVENT))
        seed(self.field, store.SITES + self.name, partial(map, chains.facts), sites)
        aliased = [_aliased(number) for number in range(0, sites, round(1 / ALIASES_PER_SITE))]
        self.field.db[store.SITES + self.name].bulk_write(aliased, ordered=False)
        ensure(self.field.db, self._collections(indexed=True))

    def _collections(self, indexed: bool) -> list[Collection]:
        def declared(each: Collection, indexes: Sequence[IndexModel]) -> Collection:
            return replace(each, name=each.name + self.name, indexes=tuple(indexes))

        ours = [each for each in store.COLLECTIONS if each.name in (store.EVENTS, store.SITES)]
        return [declared(each, each.indexes if indexed else ()) for each in ours]

    def walked(self) -> int:
        """Nodes that a walk finds."""
        steps = Walk(Start(BATCH, Direction.FORWARD, chains.site(0), max_nodes=2 * NODES)).run()
        return len(answered(steps, self._answer).nodes)

    def _answer(self, request: Request) -> list[Any]:
        query = walk_store.query(request)
        stored = self.field.db[query.collection + self.name]
        found = stored.find(query.filter, query.fields, limit=query.most, batch_size=walk_store.AT_ONCE)
        return walk_store.reply(request, found.to_list())

    def bare(self) -> int:
        """Nodes found by one `$in` query to a level and a set of what was seen: no aliases, halves, days or gaps."""
        events = self.field.db[store.EVENTS + self.name]
        seen = frontier = {chains.node(BATCH, 0)}
        while frontier:
            found = events.find({"inputs": {"$in": [*frontier]}}, {"_id": 0, "outputs": 1}).to_list()
            frontier = {node for row in found for node in row["outputs"]} - seen
            seen = seen | frontier
        return len(seen)


def documents(count: int, numbers: range) -> Iterator[dict[str, Any]]:
    """Of so many events these: the chain's at even distances, between them shipments of other batches."""
    apart = count // TOLD
    for number in numbers:
        told, between = divmod(number, apart)
        if between or told >= TOLD:
            yield _event(number, f"SL{number}", number // 20, number // 20 + 1, False, 0)
        else:
            edge = told // 2
            yield _event(number, BATCH, edge // BRANCHES, edge + 1, bool(told % 2), _level(edge + 1))


def _level(node: int) -> int:
    return 0 if node == 0 else 1 + _level((node - 1) // BRANCHES)


def _event(number: int, batch: str, tail: int, head: int, received: bool, day: int) -> dict[str, Any]:
    row = chains.handoff(number, batch, tail, head, received)
    return row | {"time": row["time"] + timedelta(days=day), "day": row["day"] + day}


def _aliased(number: int) -> Any:
    alias = Alias(alias=f"market:{number}", site=chains.site(number), version=1)
    return replica.site_aliased(alias, datetime.now(UTC))
