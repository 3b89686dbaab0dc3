"""The four dimensions (domain: "Reporting"): rows of sites in, scored lines per place and link out. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple

from contracts.divisions import scope_prefix
from services.reporting.scores import Count, Score, score
from services.reporting.standards import Dimension, InForce, Standards

ALL: Final = ""
"""The link of a line that is about all links."""

LEVELS: Final = {2: "province", 4: "city", 6: "county"}
STATION: Final = "station"


class SiteRow(NamedTuple):
    """All that the figures need of one site in one window: the frozen input of a bulletin.

    `listed`: on the roster with a valid entry. `working`: activated and not suspended. `active`: with an accepted
    event in the window, of the steps `kinds`. `owed` are its obligations, `covered` those with a linkable event.
    """

    site: str
    name: str
    division: str
    station: str
    link: str
    listed: bool
    registered: bool
    activated: bool
    working: bool
    active: bool
    kinds: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()


class System(NamedTuple):
    """A self-built system in a window: records accepted and declared (0: none declared), days on time and expected."""

    system: str
    division: str
    link: str
    accepted: int
    declared: int
    days_on_time: int
    days_expected: int


@dataclass
class Line:
    """A place, or one link of it, with what is counted there. `code` is a prefix of divisions or a station's id."""

    level: str
    code: str
    link: str
    county: str = ""
    """Of a station: where it lies."""
    counts: dict[Dimension, Count] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    categories: dict[str, Count] = field(default_factory=dict)
    """10+3 coverage by category: the row of the heat map."""
    standard: InForce | None = None
    score: Score | None = None
    rank: int = 0

    @property
    def total(self) -> Fraction | None:
        """Its points, None for n/a."""
        return self.score.total if self.score else None


class _Cell:
    """Sums over the sites of one county, station and link; `owed` and `covered` by category."""

    __slots__ = ("activated", "active", "covered", "kinds", "listed", "owed", "registered", "working")

    def __init__(self) -> None:
        self.listed = self.registered = self.activated = self.working = self.active = 0
        self.kinds: Counter[str] = Counter()
        self.owed: Counter[str] = Counter()
        self.covered: Counter[str] = Counter()

    def count(self, row: SiteRow) -> None:
        """Adds a site."""
        if row.listed:
            self.listed += 1
            self.registered += row.registered
            self.activated += row.activated
        if row.working:
            self.working += 1
            if row.active:
                self.active += 1
                self.kinds.update(row.kinds)
        if row.owed:
            self.owed.update(row.owed)
            self.covered.update(row.covered)

    def add(self, other: "_Cell") -> None:
        """Adds another cell's sums."""
        for name in ("listed", "registered", "activated", "working", "active"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.kinds.update(other.kinds)
        self.owed.update(other.owed)
        self.covered.update(other.covered)

    def counts(self) -> dict[Dimension, Count]:
        """The rates counted from sites."""
        return {
            Dimension.REGISTRATION: Count(self.registered, self.listed),
            Dimension.ACTIVATION: Count(self.activated, self.listed),
            Dimension.ACTIVITY: Count(self.active, self.working),
            Dimension.COVERAGE: Count(self.covered.total(), self.owed.total()),
        }


Key = tuple[str, str, str, str]
"""Level, code, county of a station, link."""


def lines(rows: Iterable[SiteRow], systems: Sequence[System], standards: Standards) -> list[Line]:
    """Scored and ranked lines of every place and link that the rows know, by level, code and link."""
    sums: dict[Key, _Cell] = {}
    for (county, station, link), cell in _cells(rows).items():
        for key in _keys(county, station, link):
            sums.setdefault(key, _Cell()).add(cell)
    for system in systems:
        for key in _keys(system.division[:6], "", system.link):
            sums.setdefault(key, _Cell())
    found = [_line(key, cell, systems, standards) for key, cell in sorted(sums.items())]
    rank(found)
    return found


def _cells(rows: Iterable[SiteRow]) -> dict[tuple[str, str, str], _Cell]:
    cells: dict[tuple[str, str, str], _Cell] = {}
    for row in rows:
        key = (scope_prefix(row.division)[:6], row.station, row.link)
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = _Cell()
        cell.count(row)
    return cells


def _keys(county: str, station: str, link: str) -> Iterator[Key]:
    """The lines a cell counts in; a place without a division counts nowhere."""
    for each in dict.fromkeys((ALL, link)):
        for length in (2, 4, 6):
            if len(county) >= length:
                yield LEVELS[length], county[:length], "", each
        if station:
            yield STATION, station, county, each


def _line(key: Key, cell: _Cell, systems: Sequence[System], standards: Standards) -> Line:
    level, code, county, link = key
    # A self-built system belongs to a division, not to a station.
    there = [] if level == STATION else [each for each in systems if _lies_in(each, code, link)]
    counts = {**cell.counts(), Dimension.UPLOAD: upload(there)}
    # One digit more than its county: what the county and its city weigh holds for the station.
    standard = standards.of(f"{county}-" if level == STATION else code)
    categories = {name: Count(cell.covered[name], owed) for name, owed in sorted(cell.owed.items())}
    scored = score(counts, standard.thresholds, standard.weights)
    return Line(level, code, link, county, counts, cell.kinds, categories, standard, scored)


def _lies_in(system: System, code: str, link: str) -> bool:
    return system.division.startswith(code) and link in (ALL, system.link)


def upload(systems: Sequence[System]) -> Count:
    """Records accepted among those declared, of each system at most what it declared; where a system declared no
    number, days on time among days expected, for all of them."""
    if all(each.declared for each in systems):
        return Count(sum(min(each.accepted, each.declared) for each in systems), sum(each.declared for each in systems))
    on_time = (min(each.days_on_time, each.days_expected) for each in systems)
    return Count(sum(on_time), sum(each.days_expected for each in systems))


def rank(found: Iterable[Line]) -> None:
    """Numbers lines among their like (same level and link; the links of a province among themselves).

    Equal scores share a rank; who has no score has none.
    """
    leagues: dict[tuple[str, ...], list[Line]] = {}
    for line in found:
        league = (line.code, "links") if line.level == "province" and line.link else (line.level, line.link)
        leagues.setdefault(league, []).append(line)
    for league_lines in leagues.values():
        totals = sorted((line.total for line in league_lines if line.total is not None), reverse=True)
        places = {total: place for place, total in reversed([*enumerate(totals, 1)])}
        for line in league_lines:
            line.rank = 0 if line.total is None else places[line.total]


def behind(row: SiteRow, dimension: Dimension, missing: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether a site is behind a rate (or, `missing`, in its denominator only), and with which categories."""
    if dimension is Dimension.COVERAGE:
        found = tuple(each for each in row.owed if (each in row.covered) is not missing)
        return bool(found), found
    among, counted = {
        Dimension.REGISTRATION: (row.listed, row.registered),
        Dimension.ACTIVATION: (row.listed, row.activated),
        Dimension.ACTIVITY: (row.working, row.active),
    }[dimension]
    return among and counted is not missing, ()
