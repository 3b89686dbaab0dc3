"""The finds that answer what walks and other rules ask (`asks`), and what they are sent. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.trace import rows
from services.trace.asks import (
    AliasesOf,
    Bounds,
    Cut,
    EventsAt,
    EventsCiting,
    EventsNamed,
    EventsOf,
    EventsOn,
    GoodsAt,
    SalesNaming,
    SitesOf,
)
from services.trace.store import EVENTS, SITES
from services.trace.told import Stored
from services.trace.walks.chain import Direction

RAW_FIELDS: Final = dict.fromkeys(("inputs", "outputs", "day", "pairs", "abroad"), 1)
"""What a walk lives on."""

START_FIELDS: Final = RAW_FIELDS | {"site": 1, "batches": 1, "step": 1}

EVENT_FIELDS: Final = dict.fromkeys(
    ("step", "time", "site", "there", "operator", "division", "link", "party", "counterparty", "lots", "document"), 1
)
"""What makes a `lineage.Event`."""

GOODS_FIELDS: Final = dict.fromkeys(
    (
        *("step", "site", "there"),
        *(f"lots.{side}.{name}" for side in ("inputs", "outputs") for name in rows.GOODS),
    ),
    1,
)
"""What accounts of goods are kept from."""

SITE_FIELDS: Final = dict.fromkeys(("alias_of", "version", *rows.PLACE), 1)

AT_ONCE: Final = 20_000
"""Documents to an answer of the server, as `batch_size`: unasked, the first has a hundred, and a round asks twice."""

OfEvents = EventsOf | EventsOn | EventsCiting | EventsAt | GoodsAt
Asked = OfEvents | EventsNamed | SalesNaming | SitesOf | AliasesOf

FIELDS: Final[Mapping[type[OfEvents], Stored]] = {
    EventsOf: START_FIELDS,
    EventsOn: START_FIELDS,
    EventsCiting: START_FIELDS | {"lots": 1},
    EventsAt: RAW_FIELDS,
    GoodsAt: GOODS_FIELDS,
}


class Query(NamedTuple):
    """A find: where, what, which fields, how many at most (0: all)."""

    collection: str
    filter: Stored
    fields: Stored | None
    most: int = 0


def query(asked: Asked) -> Query:
    """The one find that answers a request."""
    match asked:
        case EventsNamed(ids):
            return Query(EVENTS, {"_id": {"$in": list(ids)}}, EVENT_FIELDS)
        case SalesNaming(ids):
            return Query(EVENTS, {"_id": {"$in": list(ids)}, "counterparty.name": {"$exists": True}}, {"_id": 1})
        case SitesOf(sites):
            of = {"$in": list(sites)}
            return Query(SITES, {"$or": [{"_id": of}, {"alias_of": of}]}, SITE_FIELDS)
        case AliasesOf(sites):
            return Query(SITES, {"names": {"$in": list(sites)}}, {"alias_of": 1})
        case _:
            fields = FIELDS[type(asked)] | {"declared": 1}
            if isinstance(asked, GoodsAt) and asked.dated:
                fields["time"] = 1
            return Query(EVENTS, _where(asked) | _within(asked.bounds), fields, asked.most)


def _where(asked: OfEvents) -> Stored:
    match asked:
        case EventsOf(batches):
            return {"batches": {"$in": list(batches)}}
        case EventsCiting(reference):
            return {"references": reference}
        case EventsAt(direction, keys):
            return {"inputs" if direction is Direction.FORWARD else "outputs": {"$in": list(keys)}}
        case GoodsAt(keys, inward=True):
            return {"outputs": {"$in": list(keys)}}
        case EventsOn(keys) | GoodsAt(keys):
            at = {"$in": list(keys)}
            return {"$or": [{"inputs": at}, {"outputs": at}]}


def _within(bounds: Bounds) -> Stored:
    where: Stored = {}
    if times := {op: at for op, at in (("$gte", bounds.since), ("$lt", bounds.until)) if at}:
        where["time"] = times
    if bounds.as_of:
        where["recorded_at"] = {"$lte": bounds.as_of}
    return where


def reply(asked: Asked, found: Sequence[Stored]) -> list[Any]:
    """What the asker is sent: raw events, events, or sites.

    Events about which an error was declared are left out, but by id. To have the server look for them in each document
    would cost a walk a twentieth.
    """
    if isinstance(asked, SitesOf | AliasesOf):
        return [rows.site(row) for row in found]
    if isinstance(asked, EventsNamed):
        return [rows.event(row) for row in found]
    if isinstance(asked, SalesNaming):
        return list(found)
    standing = [row for row in found if "declared" not in row]
    return Cut(standing) if 0 < asked.most <= len(found) else standing
