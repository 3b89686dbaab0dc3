"""What another service told of its things, kept as rows: a higher version wins, an alias is read as what it means.

A row has its facts and a `version`, or the `alias_of` another, or both.
"""

from collections.abc import Generator, Iterable, Mapping
from typing import Any, TypeVar

from pymongo import UpdateOne

from contracts.model import Contract

Row = dict[str, Any]
Facts = TypeVar("Facts", bound=Contract)


def changed(id: str, facts: Mapping[str, Any]) -> UpdateOne:
    """Takes facts, with their `version`, over unless newer ones are there."""
    return _unless_newer(id, facts, "version")


def aliased(id: str, of: str, version: int, **beside: Any) -> UpdateOne:
    """Notes what an id means, or that it stands for itself, and what goes beside, unless something newer is noted."""
    return _unless_newer(id, {"alias_of": of, "alias_version": version, **beside}, "alias_version")


def _unless_newer(id: str, news: Mapping[str, Any], version: str) -> UpdateOne:
    """The higher version wins: neither order nor repetition matters."""
    newer = {"$gt": [f"${version}", news[version]]}
    merged = {"$mergeObjects": ["$$ROOT", {"$literal": news}]}
    return UpdateOne({"_id": id}, [{"$replaceWith": {"$cond": [newer, "$$ROOT", merged]}}], upsert=True)


def meant(
    ids: Iterable[str], model: type[Facts], read: list[Row] | None = None
) -> Generator[Row, list[Row], dict[str, Facts]]:
    """The facts of what each id means today, where there are some: yields filters and is sent rows, once and once more
    where an alias leads on. Aliases met on the way are told too. `read` are the rows of these ids, where they are at
    hand: then only aliases are asked for.
    """
    wanted, asked, found = set(ids), set[str](), dict[str, Row]()
    while wanted:
        asked |= wanted
        if read is None:
            told = yield {"_id": {"$in": sorted(wanted)}}
        else:
            told, read = read, None
        found |= {row["_id"]: row for row in told}
        wanted = {row["alias_of"] for row in told if row.get("alias_of")} - asked
    today = ends(found.values())
    facts = {id: model.model_validate(found[id]) for id in {*today.values()} if "version" in found.get(id, ())}
    return {id: facts[end] for id, end in today.items() if end in facts}


def ends(rows: Iterable[Row]) -> dict[str, str]:
    """The id that each row's id means today; an alias may lead to an alias, in circles too."""
    steps = {row["_id"]: row.get("alias_of") for row in rows}
    return {id: _end(id, steps) for id in steps}


def _end(id: str, steps: Mapping[str, str | None]) -> str:
    passed = {id}
    while (following := steps.get(id)) and following not in passed:
        passed.add(id := following)
    return id
