"""Sites as a walk meets them: alias ids read as the site they mean today, places filled in from the registry. Pure."""

from collections.abc import Collection, Generator, Iterable, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.trace.asks import AliasesOf, SitesOf
from services.trace.lineage import UNNAMED, Event, Place


class Row(NamedTuple):
    """One id in trace's replica of the registry: a site's place, or an alias of another site, or both."""

    site: str
    alias_of: str | None = None
    place: Place | None = None


Resolving = Generator[SitesOf, Any, list[Event]]


@dataclass
class Sites:
    """All sites met so far. `places` is by the id a site has today."""

    places: dict[str, Place] = field(default_factory=dict)
    _met: set[Place] = field(default_factory=set)
    _registered: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)
    _traced: set[str] = field(default_factory=set)
    _alias_of: dict[str, str] = field(default_factory=dict)
    _aliases: dict[str, set[str]] = field(default_factory=dict)

    def resolve(self, events: Iterable[Event], *more: str) -> Resolving:
        """Asks for sites not met before; returns the events as if they had named today's sites."""
        events = list(events)
        met = {place.site for event in events for place in (event.here, event.there)} | {*more}
        unknown = met - self._asked - {UNNAMED}
        while unknown:
            self._asked |= unknown
            rows: list[Row] = yield SitesOf(tuple(sorted(unknown)))
            unknown = {id for row in rows for id in self._learn(row)} - self._asked
        for event in events:
            self._meet(event.here)
            self._meet(event.there)
        return [self._today(event) for event in events]

    def trace(self, sites: Iterable[str]) -> Generator[AliasesOf, Any, None]:
        """Asks for the aliases of sites not met before, and for nothing else of them."""
        unknown = set(sites) - self._traced - self._asked - {UNNAMED}
        while unknown:
            self._traced |= unknown
            rows: list[Row] = yield AliasesOf(tuple(unknown))
            unknown = {id for row in rows for id in self._learn(row)} - self._traced - self._asked

    def known(self, sites: Collection[str]) -> Generator[SitesOf, Any, set[str]]:
        """Which of these sites of today the registry told of."""
        yield from self.resolve((), *sites)
        return self._registered & set(sites)

    @property
    def aliased(self) -> Set[str]:
        """Ids met that have older ones."""
        return self._aliases.keys()

    def older(self, sites: Set[str]) -> Set[str]:
        """Those of the ids that mean another site today."""
        return sites & self._alias_of.keys()

    def now(self, site: str) -> str:
        """The id the site has today; an alias may lead to an alias."""
        if site not in self._alias_of:
            return site
        passed = {site}
        while (following := self._alias_of.get(site)) and following not in passed:
            passed.add(site := following)
        return site

    def ids(self, site: str) -> list[str]:
        """Every id events may know the site by, today's first."""
        if site not in self._aliases:
            return [site]
        older = (id for alias in sorted(self._aliases.get(site, ())) for id in self.ids(alias))
        return [site, *older]

    def place(self, site: str) -> Place:
        """What is known of a site, by today's id."""
        return self.places.get(site) or Place(site)

    def _learn(self, row: Row) -> set[str]:
        """Takes a row in; returns the ids it tells of."""
        if row.alias_of and row.alias_of != row.site:
            self._alias_of[row.site] = row.alias_of
            self._aliases.setdefault(row.alias_of, set()).add(row.site)
            return {row.site, row.alias_of}
        if row.place:
            self.places[row.site] = row.place
            self._registered.add(row.site)
        return {row.site}

    def _meet(self, told: Place) -> None:
        """Events fill what the registry left open; a site that the registry knows is not external."""
        site = self.now(told.site)
        known = self.places.get(site)
        if site == UNNAMED or (known and None not in known) or told in self._met:
            return
        self._met.add(told)
        self.places[site] = _fill(known, told) if known else told._replace(site=site)

    def _today(self, event: Event) -> Event:
        if not self._alias_of:
            return event
        here, there = self.now(event.here.site), self.now(event.there.site)
        if (here, there) == (event.here.site, event.there.site):
            return event
        return event._replace(here=event.here._replace(site=here), there=event.there._replace(site=there))


def _fill(known: Place, told: Place) -> Place:
    filled = Place._make(old if old is not None else new for old, new in zip(known, told, strict=True))
    return filled._replace(site=known.site, external=known.external)
