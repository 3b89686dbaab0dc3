"""Who is reached: recipients that follow the grid. No I/O.

`Grid` holds what was replicated of the sites and cells that matter to a batch.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from contracts.divisions import scope_prefix
from services.notify.domain import Channel
from services.notify.events.events import Occurrence

Row = Mapping[str, Any]


class Audience(StrEnum):
    """Whom a subscription means."""

    STATION = "station"
    CELL_OFFICER = "cell_officer"
    OFFICERS = "officers"
    SITE_PERSON = "site_person"
    ADDRESS = "address"


@dataclass(frozen=True)
class Recipient:
    """Somebody, and where to reach them by channel. `inbox` is whose in-app messages these are.

    `key` tells two recipients apart: `station:…`, `officer:…`, `site:…`, `address:…`.
    """

    key: str
    name: str
    inbox: str
    addresses: dict[str, str] = field(default_factory=dict)
    division: str | None = None


class Grid:
    """Sites and cells as rows of the replica (`contracts.registry.SiteFacts`, `Cell`)."""

    def __init__(self, sites: Iterable[Row], cells: Iterable[Row]) -> None:
        self.sites = {row["_id"]: row for row in sites}
        self.cells = {row["_id"]: row for row in cells}

    def addresses(self, subscriptions: Iterable[Row]) -> set[str]:
        """Every phone and openid that somebody of these may be reached by."""
        officers = [cell["officer"] for cell in self.cells.values() if cell.get("officer")]
        reached = [*map(_reach, officers), *(_person(site).addresses for site in self.sites.values())]
        reached += [_subscriber(row).addresses for row in subscriptions]
        return {address for addresses in reached for address in addresses.values()}

    def station_of(self, occurrence: Occurrence) -> str | None:
        """The station in charge: the site's by the grid, else the one that the occurrence names."""
        site = self.sites.get(occurrence.site or "", {})
        cell = self.cells.get(site.get("cell") or "", {})
        station: str | None = cell.get("station") or site.get("station") or occurrence.station
        return station

    def division_of(self, occurrence: Occurrence) -> str | None:
        """Where it happened."""
        site: Row = self.sites.get(occurrence.site or "", {})
        return occurrence.division or site.get("division")

    def recipients(self, audience: str, occurrence: Occurrence, subscription: Row) -> Iterator[Recipient]:
        """Everybody an audience means for what happened; nobody where the grid has a gap."""
        match audience:
            case Audience.STATION:
                yield from map(self._station, self._stations(occurrence))
            case Audience.CELL_OFFICER:
                cell = self.cells.get(self.sites.get(occurrence.site or "", {}).get("cell") or "")
                if cell and cell.get("officer"):
                    yield _officer(cell["officer"], cell["division"])
            case Audience.OFFICERS:
                yield from (self._named(id, occurrence) for id in occurrence.officers)
            case Audience.SITE_PERSON:
                if site := self.sites.get(occurrence.site or ""):
                    yield _person(site)
            case Audience.ADDRESS:
                yield _subscriber(subscription)

    def _stations(self, occurrence: Occurrence) -> list[str]:
        if occurrence.site:
            station = self.station_of(occurrence)
            return [station] if station else []
        within = scope_prefix(occurrence.division or "-")
        return sorted({cell["station"] for cell in self.cells.values() if cell["division"].startswith(within)})

    def _station(self, station: str) -> Recipient:
        """A station is reached through the officer of its uppermost cell that has one."""
        cells = sorted((c for c in self.cells.values() if c["station"] == station), key=self._depth)
        head: Row = next((cell["officer"] for cell in cells if cell.get("officer")), {})
        name = next((cell["station_name"] for cell in cells if cell.get("station_name")), station)
        division = cells[0]["division"] if cells else None
        return Recipient(f"station:{station}", name, f"station:{station}", _reach(head), division)

    def _depth(self, cell: Row) -> tuple[int, str]:
        above = self.cells.get(cell.get("parent") or "")
        return int(above is not None and above["station"] == cell["station"]), cell["_id"]

    def _named(self, id: str, occurrence: Occurrence) -> Recipient:
        for cell in self.cells.values():
            if (officer := cell.get("officer")) and officer["officer"] == id:
                return _officer(officer, cell["division"])
        return Recipient(f"officer:{id}", id, f"officer:{id}", {}, occurrence.division)


def _officer(officer: Row, division: str) -> Recipient:
    key = f"officer:{officer['officer']}"
    return Recipient(key, officer["name"], key, _reach(officer), division)


def _reach(person: Row) -> dict[str, str]:
    known = {Channel.SMS: person.get("phone"), Channel.WECHAT: person.get("wechat")}
    return {channel.value: address for channel, address in known.items() if address}


def _person(site: Row) -> Recipient:
    reach = _reach({"phone": site.get("contact_phone"), "wechat": site.get("contact_wechat")})
    name = site.get("contact_name") or site["name"]
    return Recipient(f"site:{site['_id']}", name, f"operator:{site['operator']}", reach, site.get("division"))


def _subscriber(subscription: Row) -> Recipient:
    key = f"address:{subscription['_id']}"
    told = subscription["address"]
    named = {
        Channel.SMS: told.get("phone"),
        Channel.WECHAT: told.get("wechat"),
        Channel.WECOM: told.get("wecom_key"),
        Channel.WEBHOOK: told.get("webhook_url"),
    }
    addresses = {channel.value: address for channel, address in named.items() if address}
    return Recipient(key, told.get("name") or subscription["name"], subscription["inbox"], addresses)
