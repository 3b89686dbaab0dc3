"""What callers ask: filters with the caller's scope inside. No I/O."""

from typing import Any, Final

from chassis.caller import Caller
from contracts.divisions import scope_prefix
from services.notify.domain import Channel

Filter = dict[str, Any]


HIDDEN: Final = {"secret": 0, "addresses": 0}
"""What no answer needs: phones, keys."""


def deliveries_seen(caller: Caller) -> Filter:
    """Deliveries a caller may see: of its division, or to its operator."""
    if caller.role == "operator":
        return {"inbox": f"operator:{caller.operator_id}"}
    return within(caller.division) if caller.division else {}


def within(division: str) -> Filter:
    """What lies in a division, given as the start of its codes."""
    return {"division": {"$gte": division, "$lt": division + ":"}}


def deliveries_like(caller: Caller, asked: dict[str, str], cause: str, division: str, after: str) -> Filter:
    """Deliveries that have all that is given, their ids greater than `after`; `cause` is the start of one."""
    clauses = [
        deliveries_seen(caller),
        {name: value for name, value in asked.items() if value},
        {"_id": {"$gt": after}},
    ]
    if cause:
        clauses.append({"cause": {"$gte": cause, "$lt": cause + "\uffff"}})
    if division:
        clauses.append(within(scope_prefix(division)))
    return {"$and": clauses}


def inbox(caller: Caller) -> Filter:
    """The caller's own messages; a regulator reads those of the stations of its division too."""
    where: Filter = {"channel": Channel.IN_APP.value}
    if caller.role == "operator":
        return {**where, "inbox": f"operator:{caller.operator_id}"}
    stations = {"inbox": {"$gte": "station:", "$lt": "station;"}, **within(caller.division or "-")}
    return {**where, "$or": [{"inbox": f"officer:{caller.subject}"}, stations]}


def subscriptions_seen(caller: Caller) -> Filter:
    """Subscriptions a caller may see and end."""
    if caller.role == "operator":
        return {"inbox": f"operator:{caller.operator_id}"}
    return within(caller.division or "-")
