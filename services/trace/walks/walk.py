"""The breadth-first walk through the chain, without I/O: it yields what it needs and is sent what was found (`asks`).

A round takes one request for raw events and one for the aliases of sites met for the first time; nothing of a round
depends on the order of its events. Alias ids are resolved on the way, so merges never rewrite events. Cycles end where
they began; depth, nodes, events and time are bounded. `run` gives a bare `Chain`; `tell` then fetches what is to be
shown of it. A round of more events than there is room for is the last one: its nodes get gaps, for which of them have
more events nobody knows.

In time, goods do not leave a node before they came: forward a node is labelled with the day of its earliest arrival,
backward with that of its latest departure, and an event on a day before (after) it is held until a later round finds a
better label. Many papers carry a day only, so days in Shanghai are compared (`lineage.day_of`). Each half of a handoff
is by itself a reason to believe that goods moved on its day.
"""

from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.trace.asks import (
    AliasesOf,
    Bounds,
    Cut,
    EventsAt,
    EventsCiting,
    EventsNamed,
    EventsOf,
    EventsOn,
    Raw,
    SitesOf,
)
from services.trace.lineage import UNNAMED, Event, node_key, split
from services.trace.sites import Sites
from services.trace.walks.chain import DEPTH_LIMIT, SIZE_LIMIT, Chain, Direction, Gap, is_unnamed
from services.trace.walks.endings import finish, without_answered
from services.trace.walks.labels import Labels
from services.trace.walks.start import Start
from services.trace.walks.ways import Named, Way, begun, ways

PER_REQUEST: Final = 20_000
"""Keys to a request: 2 MB of them at most."""

Request = EventsOf | EventsOn | EventsCiting | EventsAt | EventsNamed | SitesOf | AliasesOf


Found = Generator[Request, Any, list[Event]]
Asking = Generator[Request, Any, None]


@dataclass
class Walk:
    """One walk; `run` it once. A batch that nobody recorded gives a chain without nodes."""

    start: Start
    sites: Sites = field(default_factory=Sites)
    _loose: list[Way] = field(default_factory=list)
    _met: set[str] = field(default_factory=set)
    _read: int = 0
    _cut: bool = False
    _halved: bool = False
    _today: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chain = Chain(self.start.batch, self.start.direction, places=self.sites.places)
        self._labels = Labels(self.chain, self.start.max_nodes)
        self._forward = self.start.direction is Direction.FORWARD
        self._sign = (1 if self._forward else -1) if self.start.in_time else 0

    def run(self) -> Generator[Request, Any, Chain]:
        """Walks to the ends of the chain or to its bounds."""
        active = yield from self._begin()
        for hops in range(1, self.start.max_depth + 1):
            if not active:
                break
            found = yield from self._leaving(active)
            active = yield from self._grow(found, hops)
            if self._cut:
                break
        self.chain.gaps += [Gap(key, SIZE_LIMIT if self._cut else DEPTH_LIMIT) for key in active]
        bounded = self.start.until if self._forward else self.start.since
        yield from finish(self.chain, self._loose, bounded is not None, self.tell)
        return self.chain

    def whole(self) -> Generator[Request, Any, Chain]:
        """`run`, then `tell` of every event and of what names the starts: a chain with all that is told of it."""
        chain = yield from self.run()
        yield from self.tell(chain.events | {*chain.via.values()})
        return chain

    def tell(self, ids: Iterable[str]) -> Asking:
        """Fetches events, in today's ids, and what the registry told of their sites."""
        wanted = sorted(set(ids) - self.chain.told.keys())
        for first in range(0, len(wanted), PER_REQUEST):
            events: list[Event] = yield EventsNamed(tuple(wanted[first : first + PER_REQUEST]))
            resolved = yield from self.sites.resolve(sorted(events, key=lambda event: (event.time, event.id)))
            self.chain.told.update((event.id, event) for event in resolved)

    def events(self, direction: Direction, nodes: Collection[str]) -> Found:
        """Every event found by these nodes, oldest first, whenever it happened; where they are too many, the nodes are
        no longer known to have been walked through.
        """
        self._read, self._cut = 0, False
        rows = yield from self._rows(direction, self.keys(nodes), Bounds(as_of=self.start.as_of))
        if self._cut:
            self.chain.expanded.difference_update(nodes)
            self.chain.gaps = sorted({*self.chain.gaps, *(Gap(key, SIZE_LIMIT) for key in nodes)})
        yield from self.tell(row["_id"] for row in rows)
        events = (self.chain.told[row["_id"]] for row in rows)
        return sorted(events, key=lambda event: (event.time, event.id))

    def keys(self, nodes: Collection[str]) -> list[str]:
        """The keys of nodes under every id that their sites have had."""
        found, aliased = list(nodes), self.sites.aliased
        for key in nodes if aliased else ():
            if key[key.rindex("@") + 1 :] in aliased:
                batch, site = split(key)
                older = [node_key(batch, id) for id in self.sites.ids(site)[1:]]
                self._today.update(dict.fromkeys(older, key))
                found += older
        return found

    def _begin(self) -> Generator[Request, Any, list[str]]:
        yield from self.sites.trace([self.start.site or UNNAMED])
        asked = self.sites.now(self.start.site) if self.start.site else None
        rows: list[Raw] = yield self.start.asks(self.sites.ids(asked) if asked else ())
        begun_in_part = isinstance(rows, Cut)
        rows = sorted(rows, key=lambda row: (row["day"], row["_id"]), reverse=True)
        named, seen = begun(rows, self.start.batches_in)
        yield from self._meet(rows, {key for key, _ in (*named, *seen)})
        if self.start.passes or self.start.operator:
            yield from self.tell(row["_id"] for row in rows)
        # The earliest that names a node comes last.
        via = {self._today.get(key, key): id for key, id in named}
        found = [key for key in sorted(via) if asked in (None, split(key)[1]) and self._begins_at(key)]
        self._labels.begin({key: via[key] for key in found})
        self._witness(seen)
        if begun_in_part:
            self.chain.gaps += [Gap(key, SIZE_LIMIT) for key in self.chain.starts]
        return self._going_on(self.chain.starts)

    def _witness(self, seen: Named) -> None:
        """Notes who saw goods pass and is none of the chain's starts, as far as the walk `passes` there."""
        told = {self._today.get(key, key): id for key, id in seen}
        self.chain.witnesses = {
            key: id for key, id in told.items() if key not in self.chain.starts and self._passes(key)
        }
        self.chain.events.update(self.chain.witnesses.values())

    def _begins_at(self, key: str) -> bool:
        whose = self.start.operator
        return self._passes(key) and (whose is None or self.chain.place(key).operator == whose)

    def _passes(self, key: str) -> bool:
        known = not is_unnamed(key)
        return known and (self.start.passes is None or self.start.passes(self.chain.place(key)))

    def _going_on(self, keys: list[str]) -> list[str]:
        """Those of the nodes that are not only reached but left."""
        if self.start.passes is None and not self.chain.outside:
            return keys
        inside = [key for key in keys if not self.chain.is_outside(key)]
        if self.start.passes is None:
            return inside
        # Who else traded the batch without naming anybody is not for each of them to know: there the chain breaks off.
        self.chain.expanded.update(filter(is_unnamed, inside))
        return [key for key in inside if self._passes(key)]

    def _leaving(self, active: Sequence[str]) -> Generator[Request, Any, list[Way]]:
        """The ways from new nodes, and those held at nodes that now have a better label."""
        fresh = [key for key in active if key not in self.chain.expanded]
        held = self._labels.released(active)
        rows = yield from self._rows(self.start.direction, self._keys(fresh), self.start.bounds)
        if self._cut:
            self.chain.gaps += [Gap(key, SIZE_LIMIT) for key in fresh]
        else:
            self.chain.expanded.update(fresh)
        near_side, far_side = ("inputs", "outputs") if self._forward else ("outputs", "inputs")
        fars = {key for row in rows for key in row[far_side]}
        yield from self._meet(rows, fars)
        renamed = not self._today.keys().isdisjoint(fars) or any(
            key in self._today for row in rows for key in row[near_side]
        )
        found, loose = ways(rows, self.start.direction, self._sign, set(fresh), self._today if renamed else {})
        self._loose += loose
        if not self._forward:
            self._labels.births.update(row["_id"] for row in rows if not row["inputs"])
        if self._halved:
            found = yield from without_answered(self.chain, found, self.tell)
        return held + found

    def _rows(self, direction: Direction, keys: Sequence[str], bounds: Bounds) -> Generator[Request, Any, list[Raw]]:
        """Raw events, once each, as long as there is room."""
        found: dict[str, Raw] = {}
        for first in range(0, len(keys), PER_REQUEST):
            room = max(1, self.start.max_events - self._read)
            rows: list[Raw] = yield EventsAt(direction, tuple(keys[first : first + PER_REQUEST]), bounds, room)
            self._read += len(rows)
            self._cut = isinstance(rows, Cut)
            if len(keys) <= PER_REQUEST:
                return rows
            found.update((row["_id"], row) for row in rows)
            if self._cut:
                break
        return list(found.values())

    def _keys(self, nodes: Sequence[str]) -> list[str]:
        """A round's keys, with the meeting place of every batch not met yet."""
        places = {key[: key.rindex("@") + 1] for key in nodes} - self._met
        self._met |= places
        return list(dict.fromkeys([*self.keys(nodes), *sorted(places)]))

    def _meet(self, rows: Iterable[Raw], keys: set[str]) -> Asking:
        """Learns the aliases of nodes' sites, and which sites lie outside: so told, and not known to the registry."""
        new = keys - self.chain.nodes.keys()
        sites = {key[key.rindex("@") + 1 :] for key in new}
        self._halved = self._halved or UNNAMED in sites
        yield from self.sites.trace(sites)
        if older := self.sites.older(sites):
            renamed = (key for key in new if key[key.rindex("@") + 1 :] in older)
            self._today.update((key, self._key_today(key)) for key in renamed)
        told_abroad = (site for row in rows if "abroad" in row for site in row["abroad"])
        if abroad := set(map(self.sites.now, told_abroad)) - self.chain.outside:
            self.chain.outside |= abroad - (yield from self.sites.known(abroad))

    def _key_today(self, key: str) -> str:
        batch, site = split(key)
        return node_key(batch, self.sites.now(site))

    def _grow(self, found: list[Way], hops: int) -> Generator[Request, Any, list[str]]:
        """Adds a round of edges and nodes; returns the nodes to go on from."""
        new, reopened = self._labels.grow(found, hops)
        if self.start.passes:
            yield from self.tell(id for _, _, id, _ in found)
        return self._going_on(new) + reopened
