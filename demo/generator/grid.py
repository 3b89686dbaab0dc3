"""The grid (网格) of three cities: a station to each county, with an officer in charge and two more at their cells."""

from dataclasses import dataclass
from datetime import date
from random import Random

from contracts import divisions
from demo.generator.world import COUNTIES, person, phone


@dataclass(frozen=True)
class Officer:
    """Somebody of a station; tokens and papers know them by their name."""

    name: str
    phone: str
    wechat: str


@dataclass(frozen=True)
class Station:
    """A county's station (所). The first officer is in charge of it, the others of a cell each."""

    division: str
    id: str
    name: str
    officers: tuple[Officer, Officer, Officer]

    def cell(self, place: int) -> str:
        """The id of an officer's cell; 0 is the whole station's."""
        return f"G{self.division}-{place}" if place else f"G{self.division}"


def stations(first: date, seed: int) -> list[Station]:
    """All stations, no two officers of one name."""
    rng, names = Random(f"{first}:{seed}:grid"), set[str]()
    counties = [county for city in COUNTIES.values() for county in city]
    return [_station(rng, county, names) for county in counties]


def _station(rng: Random, county: str, names: set[str]) -> Station:
    officers = (_officer(rng, names), _officer(rng, names), _officer(rng, names))
    return Station(county, f"S{county}", f"{divisions.name(county)}市场监管所", officers)


def _officer(rng: Random, names: set[str]) -> Officer:
    name = person(rng)
    while name in names:
        name = person(rng)
    names.add(name)
    return Officer(name, phone(rng), f"o{rng.getrandbits(96):024x}")
