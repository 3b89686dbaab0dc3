"""What a sweep of truth checks must not lose on a real store, whatever others write while it looks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chassis.clock import stamp
from chassis.collections import ensure
from contracts.findings import FindingKind
from services.trace import rows, store
from services.trace.truth.asks import MOST
from services.trace.truth.store import EXAMINE, look_again, looked
from services.trace.truth.subjects import Subject, Topic
from services.trace.watch import store as watch_store
from tests.integration.test_trace_findings import Clock, clock, sweep, work
from tests.integration.test_trace_service import NOON
from tests.integration.test_trace_walk_store import entry
from tests.processes import Process
from tests.unit.trace_world import harvest, ship

__all__ = ["clock", "work"]

NODE = Subject(Topic.NODE, "A@licence:S")


@pytest.mark.parametrize("later", [None, timedelta(minutes=1)])
def test_what_is_asked_for_while_a_sweep_looks_stays_due(db: Any, later: timedelta | None) -> None:
    ensure(db, store.COLLECTIONS)
    due = stamp() - timedelta(seconds=1)
    again = due + later if later else None
    db[EXAMINE].bulk_write([look_again(NODE, due)])
    [row] = db[EXAMINE].find()
    db[EXAMINE].bulk_write([look_again(NODE, due + timedelta(minutes=1))])
    db[EXAMINE].bulk_write([looked(row, again)])
    [row] = db[EXAMINE].find()
    assert row["look_at"] == due
    db[EXAMINE].bulk_write([looked(row, again)])
    assert [each["look_at"] for each in db[EXAMINE].find()] == ([again] if again else [])


def test_what_a_sweep_finds_beside_what_was_due_is_looked_at_once_more_too(
    work: Callable[..., Process], db: Any, clock: Clock
) -> None:
    """Somebody may have recorded meanwhile, and examined without seeing the finding, what puts it right."""
    work()
    events = harvest("E1", "A", "licence:S"), ship("E2", "A", "licence:S", "licence:K", quantity="20")
    db[store.EVENTS].insert_many([rows.event_row(entry(each), None, each.time) for each in events])
    db[EXAMINE].bulk_write([look_again(Subject(Topic.EVENT, "E2"), NOON)])
    sweep(db, clock, NOON + timedelta(minutes=5), "trace.truth")
    [found] = db[watch_store.FINDINGS].find({"open": True})
    assert found["kind"] == FindingKind.MORE_OUT_THAN_IN
    [row] = db[EXAMINE].find()
    assert (Subject.named(row["_id"]), row["look_at"] > found["opened_at"]) == (NODE, True)


def test_node_with_too_many_events_to_be_read_is_not_judged_and_spares_its_neighbours(
    work: Callable[..., Process], db: Any, clock: Clock
) -> None:
    work()
    events = [harvest("E1", "A", "licence:S"), ship("E2", "A", "licence:S", "licence:K", quantity="20")]
    events += [harvest("E3", "B", "licence:S"), ship("E4", "B", "licence:S", "licence:K", quantity="20")]
    told = [rows.event_row(entry(each), None, each.time) for each in events]
    db[store.EVENTS].insert_many([*told, *(told[1] | {"_id": f"F{number}"} for number in range(MOST))])
    db[EXAMINE].bulk_write([look_again(Subject(Topic.NODE, f"{batch}@licence:S"), NOON) for batch in "AB"])
    sweep(db, clock, NOON + timedelta(minutes=5), "trace.truth")
    assert [each["batches"] for each in db[watch_store.FINDINGS].find({"open": True})] == [["B"]]
