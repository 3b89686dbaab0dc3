"""The bulletin's figures counted by brute force: plain loops over raw records, straight from the definitions.

Registration, activity, 10+3 coverage, upload, score and rank of every place and link; `brute_lists` has the rest. It
shares no line with services/reporting, so that an error of one does not hide behind the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from contracts import divisions
from demo.brute_records import Json, Records, Site
from demo.brute_scores import cents, rank, scored, share

LEVELS: Final = {"province": 2, "city": 4, "county": 6}
BROKEN: Final = ("overdue_shipment", "unknown_source")
"""Findings of a handoff without one of its halves."""

SHARES: Final = ("registration", "activation", "activity", "coverage", "upload")


class Place(NamedTuple):
    """A province, city, county (`code` is a prefix) or station (its id, and its `county`); `link` empty for all."""

    level: str
    code: str
    county: str
    link: str


class Did(NamedTuple):
    """What a site did in the month: its steps, and the categories with a linkable event."""

    steps: set[str]
    linked: set[str]


def lines(records: Records) -> list[Json]:
    """A line of every place and link, with score, rank and the month before."""
    did, uploads = doings(records), systems(records)
    found = [_line(place, records, did, uploads) for place in sorted(_places(records))]
    rank(found)
    before = {_key(line): line for line in records.earlier[0][1]} if records.earlier else {}
    for line in found:
        was = before.get(_key(line))
        line["before"] = {name: was[name] for name in ("score", "rates", "rank")} if was else None
        exact = line.pop("exact")
        line["score"] = None if exact is None else cents(exact)
    return found


def doings(records: Records) -> dict[str, Did]:
    """By site. A shipment or receipt links when its handoff has both halves, and whatever ends outside the province."""
    meant = {id: site.id for site in records.sites for id in site.ids}
    broken = {row["event_id"] for row in records.findings if row["open"] and row["kind"] in BROKEN}
    did = {site.id: Did(set(), set()) for site in records.sites}
    for event in records.events:
        if event.site in meant:
            mine = did[meant[event.site]]
            mine.steps.add(event.step)
            if event.external or (event.step in ("shipping", "receiving") and event.id not in broken):
                mine.linked.update(event.categories)
    return did


def systems(records: Records) -> list[Json]:
    """Each self-built system that declared something: records and days, against what it declared."""
    return [_system(row, records) for row in records.declarations]


def _system(declared: Json, records: Records) -> Json:
    mine = [event for event in records.events if event.source == declared["system"]]
    return {
        "system": declared["system"],
        "division": declared["division"],
        "link": declared["link"],
        "accepted": len(mine),
        "declared": declared["records"],
        "days_on_time": len({event.day for event in mine if event.on_time}),
        "days_expected": declared["days"] or records.span.days,
    }


def _places(records: Records) -> set[Place]:
    sites = ((site.division, site.station, site.link) for site in records.sites)
    declared = ((row["division"], "", row["link"]) for row in records.declarations)
    return {place for each in (*sites, *declared) for place in _places_of(*each)}


def _places_of(division: str, station: str, link: str) -> Iterator[Place]:
    # The code of a city or a province ends in zeros.
    division = divisions.scope_prefix(division)
    for each in ("", link):
        for level, length in LEVELS.items():
            if len(division) >= length:
                yield Place(level, division[:length], "", each)
        if station:
            yield Place("station", station, division[:6], each)


def _inside(site: Site, place: Place) -> bool:
    if place.link not in ("", site.link):
        return False
    if place.level == "station":
        return site.station == place.code and divisions.scope_prefix(site.division)[:6] == place.county
    return site.division.startswith(place.code)


def _line(place: Place, records: Records, did: dict[str, Did], uploads: Iterable[Json]) -> Json:
    here = [site for site in records.sites if _inside(site, place)]
    listed = [site for site in here if site.listed]
    working = [site for site in here if site.activated and not site.suspended]
    active = [site for site in working if did[site.id].steps]
    counts = {
        "registration": [sum(site.registered for site in listed), len(listed)],
        "activation": [sum(site.activated for site in listed), len(listed)],
        "activity": [len(active), len(working)],
        "coverage": [sum(len(site.owed & did[site.id].linked) for site in here), sum(len(site.owed) for site in here)],
        "upload": _upload(place, uploads),
    }
    # What a county and its city weigh holds for its stations.
    code = f"{place.county}-" if place.level == "station" else place.code
    return {
        "level": place.level,
        "code": place.code,
        "county": place.county,
        "link": place.link,
        "name": _name(place, records),
        "counts": counts,
        "rates": {name: share(*counts[name]) for name in SHARES},
        "kinds": dict(Counter(step for site in active for step in did[site.id].steps)),
        "categories": {} if place.link else _categories(here, did),
        **scored(code, counts, records.standards, records.span.first),
    }


def _upload(place: Place, found: Iterable[Json]) -> list[int]:
    """A system belongs to a division, not to a station; where one declared no number, days count for all."""
    there = [row for row in found if row["division"].startswith(place.code) and place.link in ("", row["link"])]
    if place.level == "station" or not there:
        return [0, 0]
    part, whole = (
        ("accepted", "declared") if all(row["declared"] for row in there) else ("days_on_time", "days_expected")
    )
    return [sum(min(row[part], row[whole]) for row in there), sum(row[whole] for row in there)]


def _categories(here: Sequence[Site], did: dict[str, Did]) -> dict[str, list[int]]:
    owing = {each: [site for site in here if each in site.owed] for site in here for each in site.owed}
    return {each: [sum(each in did[s.id].linked for s in sites), len(sites)] for each, sites in owing.items()}


def _name(place: Place, records: Records) -> str:
    if place.level == "station":
        return records.stations.get(place.code, place.code)
    return divisions.name(place.code.ljust(6, "0")) or ""


def _key(line: Json) -> tuple[str, ...]:
    return line["level"], line["code"], line["county"], line["link"]
