"""What the registry told of sites and cells, as inspection keeps it. No I/O.

A site is a row with facts, an alias a row with `alias_of`; an id may be both.
"""

from pymongo import UpdateOne

from chassis.replicas import aliased, changed
from contracts.registry import Alias, Cell, SiteFacts


def site_changed(told: SiteFacts) -> UpdateOne:
    """Takes facts over unless newer ones are there: order does not matter."""
    return changed(told.site, told.model_dump())


def site_aliased(told: Alias) -> UpdateOne:
    """Notes which site an id means, or that it stands for itself, unless something newer is noted."""
    return aliased(told.alias, told.site, told.version)


def cell_changed(told: Cell) -> UpdateOne:
    """Takes a cell of the grid over unless a newer one is there."""
    return changed(told.cell, told.model_dump())
