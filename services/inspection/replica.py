"""What the registry told of sites and cells, as inspection keeps it. No I/O.

A site is a row with facts, an alias a row with `alias_of`; an id may be both.
"""

from collections.abc import Generator, Iterable

from pymongo import UpdateOne

from chassis.replicas import meant, unless_newer
from contracts.registry import Alias, Cell, SiteFacts
from services.inspection.documents import Document
from services.inspection.places import Sites


def asked_sites(ids: Iterable[str]) -> Generator[Document, list[Document], Sites]:
    """What the registry told of sites: yields filters and is sent rows."""
    rows = yield from meant(ids)
    facts = {row["_id"]: SiteFacts.model_validate(row) for row in rows.values()}
    return {id: facts[row["_id"]] for id, row in rows.items()}


def site_changed(told: SiteFacts) -> UpdateOne:
    """Takes facts over unless newer ones are there: order does not matter."""
    return unless_newer(told.site, "version", told.version, told.model_dump())


def site_aliased(told: Alias) -> UpdateOne:
    """Notes which site an id means, or that it stands for itself, unless something newer is noted."""
    news = {"alias_of": told.site, "alias_version": told.version}
    return unless_newer(told.alias, "alias_version", told.version, news)


def cell_changed(told: Cell) -> UpdateOne:
    """Takes a cell of the grid over unless a newer one is there."""
    return unless_newer(told.cell, "version", told.version, told.model_dump())
