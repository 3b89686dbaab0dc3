"""What stands where (库存可查), derived from events when asked for. Pure.

Pages go by events, the newest first: goods are told with the newest event about them, so that a page reads no more of
a site's past than it shows.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from services.trace.lineage import UNNAMED, node_key, split
from services.trace.pages import Position, older
from services.trace.sites import Sites
from services.trace.stock.accounts import Account
from services.trace.stock.amounts import NOTHING, Amount
from services.trace.stock.books import Books
from services.trace.told import Stored

NEWEST_FIRST: Final = (("time", -1), ("_id", -1))
FIELDS: Final = dict.fromkeys(("time", "site", "batches", "inputs", "outputs"), 1)
MOMENT: Final = timedelta(milliseconds=1)


class Unknown(StrEnum):
    """Why it is not known what stands there."""

    NOT_RECORDED = "not_recorded"
    NOTHING_CAME = "nothing_came"
    MORE_OUT_THAN_IN = "more_out_than_in"


class Standing(NamedTuple):
    """Goods at a node; the amount is None where `why` says so, `in_transit` is of it what was not received yet."""

    node: str
    amount: Amount | None
    in_transit: Amount | None
    since: datetime | None
    why: Unknown | None = None


class Asked(NamedTuple):
    """Whose stock: of sites (all their ids) with the operators that events name with them, or of a batch."""

    sites: frozenset[str] = frozenset()
    operators: tuple[str, ...] = ()
    batch: str = ""


def events(asked: Asked, at: datetime, scope: Stored) -> Stored:
    """Filter of the events by then that name the goods; both sides' indexes lead there by time."""
    if asked.batch:
        about: Stored = {"batches": asked.batch}
    else:
        here = {"$in": sorted(asked.sites)}
        told = [{"parties": operator, "there": here} for operator in asked.operators]
        about = {"$or": [{"site": here}, *told]}
    return {"$and": [about, scope, {"time": {"$lte": at}, "declared": None}]}


def before(where: Stored, position: Position | None) -> Stored:
    """The same, older than an event."""
    return {"$and": [where, older("time", position)]}


def shown_before(where: Stored, position: Position, keys: Collection[str]) -> Stored:
    """Filter of the events that had these nodes told on an earlier page."""
    time, id = position
    newer = {"$or": [{"time": {"$gt": time}}, {"time": time, "_id": {"$gte": id}}]}
    there = {"$in": list(keys)}
    return {"$and": [where, newer, {"$or": [{"inputs": there}, {"outputs": there}]}]}


def nodes(rows: Iterable[Mapping[str, Any]], asked: Asked) -> list[str]:
    """Nodes that events name, of the asked sites or batch, under the ids they were told by."""
    named = (key for row in rows for key in _named(row))
    return list(dict.fromkeys(key for key in named if _is_asked(key, asked)))


def _named(row: Mapping[str, Any]) -> Iterator[str]:
    yield from (*row["inputs"], *row["outputs"])
    yield from (node_key(batch, row["site"]) for batch in row["batches"])


def _is_asked(key: str, asked: Asked) -> bool:
    batch, site = split(key)
    return site != UNNAMED and (batch == asked.batch if asked.batch else site in asked.sites)


def today(keys: Iterable[str], sites: Sites) -> list[str]:
    """The nodes in the ids that their sites have today."""
    return list(dict.fromkeys(node_key(batch, sites.now(site)) for batch, site in map(split, keys)))


def ever(keys: Iterable[str], sites: Sites) -> list[str]:
    """Today's nodes under every id that events may know their sites by."""
    return [node_key(batch, id) for batch, site in map(split, keys) for id in sites.ids(site)]


def standing(keys: Iterable[str], books: Books) -> Iterator[Standing]:
    """What stands at these nodes; nothing is told of one where nothing is left."""
    for key in keys:
        account = books.nodes.get(key)
        if account and (found := _standing(key, account)):
            yield found


def _standing(key: str, account: Account) -> Standing | None:
    if why := _unknown(account):
        return Standing(key, None, None, account.since, why)
    left = account.left
    return Standing(key, left, account.in_transit, account.since) if left and left.quantity > 0 else None


def _unknown(account: Account) -> Unknown | None:
    came, went = account.came, account.went
    if came == NOTHING:
        return Unknown.NOTHING_CAME if went != NOTHING else None
    if account.left is None or came is None or went is None:
        return Unknown.NOT_RECORDED
    return Unknown.MORE_OUT_THAN_IN if went.quantity > came.quantity else None
