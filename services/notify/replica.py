"""What notify keeps of the registry, read as a grid."""

from collections.abc import Iterable, Sequence
from typing import Any

from pymongo.database import Database

from contracts.divisions import scope_prefix
from services.notify.events.events import Occurrence
from services.notify.grid import Grid
from services.notify.store import CELLS, SITES

Db = Database[dict[str, Any]]


def load(db: Db, sites: Iterable[str], told: Sequence[Occurrence] = ()) -> Grid:
    """The sites, under the ids asked for, and every cell in which what was told needs somebody."""
    found = _sites(db, {*sites})
    officers = sorted({officer for each in told for officer in each.officers})
    stations = {each.station for each in told if each.station} | {row["station"] for row in found if row.get("station")}
    near = list(db[CELLS].find({"_id": {"$in": sorted({row["cell"] for row in found if row.get("cell")})}}))
    stations |= {cell["station"] for cell in near}
    wanted: list[dict[str, Any]] = [{"station": {"$in": sorted(stations)}}, {"officer.officer": {"$in": officers}}]
    wanted += [_within(each.division) for each in told if not each.site and each.division]
    return Grid(found, [*near, *db[CELLS].find({"$or": wanted})])


def _sites(db: Db, ids: set[str]) -> list[dict[str, Any]]:
    """An alias is read as the site it means, under the id it was asked for by."""
    rows = {row["_id"]: row for row in db[SITES].find({"_id": {"$in": sorted(ids)}})}
    alias_of = {id: row["alias_of"] for id, row in rows.items() if row.get("alias_of", id) != id}
    meant = {row["_id"]: row for row in db[SITES].find({"_id": {"$in": sorted({*alias_of.values()})}})}
    direct = [row for id, row in rows.items() if id not in alias_of and "version" in row]
    return direct + [{**meant[to], "_id": id} for id, to in alias_of.items() if "version" in meant.get(to, ())]


def _within(division: str) -> dict[str, Any]:
    prefix = scope_prefix(division)
    return {"division": {"$gte": prefix, "$lt": prefix + ":"}}
