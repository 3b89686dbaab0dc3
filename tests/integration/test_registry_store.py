"""Every query of the registry finds its index, and every document its schema, on a real mongod."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import BulkWriteError, WriteError

from chassis.caller import Caller
from chassis.collections import TIMERS, ensure
from chassis.outgoing import Commit
from chassis.timers import Due
from contracts.envelope import Envelope
from contracts.registry import Observation
from contracts.trace import RecordedEvent, Step
from services.registry import domain, queries, store, upkeep
from services.registry.decision import By, Decision
from services.registry.writes import writes
from tests.stack import Database

NOW = datetime(2022, 7, 1, tzinfo=UTC)
PROVINCE, CITY = Caller("r", "regulator", "37"), Caller("r", "regulator", "3701")
CLERK = By("clerk", "regulator", "asked for")
OPERATOR, SYSTEM = Caller("o", "operator", None, "uscc:1"), Caller("s", "system")


@pytest.fixture
def db(mongo: Database) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongo.url, tz_aware=True) as client:
        db = client.get_default_database()
        ensure(db, store.COLLECTIONS)
        for number in range(30):
            write(db, decided(number))
        yield db


def observation(number: int, **told: Any) -> Observation:
    id = f"market:{number}"
    given = {"id": f"{id} {told}", "source": "market", "source_id": str(number), "message_id": "m", "observed_at": NOW}
    return Observation.model_validate(
        {**given, "site": id, "operator": id, "name": "同名", "address": "同址", "division": "370102", **told}
    )


def decided(number: int, *before: Any, **told: Any) -> Decision:
    return domain.observe(before, (), [observation(number, **told)], NOW)[0]


def write(db: Any, decision: Decision) -> None:
    commit(db, Commit(writes(decision)))


def commit(db: Any, decided: Commit) -> None:
    for collection, operations in decided.writes.items():
        if operations:
            db[collection].bulk_write(operations)


QUERIES = {
    "operator": (store.OPERATORS, queries.operators_by(CITY, ["market:1"])),
    "own operator": (store.OPERATORS, queries.operators_by(OPERATOR, ["market:1"])),
    "site": (store.OPERATORS, queries.site_by(CITY, "market:1")[0]),
    "sites": (store.OPERATORS, queries.sites_of(CITY, ["market:1", "market:2"])),
    "list": (store.OPERATORS, queries.operators_like(CITY, "", "", "", "", "")),
    "list of a province": (store.OPERATORS, queries.operators_like(PROVINCE, "", "", "", "", "market:1")),
    "list of a county": (store.OPERATORS, queries.operators_like(CITY, "370102", "registered", "", "", "")),
    "list for a system": (store.OPERATORS, queries.operators_like(SYSTEM, "", "listed", "", "", "")),
    "list of doubts": (store.OPERATORS, queries.operators_like(CITY, "", "", "", "uscc_check_digit", "")),
    "candidates": (store.CANDIDATES, queries.candidates_like(CITY, "", "")),
    "list of sites": (store.OPERATORS, queries.sites_like(CITY, "", {}, "market:1")),
    "list of what is owed": (store.OPERATORS, queries.sites_like(CITY, "", {"sites.obligations": "meat"}, "")),
    "list of gaps": (store.OPERATORS, queries.sites_like(SYSTEM, "", queries.gaps_like("cell"), "")),
    "list of those concerned": (
        store.OPERATORS,
        store.concerned({"areas": ["3701"], "cell": "c", "helper": "o", "after": ""}),
    ),
    "due": (store.OPERATORS, {"due": {"$lte": "2022-07-01"}}),
    "idle": (store.MARKS, {"lapsed": False, "last": {"$lt": "2022-07-01"}}),
    "cells around": (store.CELLS, store.around([])[store.CELLS]),
    "component": (store.OPERATORS, store.Component(["market:1", "market:2"]).missing()),
    "recorded": (store.CHANGES, store.recorded([observation(1)])),
}


@pytest.mark.parametrize("name", QUERIES)
def test_query_uses_an_index_and_sorts_nothing(db: Any, name: str) -> None:
    collection, asked = QUERIES[name]
    cursor = db[collection].find(asked)
    paged = name.startswith(("list", "candidates"))
    plan = str((cursor.sort("_id", 1).limit(50) if paged else cursor).explain()["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in plan or "IDHACK" in plan
    assert "COLLSCAN" not in plan
    assert "'SORT'" not in plan


def test_stale_decision_collides(db: Any) -> None:
    before = db[store.OPERATORS].find_one({"ids": "market:1"})
    mine, others = decided(1, before, phone="1"), decided(1, before, phone="2")
    write(db, others)
    with pytest.raises(BulkWriteError, match=r"E11000.*operators"):
        write(db, mine)


def test_newcomer_taken_in_twice_collides(db: Any) -> None:
    first, second = decided(99), decided(99, operator="uscc:91350100M000100Y43", site="licence:JY23501110153674")
    write(db, first)
    with pytest.raises(BulkWriteError, match=r"E11000.*operators"):
        write(db, second)


def test_unchanged_document_is_not_written(db: Any) -> None:
    before = db[store.OPERATORS].find_one({"ids": "market:1"})
    assert writes(decided(1, before))[store.OPERATORS] == []


@pytest.mark.parametrize("wrong", [{"version": 0}, {"state": "asleep"}, {"ids": []}, {"areas": []}, {"claims": []}])
def test_document_against_the_schema_is_refused(db: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(WriteError, match="failed validation"):
        db[store.OPERATORS].update_one({"ids": "market:1"}, {"$set": wrong})


def test_first_mark_beside_the_word_that_makes_its_site_known_counts_a_minute_later(db: Any) -> None:
    told = RecordedEvent(id="E", source="market", site="market:new", step=Step.SELLING, time=NOW, sent_at=NOW)
    known = domain.observe(
        [], (), [observation(0, id="o", source_id="new", site="market:new", operator="market:new")], NOW
    )
    active = domain.take_step(
        known[0].after.values(), known[0].operator("market:new"), domain.Step.ACTIVATE, CLERK, NOW
    )
    newcomer = replace(active, before={})
    # Both have read before either has written.
    marked = upkeep.record(db, [told], Envelope.new("trace.events_recorded.v1", "trace"), NOW)
    write(db, newcomer)
    commit(db, marked)
    assert db[store.OPERATORS].find_one({"ids": "market:new"})["state"] == "activated"
    [row] = db[TIMERS].find({"kind": "look"})
    assert row["due_at"] == NOW + upkeep.SECOND_LOOK
    commit(db, upkeep.look(db, Due(row["_id"], "look", row["due_at"], row["data"]), row["due_at"]))
    assert db[store.OPERATORS].find_one({"ids": "market:new"})["state"] == "on_chain"
    assert db[TIMERS].count_documents({"kind": "look"}) == 0


def test_mark_that_only_grows_is_not_looked_at_again(db: Any) -> None:
    told = RecordedEvent(id="E", source="market", site="market:1", step=Step.SELLING, time=NOW, sent_at=NOW)
    parent = Envelope.new("trace.events_recorded.v1", "trace")
    commit(db, upkeep.record(db, [told], parent, NOW))
    later = told.model_copy(update={"time": NOW + timedelta(days=1)})
    assert TIMERS not in upkeep.record(db, [later], parent, NOW).writes
