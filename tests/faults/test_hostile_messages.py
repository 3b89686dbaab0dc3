"""What nobody can read, among good messages, for every type a service takes: dead with its reason, the good taken."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import pytest

from contracts import topology
from contracts.topology import COMMANDS, EVENTS, RETRY_LADDER, Queue
from tests.bus import Bus
from tests.integration.inspection import failed_test, finding, site
from tests.processes import Process, eventually
from tests.stack import Database

Document = dict[str, Any]

AT: Final = "2026-01-05T00:30:00Z"
LONG: Final = "食" * 200_000
CELL: Final = {"name": "一网格", "division": "370105", "station": "匡山所", "version": 1}
PLACE: Final = {"version": 1, "division": "370105", "site": "s", "opened_at": AT}
GOOD: Final[dict[str, Callable[[str], Document]]] = {
    "registry.sites_changed.v1": lambda id: {"sites": [site(id)]},
    "registry.sites_aliased.v1": lambda id: {"aliases": [{"alias": id, "site": "s", "version": 1}]},
    "registry.grid_changed.v1": lambda id: {"cells": [{**CELL, "cell": id}]},
    "trace.events_recorded.v1": lambda id: {"events": [_event(id)]},
    "trace.declare_errors.v1": lambda id: {"declarations": [_report(id)]},
    "trace.errors_declared.v1": lambda id: {"errors": [_error(id)]},
    "trace.findings_changed.v1": lambda id: {"findings": [finding(id)]},
    "inspection.record_tests.v1": lambda id: {"tests": [failed_test(id)]},
    "inspection.tests_recorded.v1": lambda id: {"tests": [failed_test(id)]},
    "inspection.tasks_changed.v1": lambda id: {"tasks": [{**_work(id), "kind": "daily", "cause": "finding"}]},
    "inspection.cases_changed.v1": lambda id: {"cases": [_work(id)]},
    "notify.deliveries_changed.v1": lambda id: {"deliveries": [_delivery(id)]},
    "reporting.bulletin_published.v1": lambda id: {
        "month": "2026-01", "version": 1, "division": id, "frozen_at": AT,
    },
}  # fmt: skip
"""One thing of an id, by type."""


def _event(id: str) -> Document:
    return {"id": id, "source": "market", "step": "receiving", "time": AT, "sent_at": AT, "site": f"at-{id}"}


def _report(id: str) -> Document:
    told = {"event_id": f"event of {id}", "reason": "误录", "corrections": ["E9"]}
    return {"id": id, "source": "market", "message_id": "m-1", "sent_at": AT, **told}


def _error(id: str) -> Document:
    told = {"reason": "误录", "by": "source", "who": "market", "declared_at": AT}
    return {"id": f"D-{id}", "event": _event(f"wrong-{id}"), **told}


def _work(id: str) -> Document:
    return {**PLACE, "id": id, "state": "open", "title": "断链"}


def _delivery(id: str) -> Document:
    told = dict.fromkeys(("cause", "event", "recipient", "channel", "state"), "x")
    return {"id": id, **told, "attempts": 0, "version": 1, "created_at": AT}


class Taker(NamedTuple):
    """A service that takes types from queues; where a thing of an id is kept, by type."""

    queues: tuple[Queue, ...]
    kept: dict[str, tuple[str, str]]


FACTS: Final = {
    "registry.sites_changed.v1": ("sites", "{}"),
    "registry.sites_aliased.v1": ("sites", "{}"),
    "registry.grid_changed.v1": ("cells", "{}"),
}
TAKERS: Final = {
    "registry": Taker((topology.REGISTRY_ACTIVITY,), {"trace.events_recorded.v1": ("marks", "at-{}")}),
    "trace": Taker(
        (topology.TRACE_DECLARATIONS, topology.TRACE_REGISTRY, topology.TRACE_PROPOSALS, topology.TRACE_TRUTH),
        {
            "trace.declare_errors.v1": ("declarations", "{}"),
            "registry.sites_changed.v1": ("sites", "{}"),
            "registry.sites_aliased.v1": ("sites", "{}"),
            "trace.events_recorded.v1": ("activity", "at-{}"),
        },
    ),
    "inspection": Taker(
        (topology.INSPECTION_TESTS, topology.INSPECTION_EVENTS, topology.INSPECTION_FACTS),
        {
            **FACTS,
            "inspection.record_tests.v1": ("tests", "{}"),
            "trace.findings_changed.v1": ("findings", "{}"),
            "trace.events_recorded.v1": ("marks", "{}"),
            "trace.errors_declared.v1": ("marks", "wrong-{}"),
        },
    ),
    "notify": Taker(
        (topology.NOTIFY_EVENTS,),
        {
            **FACTS,
            "trace.findings_changed.v1": ("subjects", "finding:{}"),
            "inspection.tests_recorded.v1": ("subjects", "test:{}"),
            "inspection.tasks_changed.v1": ("subjects", "task:{}"),
            "inspection.cases_changed.v1": ("subjects", "case:{}"),
            "reporting.bulletin_published.v1": ("subjects", "bulletin:{}:2026-01"),
        },
    ),
    "reporting": Taker(
        (topology.REPORTING_FACTS,),
        {
            **FACTS,
            "trace.events_recorded.v1": ("marks", "at-{}@2026-01-05"),
            "trace.errors_declared.v1": ("marks", "at-wrong-{}@2026-01-05"),
            "trace.findings_changed.v1": ("findings", "{}"),
            "inspection.tests_recorded.v1": ("tests", "{}"),
            "inspection.tasks_changed.v1": ("tasks", "{}"),
            "inspection.cases_changed.v1": ("cases", "{}"),
            "notify.deliveries_changed.v1": ("deliveries", "{}"),
        },
    ),
}

UNREADABLE: Final = {
    "empty": b"",
    "no json": b'{"half": ',
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "list": b"[]",
    "null": b"null",
}


def wrong(good: Document) -> Iterator[tuple[str, Any, str]]:
    """Names, bodies that are refused, and a field that is told: items of nothing, no list, times of no calendar."""
    for name, body in UNREADABLE.items():
        yield name, body, ""
    for field, value in good.items():
        yield f"{field} an object", {**good, field: {"x": 1}}, field
        if isinstance(value, list):
            yield f"{field} of nothing", {**good, field: [{}]}, f"{field}.0."
            yield f"{field} of text", {**good, field: ["x"]}, f"{field}.0"
            for inner in value[0]:
                if inner.endswith("_at") or inner in ("time", "version"):
                    yield f"{inner} of no calendar", {**good, field: [{**value[0], inner: "9" * 400}]}, f"{field}.0"


def with_long_names(body: Any) -> Any:
    """The same with every text of 200,000 characters but times."""
    match body:
        case dict():
            return {name: with_long_names(value) for name, value in body.items()}
        case list():
            return [with_long_names(value) for value in body]
        case str() if body != AT and not body.startswith("2026-"):
            return LONG
    return body


def await_both(collection: Any, pattern: str) -> None:
    """Returns once both good things of a type are there."""
    wanted = {"_id": {"$in": [pattern.format(f"good-{number}") for number in (1, 2)]}}
    eventually(lambda: collection.count_documents(wanted), lambda found: found == 2)


@pytest.mark.parametrize("service", TAKERS)
def test_bad_messages_die_with_their_reasons_and_good_ones_pass(
    bus: Bus, spawn: Callable[..., Process], mongo: Database, db: Any, service: str
) -> None:
    taker = TAKERS[service]
    refused: dict[str, str] = {}
    for type in taker.kept:
        exchange = COMMANDS if type in ("inspection.record_tests.v1", "trace.declare_errors.v1") else EVENTS
        bus.publish(exchange, type, GOOD[type]("good-1"), ce_id=f"{type} good-1", ce_type=type)
        for name, body, field in wrong(GOOD[type]("bad")):
            refused[f"{type} {name}"] = field
            bus.publish(exchange, type, body, ce_id=f"{type} {name}", ce_type=type)
        refused[f"{type} unknown"] = "type"
        bus.publish(exchange, type, GOOD[type]("bad"), ce_id=f"{type} unknown", ce_type="market.unheard_of.v9")
        bus.publish(exchange, type, with_long_names(GOOD[type]("bad")), ce_id=f"{type} long", ce_type=type)
        bus.publish(exchange, type, GOOD[type]("good-2"), ce_id=f"{type} good-2", ce_type=type)

    worker = spawn(f"services.{service}", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()
    for name, pattern in taker.kept.values():
        await_both(db[name], pattern)
    bus.await_empty(*(queue.name for queue in taker.queues))
    assert worker.stop() == 0, worker.tail()
    assert {queue.name: held for queue in taker.queues if (held := bus.ready(queue.name))} == {}
    assert {rung: held for rung in RETRY_LADDER if (held := bus.ready(rung))} == {}
    letters = [letter.headers for queue in taker.queues for letter in bus.take_all(queue.dead)]
    told = {letter["x-shilian-message-id"]: json.loads(letter["x-shilian-errors"]) for letter in letters}
    several = {id for id in told if not id.endswith(" long")}
    assert several >= refused.keys()
    assert not [id for id in several if "good" in id]
    for id, field in refused.items():
        assert [error for error in told[id] if error["field"].startswith(field)], (id, told[id])
        assert all(error["rule"] and error["message"] for error in told[id])
