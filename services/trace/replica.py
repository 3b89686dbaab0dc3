"""What the registry told of sites, as trace keeps it. No I/O.

A site is a row with facts, an alias a row with `alias_of`; an id may be both.
"""

from collections.abc import Generator, Iterable, Mapping

from pymongo import UpdateMany, UpdateOne

from contracts.registry import Alias, SiteFacts
from services.trace.domain import Facts
from services.trace.rows import Stored


def asked_facts(sites: set[str]) -> Generator[Stored, list[Stored], Facts]:
    """What the registry told of sites: yields filters and is sent rows, once and once more where an alias leads on."""
    found: dict[str, Stored] = {}
    asked: set[str] = set()
    while sites:
        asked |= sites
        told = yield {"_id": {"$in": sorted(sites)}}
        found |= {row["_id"]: row for row in told}
        sites = {row["alias_of"] for row in told if row.get("alias_of")} - asked
    return _facts(found)


def _facts(found: Mapping[str, Stored]) -> Facts:
    ends = {id: _end(id, found) for id in found}
    facts = {id: SiteFacts.model_validate(found[id]) for id in set(ends.values()) if "version" in found.get(id, {})}
    return {id: facts[end] for id, end in ends.items() if end in facts}


def _end(id: str, found: Mapping[str, Stored]) -> str:
    passed = {id}
    while (following := found.get(id, {}).get("alias_of")) and following not in passed:
        passed.add(id := following)
    return id


def site_changed(told: SiteFacts) -> UpdateOne:
    """Takes facts over unless newer ones are there: order does not matter. BSON knows no dates, so a day is text."""
    return _unless_newer(told.site, "version", told.version, told.model_dump(mode="json"))


def site_aliased(told: Alias) -> UpdateOne:
    """Notes which site an id means, or that it stands for itself, unless something newer is noted."""
    news = {"alias_of": told.site, "alias_version": told.version}
    return _unless_newer(told.alias, "alias_version", told.version, news)


def _unless_newer(id: str, field: str, version: int, news: Stored) -> UpdateOne:
    """A higher version wins; the first row of an id has none."""
    newer = {"$gt": [f"${field}", version]}
    merged = {"$mergeObjects": ["$$ROOT", {"$literal": news}]}
    return UpdateOne({"_id": id}, [{"$replaceWith": {"$cond": [newer, "$$ROOT", merged]}}], upsert=True)


def aliases_of(sites: Iterable[str]) -> Stored:
    """Filter of the aliases of some sites."""
    return {"alias_of": {"$in": sorted(sites)}}


def placed(facts: Facts) -> list[UpdateMany]:
    """Operations that give events whose site was not known their place; `unplaced` names that site till then."""
    return [
        UpdateMany(
            {"unplaced": id},
            {
                "$set": {"division": told.division, "operator": told.operator},
                "$addToSet": {"parties": told.operator},
                "$unset": {"unplaced": 1},
            },
        )
        for id, told in facts.items()
        if told.division
    ]
