"""Intake of the services that live on announcements: from full queues to all stored, and announced in turn."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench import facts, triggers
from bench.desk import Contender, Desk, desk
from bench.filling import Sent
from bench.ground import Field, Ground
from bench.hearing import compare
from bench.result import Result, Side, measured
from chassis.collections import TIMERS
from contracts.topology import INSPECTION_EVENTS, REPORTING_FACTS
from services.inspection import replica
from services.inspection import store as inspection
from services.reporting import store as reporting

NOTES, FINDINGS_TOLD = 6_000, 12_000
TASK: Final = b'"cause_id":'
"""Once in every task of an announcement."""


def fact_intake(ground: Ground, rounds: int) -> Result:
    """Facts into reporting's worker: a delivery note's events to a message, a finding now and then."""
    messages = facts.messages(NOTES)
    return measured(
        "fact_intake",
        "facts/s",
        rounds,
        ours=lambda: _facts(ground, ("services.reporting", "worker"), messages),
        limit=Side("raw pika loop, no checks", lambda: _facts(ground, ("bench.raw_facts",), messages), 0.6),
    )


def _facts(ground: Ground, words: Contender, messages: Sequence[Sent]) -> float:
    collections = reporting.COLLECTIONS
    with desk(ground, words, collections, [REPORTING_FACTS], "reporting.*.v1", b"{") as at:
        seconds = at.seconds(messages, _last_finding)
        _verify_marks(at.field)
    return NOTES * facts.LINES / seconds


def _last_finding(at: Desk) -> float:
    """The queue is one line: when its last fact is stored, all are."""
    last = {"_id": facts.finding_id(NOTES - 1)}
    at.ear.await_true(
        lambda: at.field.db[reporting.FINDINGS].find_one(last) is not None, at.child.runs, "stored the last fact"
    )
    return time.monotonic()


def _verify_marks(field: Field) -> None:
    told = (facts.event(number, line) for number in range(NOTES) for line in range(facts.LINES))
    marked = (id for row in field.db[reporting.MARKS].find({}) for ids in row["handoffs"].values() for id in ids)
    compare("marked", Counter(marked), Counter(event.id for event in told))


def trigger_intake(ground: Ground, rounds: int) -> Result:
    """Findings into inspection's worker: a task, a line in the ledger and a clock for each."""
    messages = triggers.messages(FINDINGS_TOLD)
    return measured(
        "trigger_intake",
        "findings/s",
        rounds,
        ours=lambda: _triggers(ground, ("services.inspection", "worker"), messages),
        limit=Side("raw pika loop, no checks", lambda: _triggers(ground, ("bench.raw_triggers",), messages), 0.6),
    )


def _triggers(ground: Ground, words: Contender, messages: Sequence[Sent]) -> float:
    collections = inspection.COLLECTIONS
    with desk(ground, words, collections, [INSPECTION_EVENTS], "inspection.tasks_changed.v1", TASK) as at:
        at.field.db[inspection.SITES].bulk_write(
            [replica.site_changed(triggers.site(n)) for n in range(triggers.SITES)]
        )
        seconds = at.seconds(messages, _all_announced)
        _verify_tasks(at)
    return FINDINGS_TOLD / seconds


def _all_announced(at: Desk) -> float:
    return at.ear.await_items(FINDINGS_TOLD, at.child.runs)


def _verify_tasks(at: Desk) -> None:
    """Raises Wrong unless each finding has one task, announced once, with its line and its clock."""
    wanted = Counter(triggers.finding(number).id for number in range(FINDINGS_TOLD))
    said = (task["cause_id"] for body in at.ear.heard() for task in json.loads(body)["tasks"])
    compare("announced", Counter(said), wanted)
    stored = {task["_id"]: task["cause_id"] for task in at.field.db[inspection.TASKS].find({}, {"cause_id": 1})}
    compare("stored", Counter(stored.values()), wanted)
    for name, field in ((inspection.LEDGER, "subject"), (TIMERS, "data.task"), (inspection.FINDINGS, "task")):
        counted = Counter(at.field.db[name].distinct(field, {field: {"$exists": True}}))
        compare(name, counted, Counter(stored.keys()))
