"""What another service told of its things, kept as rows: a higher version wins, an alias is read as what it means.

A row has its facts and a `version`, or the `alias_of` another, or both.
"""

from collections.abc import Generator, Iterable, Mapping
from typing import Any

from pymongo import UpdateOne

Row = dict[str, Any]


def unless_newer(id: str, field: str, version: int, news: Mapping[str, Any]) -> UpdateOne:
    """Takes news over unless the row's `field` holds a higher version: neither order nor repetition matters."""
    newer = {"$gt": [f"${field}", version]}
    merged = {"$mergeObjects": ["$$ROOT", {"$literal": news}]}
    return UpdateOne({"_id": id}, [{"$replaceWith": {"$cond": [newer, "$$ROOT", merged]}}], upsert=True)


def meant(ids: Iterable[str]) -> Generator[Row, list[Row], dict[str, Row]]:
    """The row that each id means today, of those that have facts: yields filters and is sent rows, once and once more
    where an alias leads on. Aliases met on the way are told too.
    """
    wanted, asked, found = set(ids), set[str](), dict[str, Row]()
    while wanted:
        asked |= wanted
        told = yield {"_id": {"$in": sorted(wanted)}}
        found |= {row["_id"]: row for row in told}
        wanted = {row["alias_of"] for row in told if row.get("alias_of")} - asked
    rows = {id: found.get(end, {}) for id, end in ends(found.values()).items()}
    return {id: row for id, row in rows.items() if "version" in row}


def ends(rows: Iterable[Row]) -> dict[str, str]:
    """The id that each row's id means today; an alias may lead to an alias, in circles too."""
    steps = {row["_id"]: row.get("alias_of") for row in rows}
    return {id: _end(id, steps) for id in steps}


def _end(id: str, steps: Mapping[str, str | None]) -> str:
    passed = {id}
    while (following := steps.get(id)) and following not in passed:
        passed.add(id := following)
    return id
