"""Handoff events to test with, and the rows, judgements and findings they come to, without a store."""

from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pymongo import UpdateMany, UpdateOne

from chassis.asking import answered
from contracts.trace import Category, Lot, Party, Record, Step
from services.trace.asks import EventsNamed
from services.trace.entry import Entry
from services.trace.lineage import Event, Goods, Place, site_of
from services.trace.sites import Row
from services.trace.watch import store as watch_store
from services.trace.watch.broken import Broken, HandoffsOf, Judgement, Request, judge
from services.trace.watch.handoffs import Handoff, told

MONDAY = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
S, R, C = "licence:S", "licence:R", "licence:C"


def entry(
    id: str, step: Step, here: str, there: str | Party | None = None, batch: str = "A", hour: float = 0, **more: Any
) -> Entry:
    """An event `hour` hours after noon of a Monday in Shanghai."""
    category = more.pop("category", Category.VEGETABLE)
    quantity, unit = more.pop("amount", (1, "KGM"))
    lot = Lot(batch=batch, category=category, quantity=None if quantity is None else Decimal(quantity), unit=unit)
    lots = more.pop("lots", (lot,))
    party = Party(site=there) if isinstance(there, str) else there
    record = Record(
        id=id, source="market", message_id=id, step=step, time=MONDAY + hour * HOUR, sent_at=MONDAY,
        site=Party(site=here), counterparty=party, inputs=lots, outputs=more.pop("outputs", lots),
    )  # fmt: skip
    return Entry(id, record, (), more.get("facts"), more.get("their_facts"))


def ship(id: str, here: str, there: str | Party | None = None, **more: Any) -> Entry:
    return entry(id, Step.SHIPPING, here, there or Party(name="某店"), **more)


def receive(id: str, here: str, there: str | Party | None = None, **more: Any) -> Entry:
    return entry(id, Step.RECEIVING, here, there, **more)


def applied(rows: dict[str, Any], operation: UpdateOne) -> None:
    """What MongoDB makes of an upsert with the operators handoffs are written with."""
    news: Any = operation._doc
    id = operation._filter["_id"]
    row = rows.setdefault(id, {"_id": id, **news["$setOnInsert"]})
    for name, value in news.get("$min", {}).items():
        row[name] = min(row.get(name, value), value)
    for name, value in news["$addToSet"].items():
        row[name] = [*row.get(name, []), *([value] if value not in row.get(name, []) else [])]


def pulled(rows: dict[str, Any], operation: UpdateMany) -> None:
    """What MongoDB makes of `watch_store.halves_withdrawn`."""
    where: Any = operation._filter
    news: Any = operation._doc
    batches = where["batch"]["$in"]
    for row in rows.values():
        if row["batch"] in batches:
            for side, told in news["$pull"].items():
                row[side] = [half for half in row.get(side, []) if half["event"] not in told["event"]["$in"]]
            row["look_at"] = min(row.get("look_at", news["$min"]["look_at"]), news["$min"]["look_at"])


def rows_of(entries: Iterable[Entry]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for each in entries:
        for half in told(each):
            applied(rows, watch_store.half_told(half))
    return deepcopy(rows)


def handoffs_of(entries: Iterable[Entry]) -> list[Handoff]:
    return [watch_store.handoff(row) for row in rows_of(entries).values()]


def place(party: Party | None) -> Place:
    link = party.link if party else None
    return Place(site_of(party), link=link, external=bool(party and party.external))


def event(each: Entry) -> Event:
    record = each.record
    goods = tuple(Goods(lot.batch, category=lot.category) for lot in record.outputs)
    return Event(each.id, record.step, record.time, place(record.site), place(record.counterparty), goods, goods)


def judged(*entries: Entry, sites: Iterable[Row] = (), rows: dict[str, Any] | None = None) -> dict[str, Judgement]:
    """What is said of the handoffs of everything on record."""
    found = [watch_store.handoff(row) for row in (rows or rows_of(entries)).values()]
    known = [*sites]
    events = {each.id: event(each) for each in entries}

    def answer(request: Request) -> list[Any]:
        match request:
            case HandoffsOf(batches, _):
                return [each for each in found if each.batch in batches]
            case EventsNamed(ids):
                return [events[id] for id in ids]
            case _:
                return [row for row in known if {row.site, row.alias_of} & {*request.sites}]

    judgements = answered(judge(HandoffsOf(tuple({each.batch for each in found}))), answer)
    return {judgement.handoff.id: judgement for judgement in judgements}


def broken(*entries: Entry, **more: Any) -> list[Broken]:
    return [each for judgement in judged(*entries, **more).values() for each in judgement.broken]
