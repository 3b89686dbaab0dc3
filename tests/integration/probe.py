"""The smallest service on the chassis: notes what it is given, fails when it is told to. Run as a process by tests."""

import gc
from datetime import timedelta
from typing import Any

from pymongo import InsertOne, UpdateOne

from chassis import clock
from chassis.collections import Collection
from chassis.message import Message
from chassis.outgoing import Commit, outgoing
from chassis.timers import Due, due
from chassis.worker.consumer import consume
from chassis.worker.mongo import Store
from chassis.worker.timer import timer
from contracts.trace import EventsRecordedV1
from tests.integration.probe_messages import LATER, PROBE, ProbeV1


class ProbeWorker:
    """`seen` has one document per id, `batches` one per batch that was tried, with how many messages the process held,
    `ticks` what the timer saw of them and, under one id, how often; `looks` what the queue saw that gives way.
    """

    name = "probe"
    store = Store(tuple(map(Collection, ("seen", "batches", "ticks", "counts", "looks"))))

    @consume(PROBE, {"probe.v1": ProbeV1}, at_once=2)
    def note(self, messages: list[Message[ProbeV1]]) -> None:
        ids = [message.body.id for message in messages]
        redelivered = sum(message.redelivered for message in messages)
        alive = sum(type(thing) is ProbeV1 for thing in gc.get_objects())
        self.store.db.batches.insert_one({"ids": ids, "redelivered": redelivered, "alive": alive})
        if any(message.body.circle for message in messages):
            circle: list[Any] = [messages]
            circle.append(circle)
        if any(message.body.fail for message in messages):
            raise ValueError("told to fail")
        self.store.commit(self._decide(ids, messages))

    @consume(LATER, {"later.v1": ProbeV1}, after=PROBE, most=2, most_bytes=10_000)
    def look(self, messages: list[Message[ProbeV1]]) -> None:
        looks = [InsertOne({"seen": self.store.db.seen.count_documents({}), "messages": len(messages)})]
        self.store.commit(Commit({"looks": looks}))

    @timer("tick", every=timedelta(days=1), after=PROBE)
    def tick(self, row: Due) -> None:
        seen = InsertOne({"seen": self.store.db.seen.count_documents({})})
        again = due(row.id, row.kind, clock.now() + timedelta(days=1))
        counted = UpdateOne({"_id": "ticks"}, {"$inc": {"times": 1}}, upsert=True)
        self.store.commit(Commit({**again, "ticks": [seen], "counts": [counted]}))

    def _decide(self, ids: list[str], messages: list[Message[ProbeV1]]) -> Commit:
        seen: list[Any] = [UpdateOne({"_id": id}, {"$inc": {"times": 1}}, upsert=True) for id in ids]
        announced = outgoing(
            "trace.events_recorded.v1", EventsRecordedV1(events=()), source="probe", parent=messages[0].envelope
        )
        return Commit({"seen": seen, "batches": [InsertOne({"committed": ids})]}, [announced])
