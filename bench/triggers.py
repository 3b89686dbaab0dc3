"""Findings that open tasks, as trace announces them, and the tasks in straight lines: what the other side of
`trigger_intake` writes and announces (`tests/unit/test_bench.py` holds the two together).

What is the same in every task comes from a task of ours; ids are made of the finding's, not hashed.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic_core import from_json
from pymongo import InsertOne

from bench.filling import Sent
from chassis import timers
from chassis.collections import TIMERS
from contracts.findings import Finding, FindingKind, FindingsChangedV1
from contracts.inspection import TaskKind, TaskState
from contracts.registry import OperatorState, SiteFacts
from contracts.topology import INSPECTION_EVENTS
from contracts.trace import Link
from services.inspection import clocks
from services.inspection.checks import ledger
from services.inspection.decision import system
from services.inspection.places import Place, placed
from services.inspection.store import FINDINGS, LEDGER, TASKS
from services.inspection.tasks import tasks
from services.inspection.writes import TIMER

Document = dict[str, Any]

PER_MESSAGE: Final = 5
SITES: Final = 1_000
BEGIN: Final = datetime(2026, 1, 5, 2, 30, tzinfo=UTC)
KIND: Final = FindingKind.OVERDUE_SHIPMENT


def messages(count: int) -> list[Sent]:
    """So many findings, each of a shipment of its own."""
    bundles = (range(at, min(at + PER_MESSAGE, count)) for at in range(0, count, PER_MESSAGE))
    return [_sent(FindingsChangedV1(findings=tuple(map(finding, numbers)))) for numbers in bundles]


def _sent(body: FindingsChangedV1) -> Sent:
    text = body.model_dump_json(exclude_defaults=True).encode()
    return Sent("trace.findings_changed.v1", text, INSPECTION_EVENTS.name)


def finding(number: int) -> Finding:
    """A shipment that nobody received."""
    at = BEGIN + timedelta(seconds=number)
    facts = site(number)
    return Finding(
        id=f"F{number:031}",
        kind=KIND,
        open=True,
        version=1,
        site=facts.site,
        operator=facts.operator,
        division=facts.division,
        link=facts.link,
        counterparty=site(number + 1).site,
        event_id=f"E{number:031}",
        batches=(f"SL{number:017}",),
        due_at=at,
        opened_at=at,
    )


def site(number: int) -> SiteFacts:
    """A site as the registry told of it."""
    own = number % SITES
    return SiteFacts(
        site=f"licence:JY13701{own:09}",
        operator=f"uscc:{own:018}",
        name=f"王记蔬菜批发{own}",
        operator_name=f"王记蔬菜批发{own}",
        state=OperatorState.ACTIVATED,
        division=f"3701{own % 10 + 2:02}",
        link=Link.CIRCULATION,
        version=1,
        station=f"st-{own % 80}",
    )


# In straight lines

_SOME: Final = Place("-", "-", "-", "-", Link.CIRCULATION, "-")
_TASK: Final = tasks.opened("-", TaskKind.DAILY, "finding", "-", KIND, _SOME, BEGIN)
_TITLE: Final = _TASK["title"].removesuffix("-")
(_LINE,) = ledger.lines("-", 1, placed(_SOME), "open_task", system(BEGIN), _TASK["state"], BEGIN)
_TOLD: Final = [name for name in tasks.facts(_TASK).model_dump(exclude_defaults=True) if name != "id"]
"""What is announced of a task."""

Places = Mapping[str, Document]
"""What the registry told of sites, as a task says it."""


def places(sites: Iterable[SiteFacts]) -> Places:
    """Of sites, by id."""
    return {
        each.site: {**placed(Place(each.site, each.operator, each.name, each.division, each.link, each.station))}
        for each in sites
    }


def decided(bodies: Iterable[bytes], sites: Places, now: datetime) -> tuple[dict[str, list[Any]], Document]:
    """The operations of a batch by collection, and the announcement of its tasks."""
    due = clocks.runs_out(TaskKind.DAILY, TaskState.OPEN, now)
    begun = {"due_at": due.at, "provisional": due.provisional, "opened_at": now}
    opened, lines, found, clock, said = [], [], [], [], []
    for body in bodies:
        for told in from_json(body)["findings"]:
            id, where = task_id(told["id"]), sites[told["site"]]
            task = {**_TASK, **where, **begun, **_about(told, where), "_id": id, "order": tasks.order(due.at, id)}
            opened.append(InsertOne(task))
            lines.append(InsertOne(_line(told, where, id, now)))
            found.append(InsertOne({"_id": told["id"], "version": 1, "open": True, "task": id}))
            clock.append(_clock(id, due.at))
            said.append({name: task[name] for name in _TOLD} | {"id": id, "findings": [told["id"]]})
    return {TASKS: opened, LEDGER: lines, FINDINGS: found, TIMERS: clock}, {"tasks": said}


def task_id(finding: str) -> str:
    """As long as ours."""
    return f"T{finding[-24:]}"


def _about(told: Document, where: Document) -> Document:
    cited = {"id": told["id"], "open": True, "batches": told["batches"]}
    return {"title": f"{_TITLE}{where['site_name']}", "cause_id": told["id"], "findings": [cited]}


def _line(told: Document, where: Document, id: str, now: datetime) -> Document:
    place = {name: where[name] for name in ("site", "site_name", "division", "areas")}
    note = "、".join((*told["batches"], told["counterparty"]))
    return {**_LINE, **place, "_id": f"{id}:1:inspection", "subject": id, "at": now, "recorded_at": now, "note": note}


def _clock(id: str, at: datetime) -> Any:
    return timers.due(f"{TIMER}:{id}", TIMER, at, {"task": id})[TIMERS][0]
