"""The breadth-first walk through the chain, without I/O: it yields what it needs and is sent what was found (`asks`).

A round takes one request for raw events and one for the aliases of sites met for the first time; nothing of a round
depends on the order of its events. Alias ids are resolved on the way, so merges never rewrite events. Cycles end where
they began; depth, size and time are bounded. `run` gives a bare `Chain`; `tell` then fetches what is to be shown of it.

In time, goods do not leave a node before they came: forward a node is labelled with the day of its earliest arrival,
backward with that of its latest departure, and an event on a day before (after) it is held until a later round finds a
better label. Many papers carry a day only, so days in Shanghai are compared (`lineage.day_of`). Each half of a handoff
is by itself a reason to believe that goods moved on its day.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.trace.asks import AliasesOf, Bounds, EventsAt, EventsCiting, EventsNamed, EventsOf, EventsOn, Raw, SitesOf
from services.trace.chain import DEPTH_LIMIT, SIZE_LIMIT, Chain, Direction, Gap, is_unnamed
from services.trace.endings import finish, without_answered
from services.trace.lineage import UNNAMED, Event, Place, node_key, split
from services.trace.sites import Sites
from services.trace.ways import Way, cited, named, ways

PER_REQUEST: Final = 20_000
"""Keys to a request: 2 MB of them at most."""

ANY_TIME: Final = -(10**9)
"""Label of a start: the goods were there all along."""

NEVER: Final = 10**9

Request = EventsOf | EventsOn | EventsCiting | EventsAt | EventsNamed | SitesOf | AliasesOf


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins and what bounds it.

    It begins at a batch (and `others`), at one site or wherever they are; or, with a `reference` instead of a batch, at
    the goods of the events that name that document or, of an ear tag, at the lots that carry it. A walk begins at and
    leaves only places that `passes` says yes to; their neighbours are reached but not left.
    """

    batch: str
    direction: Direction
    site: str | None = None
    max_depth: int = 50
    max_nodes: int = 10_000
    passes: Callable[[Place], bool] | None = None
    others: tuple[str, ...] = ()
    reference: str = ""
    in_time: bool = True
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None

    @property
    def batches(self) -> tuple[str, ...]:
        """Every batch it begins at."""
        return (self.batch, *self.others)

    @property
    def bounds(self) -> Bounds:
        """Which events count."""
        return Bounds(self.since, self.until, self.as_of)


Label = tuple[int, str]
"""When goods came to a node at the earliest (backward, left at the latest), and the event that says so."""

Found = Generator[Request, Any, list[Event]]
Asking = Generator[Request, Any, None]


@dataclass
class Walk:
    """One walk; `run` it once. A batch that nobody recorded gives a chain without nodes."""

    start: Start
    sites: Sites = field(default_factory=Sites)
    _label: dict[str, int] = field(default_factory=dict)
    _held: dict[str, list[Way]] = field(default_factory=lambda: defaultdict(list))
    _loose: list[Way] = field(default_factory=list)
    _births: set[str] = field(default_factory=set)
    _met: set[str] = field(default_factory=set)
    _halved: bool = False
    _today: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chain = Chain(self.start.batch, self.start.direction, places=self.sites.places)
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
        self.chain.gaps += [Gap(key, DEPTH_LIMIT) for key in active]
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
        """Every event found by these nodes, oldest first, whenever it happened."""
        rows = yield from self._rows(direction, self.keys(nodes), Bounds(as_of=self.start.as_of))
        yield from self.tell(row["_id"] for row in rows)
        events = (self.chain.told[row["_id"]] for row in rows)
        return sorted(events, key=lambda event: (event.time, event.id))

    def keys(self, nodes: Collection[str]) -> list[str]:
        """The keys of nodes under every id that their sites have had."""
        if not self.sites.aliased:
            return list(nodes)
        for key in nodes:
            batch, site = split(key)
            self._today.update((node_key(batch, older), key) for older in self.sites.ids(site)[1:])
        return [node_key(batch, site) for batch, today in map(split, nodes) for site in self.sites.ids(today)]

    def _begin(self) -> Generator[Request, Any, list[str]]:
        yield from self.sites.trace([self.start.site or UNNAMED])
        asked = self.sites.now(self.start.site) if self.start.site else None
        rows: list[Raw] = yield self._naming(asked)
        rows = sorted(rows, key=lambda row: (row["day"], row["_id"]), reverse=True)
        begun = [(key, row["_id"]) for row in rows for key in named(row, self._batches(row))]
        yield from self._meet(rows, {key for key, _ in begun})
        if self.start.passes:
            yield from self.tell(row["_id"] for row in rows)
        # The earliest that names a node comes last.
        via = {self._today.get(key, key): id for key, id in begun}
        found = [key for key in sorted(via) if asked in (None, split(key)[1]) and self._passes(key)]
        if len(found) > self.start.max_nodes:
            self.chain.gaps.append(Gap(found[self.start.max_nodes], SIZE_LIMIT))
        self.chain.starts = self._enter({key: (ANY_TIME, via[key]) for key in found[: self.start.max_nodes]}, 0)
        return self._going_on(self.chain.starts)

    def _naming(self, site: str | None) -> Request:
        if self.start.reference:
            return EventsCiting(self.start.reference, self.start.bounds)
        if site is None:
            return EventsOf(self.start.batches, self.start.bounds)
        keys = (node_key(batch, id) for batch in self.start.batches for id in self.sites.ids(site))
        return EventsOn(tuple(keys), self.start.bounds)

    def _batches(self, row: Raw) -> Collection[str]:
        return cited(row, self.start.reference) if self.start.reference else self.start.batches

    def _passes(self, key: str) -> bool:
        known = not is_unnamed(key)
        return known and (self.start.passes is None or self.start.passes(self.chain.place(key)))

    def _going_on(self, keys: list[str]) -> list[str]:
        """Those of the nodes that are not only reached but left."""
        if self.start.passes is None and not self.chain.outside:
            return keys
        inside = (key for key in keys if not self.chain.is_outside(key))
        return [key for key in inside if is_unnamed(key) or self._passes(key)]

    def _leaving(self, active: Sequence[str]) -> Generator[Request, Any, list[Way]]:
        """The ways from new nodes, and those held at nodes that now have a better label."""
        fresh = [key for key in active if key not in self.chain.expanded]
        held = [way for key in active if key in self._held for way in self._held.pop(key)]
        rows = yield from self._rows(self.start.direction, self._keys(fresh), self.start.bounds)
        self.chain.expanded.update(fresh)
        far_side = "outputs" if self._forward else "inputs"
        yield from self._meet(rows, {key for row in rows for key in row[far_side]})
        found, loose = ways(rows, self.start.direction, self._sign, set(fresh), self._today)
        self._loose += loose
        if not self._forward:
            self._births.update(row["_id"] for row in rows if not row["inputs"])
        if self._halved:
            found = yield from without_answered(self.chain, found, self.tell)
        return held + found

    def _rows(self, direction: Direction, keys: Sequence[str], bounds: Bounds) -> Generator[Request, Any, list[Raw]]:
        """Raw events, once each."""
        found: dict[str, Raw] = {}
        for first in range(0, len(keys), PER_REQUEST):
            rows: list[Raw] = yield EventsAt(direction, tuple(keys[first : first + PER_REQUEST]), bounds)
            if len(keys) <= PER_REQUEST:
                return rows
            found.update((row["_id"], row) for row in rows)
        return list(found.values())

    def _keys(self, nodes: Sequence[str]) -> list[str]:
        """A round's keys, with the meeting place of every batch not met yet."""
        places = {key[: key.rindex("@") + 1] for key in nodes} - self._met
        self._met |= places
        return list(dict.fromkeys([*self.keys(nodes), *sorted(places)]))

    def _meet(self, rows: Iterable[Raw], keys: set[str]) -> Asking:
        """Learns the aliases of nodes' sites, and which sites lie outside: so told, and not known to the registry."""
        new = keys - self._label.keys()
        sites = {key[key.rindex("@") + 1 :] for key in new}
        self._halved = self._halved or UNNAMED in sites
        yield from self.sites.trace(sites)
        if self.sites.aliased:
            told = ((key, *split(key)) for key in new)
            self._today.update(
                (key, node_key(batch, now)) for key, batch, site in told if (now := self.sites.now(site)) != site
            )
        told_abroad = (site for row in rows if "abroad" in row for site in row["abroad"])
        if abroad := set(map(self.sites.now, told_abroad)) - self.chain.outside:
            self.chain.outside |= abroad - (yield from self.sites.known(abroad))

    def _grow(self, found: list[Way], hops: int) -> Generator[Request, Any, list[str]]:
        """Adds a round of edges and nodes; returns the nodes to go on from."""
        before = len(self.chain.edges)
        entering, better = self._follow(found)
        room = max(0, self.start.max_nodes - len(self.chain.nodes))
        if len(entering) > room:
            self._refuse({far for far in sorted(entering)[room:] if entering.pop(far)}, before)
        if self.start.passes:
            yield from self.tell(id for _, _, id, _ in found)
        self._relabel(better)
        new = self._enter(entering, hops)
        return self._going_on(new) + [key for key in sorted(better) if self._reopens(key)]

    def _follow(self, found: list[Way]) -> tuple[dict[str, Label], dict[str, Label]]:
        """Takes edges in, holds those that are too early; returns nodes not met before, and better labels of others."""
        label, held, forward = self._label, self._held, self._forward
        edges, events = self.chain.edges, self.chain.events
        entering: dict[str, Label] = {}
        better: dict[str, Label] = {}
        for way in found:
            near, far, id, when = way
            if when < label[near]:
                held[near].append(way)
                continue
            events.add(id)
            if not far:
                self._end(near, id)
                continue
            edges.append((near, far, id) if forward else (far, near, id))
            known = label.get(far, NEVER)
            if when < known:
                labels = entering if known == NEVER else better
                best = labels.get(far)
                if best is None or when < best[0] or (when == best[0] and id < best[1]):
                    labels[far] = (when, id)
        return entering, better

    def _end(self, near: str, id: str) -> None:
        if id in self._births:
            self.chain.made.add(near)

    def _refuse(self, beyond: set[str], before: int) -> None:
        """Beyond `max_nodes` the near nodes get gaps instead of edges."""
        added = self.chain.edges[before:]
        refused = [edge for edge in added if self.chain.ends(edge)[1] in beyond]
        self.chain.gaps += [Gap(self.chain.ends(edge)[0], SIZE_LIMIT) for edge in refused]
        self.chain.edges[before:] = [edge for edge in added if self.chain.ends(edge)[1] not in beyond]

    def _enter(self, found: Mapping[str, Label], hops: int) -> list[str]:
        new = sorted(found)
        self.chain.nodes.update(dict.fromkeys(new, hops))
        self._relabel(found)
        return new

    def _relabel(self, found: Mapping[str, Label]) -> None:
        for key, (when, id) in found.items():
            self._label[key] = when
            self.chain.via[key] = id

    def _reopens(self, key: str) -> bool:
        return any(when >= self._label[key] for _, _, _, when in self._held.get(key, ()))
