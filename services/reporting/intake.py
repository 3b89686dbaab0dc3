"""Messages as writes: which fact goes into which collection. Pure."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne

from chassis.message import Message
from contracts.corrections import ErrorsDeclaredV1
from contracts.findings import Finding, FindingsChangedV1
from contracts.inspection import (
    CaseFacts,
    CasesChangedV1,
    RecallsProposedV1,
    TaskFacts,
    TasksChangedV1,
    TestFacts,
    TestsRecordedV1,
)
from contracts.model import Contract
from contracts.notices import DeliveriesChangedV1, DeliveryFacts
from contracts.recalls import RecallsChangedV1, RecallsClosedV1, RecallsOpenedV1
from contracts.registry import GridChangedV1, SitesAliasedV1, SitesChangedV1
from contracts.trace import EventsRecordedV1, RecordedEvent
from services.reporting import store
from services.reporting.store import Writes

Write = Callable[[Any], Any]


class Fact(NamedTuple):
    """Where the items of a message go: its model, their field in it, collection, operation of an item."""

    model: type[Contract]
    items: str
    collection: str
    write: Write


def _as_it_stands(told: Finding | TaskFacts | CaseFacts | TestFacts | DeliveryFacts) -> UpdateOne:
    return store.replaced(told.id, told)


FACTS: Final = {
    "registry.sites_changed.v1": Fact(SitesChangedV1, "sites", store.SITES, store.site_changed),
    "registry.sites_aliased.v1": Fact(SitesAliasedV1, "aliases", store.SITES, store.site_aliased),
    "registry.grid_changed.v1": Fact(GridChangedV1, "cells", store.CELLS, lambda cell: store.replaced(cell.cell, cell)),
    "trace.findings_changed.v1": Fact(FindingsChangedV1, "findings", store.FINDINGS, _as_it_stands),
    "inspection.tests_recorded.v1": Fact(TestsRecordedV1, "tests", store.TESTS, _as_it_stands),
    "inspection.tasks_changed.v1": Fact(TasksChangedV1, "tasks", store.TASKS, _as_it_stands),
    "inspection.cases_changed.v1": Fact(CasesChangedV1, "cases", store.CASES, _as_it_stands),
    "notify.deliveries_changed.v1": Fact(DeliveriesChangedV1, "deliveries", store.DELIVERIES, _as_it_stands),
}
"""All but events and errors about them, of which a batch is marked together, and recalls, which no figure counts."""

MODELS: Final[dict[str, type[Contract]]] = {
    "trace.events_recorded.v1": EventsRecordedV1,
    "trace.errors_declared.v1": ErrorsDeclaredV1,
    "inspection.recalls_proposed.v1": RecallsProposedV1,
    "trace.recalls_opened.v1": RecallsOpenedV1,
    "trace.recalls_changed.v1": RecallsChangedV1,
    "trace.recalls_closed.v1": RecallsClosedV1,
    **{type: fact.model for type, fact in FACTS.items()},
}


def events(messages: Iterable[Message[Any]]) -> list[RecordedEvent]:
    """The recorded events in a batch."""
    bodies = (message.body for message in messages)
    return [event for body in bodies if isinstance(body, EventsRecordedV1) for event in body.events]


def declared_wrong(messages: Iterable[Message[Any]]) -> list[RecordedEvent]:
    """The events in a batch about which an error was declared."""
    bodies = (message.body for message in messages)
    return [error.event for body in bodies if isinstance(body, ErrorsDeclaredV1) for error in body.errors]


def writes(messages: Iterable[Message[Any]]) -> Writes:
    """Operations of a batch, repeated and reordered at will; a site's day is written once."""
    messages = list(messages)
    found = store.recorded(events(messages))
    found[store.MARKS] += store.withdrawn(declared_wrong(messages))
    for message in messages:
        if fact := FACTS.get(message.envelope.type):
            items = getattr(message.body, fact.items)
            operations = found.setdefault(fact.collection, [])
            operations += [fact.write(item) for item in items]
    return found
