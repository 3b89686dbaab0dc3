"""Writes and filters of notify's collections; pure, for worker and api alike."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import InsertOne, ReplaceOne, UpdateOne

from chassis.replicas import aliased, changed
from contracts.registry import Alias, Cell, GridChangedV1, SiteFacts, SitesAliasedV1, SitesChangedV1
from services.notify.domain import State, Step, after
from services.notify.store import CELLS, SITES, Document

# What the registry told


def replicated(bodies: Iterable[SitesChangedV1 | SitesAliasedV1 | GridChangedV1]) -> dict[str, list[Any]]:
    """Writes that keep what is newer of sites, their aliases, and cells."""
    writes: dict[str, list[Any]] = {SITES: [], CELLS: []}
    for body in bodies:
        match body:
            case SitesChangedV1():
                writes[SITES] += map(_told_site, body.sites)
            case SitesAliasedV1():
                writes[SITES] += map(_aliased, body.aliases)
            case GridChangedV1():
                writes[CELLS] += map(_told_cell, body.cells)
    return writes


def _told_site(site: SiteFacts) -> UpdateOne:
    return changed(site.site, site.model_dump(mode="json"))


def _aliased(alias: Alias) -> UpdateOne:
    return aliased(alias.alias, alias.site, alias.version)


def _told_cell(cell: Cell) -> UpdateOne:
    return changed(cell.cell, cell.model_dump(mode="json"))


def subject_told(id: str, version: int) -> UpdateOne:
    """Remembers the latest word on a finding, task or case."""
    return UpdateOne({"_id": id}, {"$max": {"version": version}}, upsert=True)


# Deliveries


def inserted(rows: Iterable[Mapping[str, Any]]) -> list[Any]:
    """New deliveries; one that is there already is a duplicate key."""
    return [InsertOne(dict(row)) for row in rows]


def due(channel: str, now: datetime) -> Document:
    """What waits to be sent on a channel."""
    return {"channel": channel, "state": State.PENDING.value, "due_at": {"$lte": now}}


FIRST: Final = [("urgency", 1), ("due_at", 1)]
"""Recalls first."""


def claimed(attempt: str, lease_until: datetime, now: datetime) -> list[Document]:
    """Marks a delivery as being sent, before anything is: who died in between leaves a trace."""
    fields = {
        "state": after(State.PENDING, Step.CLAIM).value,
        "attempt": attempt,
        "lease_until": lease_until,
        "attempts": {"$add": ["$attempts", 1]},
        "version": {"$add": ["$version", 1]},
        "first_at": {"$ifNull": ["$first_at", now]},
        "updated_at": now,
    }
    return [{"$set": fields}]


def moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> ReplaceOne[Document]:
    """Puts a delivery in its new state, if it is still as it was read: a stale version is a duplicate key."""
    return ReplaceOne({"_id": before["_id"], "version": before["version"]}, dict(now), upsert=True)


def ended(now: datetime) -> Document:
    """Deliveries whose sender died."""
    return {"state": State.SENDING.value, "lease_until": {"$lt": now}}


def to_ask(channel: str, now: datetime) -> Document:
    """Deliveries of unknown fate whose provider is to be asked now."""
    return {"channel": channel, "state": State.UNKNOWN.value, "due_at": {"$lte": now}}


# Receipts


def receipt_id(channel: str, provider_id: str, delivery_id: str) -> str:
    """One receipt of a message counts."""
    return f"{channel}:{provider_id or delivery_id}"


def received(row: Document) -> UpdateOne:
    """Keeps a receipt until the worker applies it; a repeated one changes nothing."""
    return UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True)


def told_of(receipts: Sequence[Mapping[str, Any]]) -> Document:
    """The deliveries that receipts tell of."""
    ids = [receipt["delivery_id"] for receipt in receipts if receipt["delivery_id"]]
    given = [receipt["provider_id"] for receipt in receipts if receipt["provider_id"]]
    return {"$or": [{"_id": {"$in": ids}}, {"provider_id": {"$in": given}}]}


# Quotas


def quota_key(channel: str, *parts: str) -> str:
    """What a provider counts by: signature, template and address."""
    return ":".join((channel, *parts))


def counted(key: str, delivery: str, limit: int, window: timedelta, now: datetime) -> UpdateOne:
    """Takes one of `limit` in a rolling window, unless all are taken; a delivery counts once.

    Whether it was granted is read afterwards: `entries` then names the delivery.
    """
    since = now - window
    mine = {"$in": [delivery, "$entries.id"]}
    room = {"$lt": [{"$size": "$entries"}, limit]}
    recent = {
        "$filter": {"input": {"$ifNull": ["$entries", []]}, "as": "entry", "cond": {"$gt": ["$$entry.at", since]}}
    }
    added = {"$concatArrays": ["$entries", [{"id": delivery, "at": now}]]}
    grants = {"$cond": [{"$and": [room, {"$not": [mine]}]}, added, "$entries"]}
    return UpdateOne(
        {"_id": key}, [{"$set": {"entries": recent, "at": now}}, {"$set": {"entries": grants}}], upsert=True
    )


def granted_once(key: str, now: datetime) -> UpdateOne:
    """One more message that a recipient has allowed (WeChat's one-time subscription)."""
    return UpdateOne({"_id": key}, {"$inc": {"left": 1}, "$set": {"at": now}}, upsert=True)


def taken_once(key: str, delivery: str, now: datetime) -> UpdateOne:
    """Takes one of the messages allowed, if there is one; a delivery takes one only."""
    mine = {"$in": [delivery, {"$ifNull": ["$entries.id", []]}]}
    left = {"$ifNull": ["$left", 0]}
    take = {"$and": [{"$gt": [left, 0]}, {"$not": [mine]}]}
    entries = {"$ifNull": ["$entries", []]}
    fields = {
        "at": now,
        "left": {"$cond": [take, {"$subtract": [left, 1]}, left]},
        "entries": {"$cond": [take, {"$concatArrays": [entries, [{"id": delivery, "at": now}]]}, entries]},
    }
    return UpdateOne({"_id": key}, [{"$set": fields}], upsert=True)


def stop_key(channel: str, address: str) -> str:
    """A STOP is by channel and address."""
    return f"{channel}:{address}"


# Pace


def reserved(number: int, per_second: float) -> list[Document]:
    """Takes the next `number` places in a provider's rate, shared by all workers; `free_at` is where they end.

    The server's clock is the common one.
    """
    length = 1000 * number / per_second
    begin = {"$max": ["$$NOW", {"$ifNull": ["$free_at", "$$NOW"]}]}
    return [{"$set": {"begin": begin, "now": "$$NOW"}}, {"$set": {"free_at": {"$add": ["$begin", {"$round": length}]}}}]
