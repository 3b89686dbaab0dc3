"""Where something is: a site as the registry tells of it, filled in with what the message itself says. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from contracts.registry import SiteFacts
from services.inspection.documents import Placed

Sites = Mapping[str, SiteFacts]
"""What the registry told of sites, by any id they have had."""

NOWHERE: Final = "-"
"""Area of what has no division yet; its province looks after it."""

_LENGTHS: Final = (2, 4, 6, 9, 12)


class Place(NamedTuple):
    """A site, who answers for it, and whose it is."""

    site: str
    operator: str | None = None
    site_name: str | None = None
    division: str | None = None
    link: str | None = None
    station: str | None = None


def place(told: Place, sites: Sites) -> Place:
    """The site by the id it has today; the registry's word stands over the message's, which fills the gaps."""
    facts = sites.get(told.site)
    if facts is None:
        return told
    return Place(
        facts.site,
        facts.operator or told.operator,
        facts.name or told.site_name,
        facts.division or told.division,
        facts.link or told.link,
        facts.station or told.station,
    )


def placed(place: Place) -> Placed:
    """The place as a task's or a case's document says it."""
    return {
        "site": place.site,
        "operator": place.operator,
        "site_name": place.site_name,
        "division": place.division,
        "link": place.link,
        "station": place.station,
        "areas": areas(place.division),
    }


def placed_at(doc: Placed) -> Place:
    """Where a task or a case is."""
    return Place(doc["site"], doc["operator"], doc["site_name"], doc["division"], doc["link"], doc["station"])


def areas(division: str | None) -> list[str]:
    """What a division code starts with at each level; a scope is one of them, so that worklists are one index."""
    return list(_areas(division)) if division else [NOWHERE]


@lru_cache(4096)
def _areas(division: str) -> tuple[str, ...]:
    return tuple(sorted({division[:length] for length in _LENGTHS if len(division) >= length} | {division}))
