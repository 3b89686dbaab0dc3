"""What callers ask: filters and projections with the caller's scope inside. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chassis.caller import Caller
from contracts.divisions import scope_prefix
from services.registry.documents import Operator, Site
from services.registry.store import Filter
from services.registry.views import NOWHERE

SEE_PERSONS: Final = frozenset({"operator", "regulator"})
"""Roles that see whom to call; an operator sees itself only, a regulator its division."""

PERSONAL: Final = ("contact", "phone", "wechat")
SHOWN: Final = ("ids", "name", "uscc", "state", "flags", "version", "created_at", "updated_at")


def scope(caller: Caller) -> Filter:
    """What a caller may see, as a filter on operators or on candidates."""
    if caller.role == "operator":
        return {"ids": caller.operator_id}
    return within(caller.division) if caller.division else {}


def within(division: str) -> Filter:
    """What lies in a division, given as `contracts.divisions.scope_prefix`."""
    return {"areas": {"$in": _areas(division)}}


def _areas(division: str) -> list[str]:
    """A province looks after what has no division."""
    return [division, NOWHERE] if len(division) == 2 else [division]


def operators_by(caller: Caller, ids: Sequence[str]) -> Filter:
    """Operators that any of the ids means, as far as the caller may see."""
    return {"$and": [{"ids": {"$in": list(ids)}}, scope(caller)]}


def operators_like(caller: Caller, division: str, state: str, unit_kind: str, flag: str, after: str) -> Filter:
    """Operators that have all that is given (an empty text asks for nothing), their ids greater than `after`."""
    wanted = {"state": state, "sites.unit_kind": unit_kind, "flag_rules": flag}
    given = {field: value for field, value in wanted.items() if value}
    place = within(scope_prefix(division)) if division else {}
    return {"$and": [scope(caller), place, given, {"_id": {"$gt": after}}]}


def site_by(caller: Caller, id: str) -> tuple[Filter, dict[str, Any]]:
    """Filter and projection of the operator with the one site that the id means, if the caller may see it."""
    seen = {} if caller.role == "operator" else scope(caller)
    element = {"$elemMatch": {"ids": id, **seen}}
    mine = scope(caller) if caller.role == "operator" else {}
    return {"site_ids": id, "sites": element, **mine}, {"sites": element}


def candidates_like(caller: Caller, division: str, since: str) -> Filter:
    """Candidates of two sites or more, from one on."""
    place = within(scope_prefix(division)) if division else {}
    return {"$and": [scope(caller), place, {"sites.1": {"$exists": True}, "_id": {"$gte": since}}]}


def sites_of(caller: Caller, ids: Sequence[str]) -> Filter:
    """Operators that have any of the sites, as far as the caller may see."""
    return {"$and": [{"site_ids": {"$in": list(ids)}}, scope(caller)]}


def projection(caller: Caller) -> dict[str, Any]:
    """The fields a caller may see: sites within its scope, personal data in the roles that need them."""
    fields: dict[str, Any] = dict.fromkeys((*SHOWN, *(PERSONAL if caller.role in SEE_PERSONS else ())), 1)
    if caller.role == "operator" or not caller.division:
        return {**fields, "sites": 1}
    shared = {"$setIntersection": ["$$site.areas", _areas(caller.division)]}
    inside = {"$gt": [{"$size": shared}, 0]}
    return {**fields, "sites": {"$filter": {"input": "$sites", "as": "site", "cond": inside}}}


def visible(operator: Operator, caller: Caller) -> Operator:
    """A document just written, with the sites that `projection` would show to whoever may write."""
    if caller.role == "operator" or not caller.division:
        return operator
    inside = set(_areas(caller.division))
    return {**operator, "sites": [site for site in operator["sites"] if not inside.isdisjoint(site["areas"])]}


def areas_within(division: str | None) -> Filter:
    """Cells and imports whose `area` lies in a division, given as a prefix; all without one."""
    return {"area": {"$gte": division, "$lt": division + ":"}} if division else {}


def sites_like(caller: Caller, division: str, given: Mapping[str, Any], after: str) -> Filter:
    """Operators with sites that a list asks for, from one on: its page may begin within an operator."""
    place = within(scope_prefix(division)) if division else {}
    return {"$and": [scope(caller), place, {**given, "_id": {"$gte": after}}]}


def gaps_like(gap: str) -> Filter:
    """What a list of gaps asks for; any of them when empty."""
    return {"gaps": gap or {"$in": ["cell", "contact", "officer"]}}


def inside(division: str, site: Site) -> bool:
    """Whether a site lies in the division that a list asks for."""
    return not division or not {*_areas(scope_prefix(division))}.isdisjoint(site["areas"])
