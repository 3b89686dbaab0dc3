"""What the registry told of sites, as trace keeps it. No I/O.

A site is a row with facts, an alias a row with `alias_of`; an id may be both.
"""

from collections.abc import Iterable
from datetime import datetime

from pymongo import UpdateMany, UpdateOne

from chassis.replicas import aliased, changed
from contracts.registry import Alias, SiteFacts
from services.trace.domain import Facts
from services.trace.told import Stored


def site_changed(told: SiteFacts) -> UpdateOne:
    """Takes facts over unless newer ones are there: order does not matter."""
    return changed(told.site, told.model_dump())


def site_aliased(told: Alias, now: datetime) -> UpdateOne:
    """Notes which site an id means, or that it stands for itself, unless something newer is noted.

    `names` has both: a walk asks for either in one look. `aliased_at`: an open recall looks again.
    """
    return aliased(told.alias, told.site, told.version, names=[told.alias, told.site], aliased_at=now)


def aliases_of(sites: Iterable[str]) -> Stored:
    """Filter of the aliases of some sites."""
    return {"alias_of": {"$in": sorted(sites)}}


def aliased_since(sites: Iterable[str], since: datetime) -> Stored:
    """Filter of what was noted since then of these sites' ids."""
    return {"names": {"$in": list(sites)}, "aliased_at": {"$gt": since}}


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
