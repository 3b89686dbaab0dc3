"""Results for batches nobody has told of yet: parked, and linked once an event names the batch. Pure.

A result and the event that names its batch may be recorded at the same moment by two processes. Each looks for the
other's after its own commit, so that one of them links the two.
"""

from collections.abc import Generator, Iterable
from typing import Any, NamedTuple, cast

from services.inspection import store
from services.inspection.cases import cases
from services.inspection.decision import Decision, system
from services.inspection.documents import Case, Document, Test
from services.inspection.recalls import recalls
from services.inspection.results.objections import OVERTURNED
from services.inspection.store import Query


class Found(NamedTuple):
    """Parked tests whose batch is known by now, an event for each batch, and the tests' cases."""

    tests: list[Test]
    events: dict[str, str]
    cases: list[Case]


def asked_parked(batches: Iterable[str]) -> Generator[Query, list[Document], Found]:
    """Reads the parked tests of these batches that can be linked: yields queries, and is sent rows."""
    parked: Any = yield Query(store.TESTS, {"parked": {"$in": sorted(batches)}})
    events = yield from store.asked_events({test["parked"] for test in parked})
    known: list[Test] = [test for test in parked if test["parked"] in events]
    ids = [cases.case_id("test", test["_id"]) for test in known]
    found = (yield Query(store.CASES, {"_id": {"$in": ids}})) if known else []
    return Found(known, events, cast("list[Case]", found))


def link(decision: Decision, found: Found) -> None:
    """Links parked tests to their batch's event; what failed and was not overturned proposes its recall now."""
    for test in found.tests:
        event = found.events[test["parked"]]
        after: Any = {name: value for name, value in test.items() if name != "parked"}
        after |= {"event": event, "version": test["version"] + 1}
        linked = decision.test_step(test, after, "link", system(decision.now, event))
        case = decision.cases.get(cases.case_id("test", test["_id"]))
        if case and linked["standing"] != OVERTURNED:
            recalls.propose(decision, case, linked)
