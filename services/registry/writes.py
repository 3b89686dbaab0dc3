"""A decision as pymongo operations; pure, for worker and api alike."""

from collections.abc import Mapping
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from services.registry.decision import Decision
from services.registry.documents import Operator
from services.registry.store import CANDIDATES, CHANGES, OPERATORS


def writes(decision: Decision) -> dict[str, list[Any]]:
    """The decision as operations, to be carried out in one transaction.

    A document that was changed since it was read collides: its version is in the filter, and `upsert` then meets its
    `_id`. Documents that give an id away go first, since an id is in one document only.
    """
    return {
        OPERATORS: [*_removed(decision), *_placed(decision)],
        CANDIDATES: _candidates(decision),
        CHANGES: [InsertOne(row) for row in decision.changes],
    }


def _removed(decision: Decision) -> list[Any]:
    return [
        DeleteOne({"_id": id, "version": former["version"]})
        for id, former in decision.before.items()
        if _gives_away(former, decision.after.get(id))
    ]


def _gives_away(former: Operator, now: Operator | None) -> bool:
    return now is None or not {*former["ids"]} <= {*now["ids"]} or not _site_ids(former) <= _site_ids(now)


def _site_ids(operator: Operator) -> set[str]:
    return set(operator.get("site_ids", ()))


def _placed(decision: Decision) -> list[Any]:
    operations: list[Any] = []
    for id, operator in decision.after.items():
        former = decision.before.get(id)
        if former is None or _gives_away(former, operator):
            operations.append(InsertOne(operator))
        else:
            operations.append(ReplaceOne({"_id": id, "version": former["version"]}, operator, upsert=True))
    return operations


def _candidates(decision: Decision) -> list[Any]:
    before, after = _pairs(decision.before), _pairs(decision.after)
    gone = [(key, site) for key, site in before if (key, site) not in after]
    pulls = [UpdateOne({"_id": key}, {"$pull": {"sites": site}}) for key, site in sorted(gone)]
    empty = [DeleteOne({"_id": key, "sites": []}) for key in sorted({key for key, _ in gone})]
    adds = [
        UpdateOne({"_id": key}, {"$addToSet": {"sites": site, "areas": {"$each": areas}}}, upsert=True)
        for (key, site), areas in sorted(after.items())
        if before.get((key, site)) != areas
    ]
    return pulls + empty + adds


def _pairs(operators: Mapping[str, Operator]) -> dict[tuple[str, str], list[str]]:
    """By candidate and site, the site's areas."""
    return {
        (candidate, site["site"]): site["areas"]
        for operator in operators.values()
        for site in operator["sites"]
        for candidate in site["candidates"]
    }
