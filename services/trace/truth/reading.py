"""Reading for an examination: events in today's site ids, each worked out once. Pure; driven like `walk`."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.trace.lineage import Flow, flows, node_key, split
from services.trace.sites import Sites
from services.trace.truth.asks import Citing, Crowd, LeadingTo, Named, Request, Touching
from services.trace.truth.statements import Statement, once

Statements = Generator[Request, Any, list[Statement]]


def ordered(values: Iterable[str]) -> tuple[str, ...]:
    """Each once."""
    return tuple(sorted(set(values)))


@dataclass
class Reading:
    """What one examination has read; `sites` are those met, `crowded` the nodes and numbers with too many events to be
    read at all.
    """

    sites: Sites = field(default_factory=Sites)
    crowded: set[str] = field(default_factory=set)
    _met: dict[str, Statement] = field(default_factory=dict)
    _flows: dict[str, list[Flow]] = field(default_factory=dict)

    def read(self, request: Request) -> Statements:
        """Events by today's site ids; nothing is asked about nothing."""
        if not request[0]:
            return []
        statements: list[Statement] = yield request
        return (yield from self._today(statements))

    def _today(self, statements: list[Statement]) -> Statements:
        events = yield from self.sites.resolve([statement.event for statement in statements])
        return [statement._replace(event=event) for statement, event in zip(statements, events, strict=True)]

    def _within_bounds(self, request: Touching | LeadingTo | Citing) -> Statements:
        """As `read`, in parts where it is too much at once; nothing of what is too much by itself."""
        [keys] = request
        wanted = tuple(key for key in keys if key not in self.crowded)
        if not wanted:
            return []
        statements: list[Statement] | Crowd = yield type(request)(wanted)
        if not isinstance(statements, Crowd):
            return (yield from self._today(statements))
        if len(wanted) == 1:
            self.crowded.update(wanted)
            return []
        half = len(wanted) // 2
        found = [*(yield from self._within_bounds(type(request)(wanted[:half])))]
        found += yield from self._within_bounds(type(request)(wanted[half:]))
        return [*{each.event.id: each for each in found}.values()]

    def citing(self, numbers: Iterable[str]) -> Statements:
        """What names numbers, of papers or animals."""
        return (yield from self._within_bounds(Citing(ordered(numbers))))

    def is_crowded(self, node: str) -> bool:
        """Whether a node has too many events to be judged."""
        return not self.crowded.isdisjoint(self.names(node))

    def named(self, ids: Iterable[str]) -> Statements:
        """Events by their ids, each read once."""
        wanted = ordered(ids)
        for each in (yield from self.read(Named(ordered(set(wanted) - self._met.keys())))):
            self._met[each.event.id] = each
        return [self._met[id] for id in wanted if id in self._met]

    def moves(self, statement: Statement) -> list[Flow]:
        """What an event moves, worked out once."""
        known = self._flows.get(statement.event.id)
        if known is None:
            known = self._flows[statement.event.id] = list(flows(statement.event))
        return known

    def by_node(self, statements: Iterable[Statement], inward: bool = False) -> dict[str, dict[str, Statement]]:
        """Events, by id, that move goods at each node; those only that bring some there where `inward`."""
        found: dict[str, dict[str, Statement]] = defaultdict(dict)
        for each in statements:
            for flow in self.moves(each):
                if flow.inward or not inward:
                    found[flow.node][each.event.id] = each
        return found

    def at(self, node: str, by_node: Mapping[str, Mapping[str, Statement]]) -> list[Flow]:
        """What was moved at a node, in order of time."""
        counted = once(by_node.get(node, {}).values())
        return [flow for each in counted for flow in self.moves(each) if flow.node == node]

    def names(self, node: str) -> tuple[str, ...]:
        """A node under every id that its site has had, today's first."""
        batch, site = split(node)
        return tuple(node_key(batch, id) for id in self.sites.ids(self.sites.now(site)))

    def touching(self, nodes: Iterable[str]) -> Statements:
        """What takes goods from nodes or brings some there, whatever id their sites had then."""
        return (yield from self._within_bounds(Touching(self._named(nodes))))

    def leading_to(self, nodes: Iterable[str]) -> Statements:
        """What brings goods to nodes, whatever id their sites had then."""
        return (yield from self._within_bounds(LeadingTo(self._named(nodes))))

    def _named(self, nodes: Iterable[str]) -> tuple[str, ...]:
        return ordered(name for node in nodes for name in self.names(node))
