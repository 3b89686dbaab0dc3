"""What callers ask: filters and pipelines with the caller's scope inside. No I/O."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from chassis.caller import Caller
from contracts.divisions import scope_prefix
from contracts.inspection import Standing, TaskState
from contracts.registry import OperatorState
from services.inspection.documents import Document
from services.inspection.places import NOWHERE


def scope(caller: Caller) -> Document:
    """What a caller may see, on anything that has `areas`; the system, without a division, sees all.

    An operator sees what is about itself, a laboratory without a division what it recorded itself.
    """
    if caller.role == "operator":
        return {"operator": caller.operator_id}
    if caller.role == "laboratory" and not caller.division:
        return {"recorded_by": caller.subject}
    return _of_division(caller)


def _of_division(caller: Caller) -> Document:
    return {"areas": _area(caller.division)} if caller.division else {}


def _area(division: str) -> Any:
    """A province looks after what has no division."""
    return {"$in": [division, NOWHERE]} if len(division) == 2 else division


def within(division: str) -> Document:
    """What lies in a division that a caller names; an empty text asks for nothing."""
    return {"areas": scope_prefix(division)} if division else {}


def one(caller: Caller, id: str) -> Document:
    """The document of that id, if the caller may see it."""
    return {"_id": id, **scope(caller)}


def to_retest(caller: Caller, id: str) -> Document:
    """The test that a laboratory was given to test again: another one's, of its division when it has one."""
    return {"_id": id, **_of_division(caller)}


def tasks_like(caller: Caller, division: str, states: Sequence[str], after: str, **fields: str | None) -> Document:
    """Tasks in any of the states (none: in any) that have all that is given, behind `after`, in a worklist's order.

    States are always named, so that one of the indexes that begin with them gives the order.
    """
    state = {"state": {"$in": list(states) or [state.value for state in TaskState]}}
    return _all(scope(caller), within(division), state, _given(fields), {"order": {"$gt": after}})


def newest(caller: Caller, division: str, before: str, **fields: Any) -> Document:
    """Cases, tests or samples that have all that is given, older than `before`, for an order that descends."""
    return _all(scope(caller), within(division), _given(fields), {"order": {"$lt": before}} if before else {})


def shared(batch: str, item: str, method: str, since: datetime, before: str) -> Document:
    """Tests of one batch and item that may stand, wherever they were taken; newer than any term of validity."""
    told = _given({"batch": batch, "item": item, "method": method})
    standing = {"standing": {"$in": [Standing.STANDS.value, Standing.UPHELD.value]}, "tested_at": {"$gt": since}}
    return _all(told, standing, {"order": {"$lt": before}} if before else {})


def ledger_like(
    caller: Caller, division: str, since: datetime | None, until: datetime | None, before: tuple[datetime, str] | None,
    **fields: str,
) -> Document:  # fmt: skip
    """Lines of the ledger from `since` to before `until`, older than the time and id of `before`."""
    times = {op: at for op, at in (("$gte", since), ("$lt", until)) if at}
    older: Document = {}
    if before:
        at, id = before
        older = {"at": {"$lte": at}, "$or": [{"at": {"$lt": at}}, {"_id": {"$lt": id}}]}
    return _all(scope(caller), within(division), _given(fields), {"at": times} if times else {}, older)


def _given(fields: dict[str, Any]) -> Document:
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _all(*clauses: Document) -> Document:
    asked = [clause for clause in clauses if clause]
    return {"$and": asked} if asked else {}


IN_FRAME: Final = tuple(
    state.value
    for state in (
        OperatorState.REGISTERED,
        OperatorState.ACTIVATED,
        OperatorState.ON_CHAIN,
        OperatorState.ACTIVE,
        OperatorState.INACTIVE,
    )
)
"""Sites in these states should be recording, and so can be drawn."""


OWN_NAME: Final[Document] = {"$or": [{"alias_of": None}, {"$expr": {"$eq": ["$alias_of", "$_id"]}}]}
"""A site's row under the id it has today."""


def frame(division: str | None) -> list[Document]:
    """Pipeline on the replica of the registry: site ids by county and link, in a division given as a prefix."""
    place = {"division": {"$gte": division, "$lt": division + ":"}} if division else {}
    county = {"$substrCP": [{"$ifNull": ["$division", "-"]}, 0, 6]}
    stratum = {"$concat": [county, "/", {"$ifNull": ["$link", "-"]}]}
    return [
        {"$match": _all(place, {"state": {"$in": [*IN_FRAME]}}, OWN_NAME)},
        {"$group": {"_id": stratum, "sites": {"$push": "$_id"}}},
        {"$sort": {"_id": 1}},
    ]


def checked(sites: Iterable[str], since: datetime, until: datetime) -> Document:
    """Tasks at these sites that were inspected between two times (`until` excluded)."""
    return {"site": {"$in": sorted(sites)}, "inspected_at": {"$gte": since, "$lt": until}}


CHECK_FIELDS: Final = {"site": 1, "items": 1, "checked_level": 1, "inspected_at": 1}


def checked_higher(levels: Sequence[str], since: datetime, **about: Any) -> Document:
    """Tasks that authorities of these levels inspected since."""
    return {"checked_level": {"$in": list(levels)}, "inspected_at": {"$gte": since}, **about}


def sites_after(caller: Caller, division: str, after: str) -> Document:
    """Sites of the replica to be checked, under their own names, in a division of the caller's, behind `after`."""
    prefixes = [prefix for prefix in (caller.division, scope_prefix(division) if division else None) if prefix]
    places = [{"division": {"$gte": prefix, "$lt": prefix + ":"}} for prefix in prefixes]
    return _all(*places, {"state": {"$in": [*IN_FRAME]}}, OWN_NAME, {"_id": {"$gt": after}})


def aliases_of(sites: Iterable[str]) -> Document:
    """Other ids by which events may know these sites."""
    return {"alias_of": {"$in": sorted(sites)}}


def changes(caller: Caller, division: str, **fields: str) -> list[Document]:
    """Pipeline of a change stream on the tasks a caller watches."""
    wanted = _all(scope(caller), within(division), _given(fields))
    inserted = {"operationType": {"$in": ["insert", "replace", "update"]}}
    return [{"$match": {"$and": [inserted, *(_prefixed(clause) for clause in wanted.get("$and", ()))]}}]


def _prefixed(clause: Document) -> Document:
    return {f"fullDocument.{name}": value for name, value in clause.items()}
