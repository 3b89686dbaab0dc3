"""Walks over events as capture stores them, on a real store, beside the same walks over the same events in memory."""

from collections.abc import Callable, Generator
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import pytest

from chassis.api.mongo import Store
from chassis.asking import answered
from chassis.collections import ensure
from contracts.registry import Alias
from contracts.trace import Document, Lot, Party, Record
from services.trace import replica, rows, store
from services.trace.api_reading import ApiReader
from services.trace.asks import Cut, EventsAt
from services.trace.entry import Entry
from services.trace.lineage import Event, Goods, Place
from services.trace.walks import store as walk_store
from services.trace.walks.chain import SIZE_LIMIT, Chain, Direction
from services.trace.walks.start import Start
from services.trace.walks.walk import Walk
from tests.stack import Database
from tests.unit.trace_chains import ALIASES, MEANT, STEPS
from tests.unit.trace_oracle import BATCHES, SITES
from tests.unit.trace_world import MORNING, World, event, goods

T = TypeVar("T")
Drive = Callable[[Generator[Any, Any, T]], T]

NAMES = (*SITES, *MEANT, "")


@pytest.fixture
def events() -> list[Event]:
    """Two hundred events of every kind in a week, always the same."""
    dice = Random(4)

    def some() -> tuple[Goods, ...]:
        return goods(*dice.sample(BATCHES, dice.randint(1, 2)))

    return [
        event(f"E{number:03}", dice.choice(STEPS), dice.choice(NAMES[:-1]), some(), some(), dice.choice(NAMES), hour)
        for number, hour in enumerate(dice.choices(range(7 * 24), k=200))
    ]


@pytest.fixture
def drive(db: Any, events: list[Event]) -> Drive[Any]:
    """Answers a walk from the store that holds the events."""
    ensure(db, store.COLLECTIONS)
    db[store.EVENTS].insert_many([rows.event_row(entry(each), None, each.time) for each in events])
    named = [replica.site_aliased(Alias(alias=row.site, site=str(row.alias_of), version=1), MORNING) for row in ALIASES]
    db[store.SITES].bulk_write(named)

    def answer(request: Any) -> list[Any]:
        query = walk_store.query(request)
        found = db[query.collection].find(query.filter, query.fields, limit=query.most)
        return walk_store.reply(request, list(found))

    return lambda steps: answered(steps, answer)


def entry(each: Event) -> Entry:
    here, there = _party(each.here), _party(each.there)
    record = Record(
        id=each.id,
        source="market",
        message_id=each.id,
        step=each.step,
        time=each.time,
        sent_at=each.time,
        site=here,
        counterparty=there if each.there.site else None,
        inputs=tuple(map(_lot, each.inputs)),
        outputs=tuple(map(_lot, each.outputs)),
        documents=(Document(kind="quarantine", number=f"CQ-{each.id}"),),
    )
    return Entry(each.id, record, (), None, None)


def _party(place: Place) -> Party:
    return Party(site=place.site or None, external=place.external)


def _lot(each: Goods) -> Lot:
    tag = f"13701{BATCHES.index(each.batch):010}"
    return Lot(batch=each.batch, quantity=each.quantity, unit=each.unit, ear_tags=(tag,))


def told(chain: Chain) -> tuple[Any, ...]:
    return chain.starts, chain.nodes, chain.via, sorted(chain.edges), chain.events, chain.gaps


def test_store_and_memory_are_walked_alike(drive: Drive[Chain], events: list[Event]) -> None:
    memory = World(tuple(events), ALIASES)
    for batch in BATCHES:
        for direction in Direction:
            for more in ({}, {"site": "older0"}, {"in_time": False}, {"since": MORNING + timedelta(days=3)}):
                start = Start(batch, direction, **more)
                found = drive(Walk(start).run())
                assert told(found) == told(memory.drive(Walk(start).run()))
                assert len(found.nodes) > 5


def test_walk_as_of_a_time_knows_nothing_recorded_later(drive: Drive[Chain], events: list[Event]) -> None:
    as_of = MORNING + timedelta(days=2)
    earlier = World(tuple(each for each in events if each.time <= as_of), ALIASES)
    start = Start("A", Direction.FORWARD, as_of=as_of)
    assert told(drive(Walk(start).run())) == told(earlier.drive(Walk(start).run()))


def test_event_about_which_an_error_was_declared_is_left_out(drive: Drive[Chain], events: list[Event], db: Any) -> None:
    wrong = [each.id for each in events[::2]]
    db[store.EVENTS].update_many({"_id": {"$in": wrong}}, {"$set": {"declared": {"by": "E999"}}})
    right = World(tuple(events[1::2]), ALIASES)
    for direction in Direction:
        start = Start("A", direction)
        assert told(drive(Walk(start).run())) == told(right.drive(Walk(start).run()))


def test_no_more_events_are_read_than_asked_for_and_those_declared_errors_count(
    drive: Drive[Any], events: list[Event], db: Any
) -> None:
    def asking() -> Generator[Any, Any, Any]:
        return (yield EventsAt(Direction.FORWARD, ("A@s0", "B@s0"), most=3))

    found = drive(asking())
    assert (type(found), len(found)) == (Cut, 3)
    db[store.EVENTS].update_one({"_id": found[0]["_id"]}, {"$set": {"declared": {"by": "E999"}}})
    found = drive(asking())
    assert (type(found), len(found)) == (Cut, 2)
    whole, cut = (drive(Walk(Start("A", Direction.FORWARD, max_events=most)).run()) for most in (1_000, 40))
    assert set(cut.nodes) < set(whole.nodes)
    assert SIZE_LIMIT in {gap.kind for gap in cut.gaps}


@pytest.mark.asyncio
async def test_an_api_reads_no_more_events_than_asked_for(drive: Drive[Any], mongo: Database) -> None:
    def asking() -> Generator[Any, Any, Any]:
        return (yield EventsAt(Direction.FORWARD, ("A@s0", "B@s0"), most=3))

    own = Store.connect(mongo.url)
    try:
        found = await ApiReader(own).walked(asking())
        assert (type(found), len(found)) == (Cut, 3)
    finally:
        own.close()


def test_walk_begins_where_a_paper_or_an_ear_tag_says(drive: Drive[Chain], events: list[Event]) -> None:
    one = events[7]
    chain = drive(Walk(Start("", Direction.FORWARD, reference=f"CQ-{one.id}")).run())
    assert {key.partition("@")[0] for key in chain.starts} == {lot.batch for lot in one.goods}
    pigs = drive(Walk(Start("", Direction.FORWARD, reference="137010000000001")).run())
    assert pigs.starts == drive(Walk(Start("B", Direction.FORWARD)).run()).starts


def test_every_question_of_a_walk_reads_an_index(drive: Drive[Chain], db: Any) -> None:
    query = walk_store.query(EventsAt(Direction.FORWARD, ("A@s0", "B@s0")))
    plan = db[query.collection].find(query.filter, query.fields).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])


def test_events_lie_on_pages_of_which_a_walk_can_afford_many(db: Any) -> None:
    ensure(db, store.COLLECTIONS)
    assert db[store.EVENTS].options()["storageEngine"] == {"wiredTiger": {"configString": "leaf_page_max=16KB"}}
    assert not db[store.SITES].options().get("storageEngine")
