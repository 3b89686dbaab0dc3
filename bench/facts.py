"""What reporting takes in, as trace announces it, and the same as operations in straight lines: what the other side of
`fact_intake` writes (`tests/unit/test_bench.py` holds the two together)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic_core import from_json
from pymongo import UpdateOne

from bench.filling import Sent
from contracts.findings import Finding, FindingKind, FindingsChangedV1
from contracts.topology import REPORTING_FACTS
from contracts.trace import Category, EventsRecordedV1, RecordedEvent, Step
from services.reporting.store import FINDINGS, MARKS, UPLOADS

Document = dict[str, Any]

LINES: Final = 20
"""Events of one note, which trace announces in one message when notes come one by one."""

SITES, DAYS = 4_000, 10
CATEGORIES: Final = tuple(Category)[:4]
EVERY: Final = 10
"""One note in so many comes from a self-built system, and as often a finding is told."""

SELF_BUILT: Final = "docking.formula"
BEGIN: Final = datetime(2026, 1, 5, 2, 30, tzinfo=UTC)
SHANGHAI: Final = timedelta(hours=8)


def messages(notes: int) -> list[Sent]:
    """The events of so many notes, findings between them; the last message is a finding."""
    return [*_messages(notes)]


def _messages(notes: int) -> Iterator[Sent]:
    for number in range(notes):
        told = EventsRecordedV1(events=tuple(event(number, line) for line in range(LINES)))
        yield _sent("trace.events_recorded.v1", told)
        if number % EVERY == EVERY - 1 or number == notes - 1:
            yield _sent("trace.findings_changed.v1", FindingsChangedV1(findings=(finding(number),)))


def _sent(type: str, body: EventsRecordedV1 | FindingsChangedV1) -> Sent:
    return Sent(type, body.model_dump_json(exclude_defaults=True).encode(), REPORTING_FACTS.name)


def event(number: int, line: int) -> RecordedEvent:
    """A line of a note as trace tells of it: of one site and day, one lot."""
    at = BEGIN + timedelta(days=number % DAYS, seconds=number)
    return RecordedEvent(
        id=f"E{number:08}{line:023}",
        source=SELF_BUILT if number % EVERY == 0 else "one_network",
        step=Step.RECEIVING if number % 2 else Step.SHIPPING,
        time=at,
        sent_at=at + timedelta(hours=1 if number % 3 else 30),
        site=site(number),
        operator=f"uscc:91370181MA3C{number % SITES:04}00",
        division="370105",
        counterparty=site(number + 1),
        categories=(CATEGORIES[line % 4],),
        batches=(f"SL{number:08}{line:02}",),
    )


def site(number: int) -> str:
    """A site's id."""
    return f"licence:JY1370105{number % SITES:07}"


def finding(number: int) -> Finding:
    """A shipment of a note that nobody received."""
    at = BEGIN + timedelta(days=number % DAYS + 2)
    return Finding(
        id=finding_id(number),
        kind=FindingKind.OVERDUE_SHIPMENT,
        open=True,
        version=1,
        site=site(number + 1),
        division="370105",
        counterparty=site(number),
        event_id=f"E{number:08}{0:023}",
        batches=(f"SL{number:08}00",),
        categories=(CATEGORIES[0],),
        due_at=at,
        opened_at=at,
    )


def finding_id(number: int) -> str:
    """A finding's id."""
    return f"F{number:031}"


# In straight lines


def operations(bodies: Iterable[bytes]) -> dict[str, list[UpdateOne]]:
    """The operations of a batch by collection; a site's day is written once. Findings come last."""
    marks: dict[str, Document] = {}
    uploads: dict[str, Document] = {}
    found: list[UpdateOne] = []
    for body in map(from_json, bodies):
        for told in body.get("events", ()):
            _mark(marks, told)
            if told["source"].startswith("docking."):
                _upload(uploads, told)
        found += map(_finding, body.get("findings", ()))
    written = {MARKS: [*map(_joined, marks.values())], UPLOADS: [*map(_uploaded, uploads.values())]}
    return {**written, FINDINGS: found}


def _mark(marks: dict[str, Document], told: Document) -> None:
    day = _day(told["time"])
    id = f"{told['site']}@{day}"
    mark = marks.get(id)
    if mark is None:
        mark = marks[id] = {"_id": id, "fields": {"site": told["site"], "day": day}, "sets": {"kinds": set()}}
    sets = mark["sets"]
    sets["kinds"].add(told["step"])
    sets.setdefault(f"steps.{told['step']}", set()).add(told["id"])
    for category in told["categories"]:
        sets.setdefault("linked", set()).add(category)
        sets.setdefault(f"handoffs.{category}", set()).add(told["id"])


def _upload(uploads: dict[str, Document], told: Document) -> None:
    source, day = told["source"], _day(told["time"])
    id = f"{source}@{day}"
    upload = uploads.get(id)
    if upload is None:
        fields = {"source": source, "day": day}
        upload = uploads[id] = {"_id": id, "fields": fields, "sets": {"events": set()}, "on_time": False}
    upload["sets"]["events"].add(told["id"])
    upload["on_time"] |= datetime.fromisoformat(told["sent_at"]) - datetime.fromisoformat(told["time"]) <= DAY


DAY: Final = timedelta(hours=24)


def _day(time: str) -> str:
    return (datetime.fromisoformat(time) + SHANGHAI).date().isoformat()


def _joined(row: Mapping[str, Any], more: Document | None = None) -> UpdateOne:
    unions = {name: {"$each": sorted(values)} for name, values in row["sets"].items()}
    update = {"$setOnInsert": row["fields"], "$addToSet": unions, **(more or {})}
    return UpdateOne({"_id": row["_id"]}, update, upsert=True)


def _uploaded(row: Document) -> UpdateOne:
    return _joined(row, {"$max": {"on_time": row["on_time"]}})


UNSAID: Final = {name: field.default for name, field in Finding.model_fields.items() if not field.is_required()}
"""What a finding is that says nothing of it."""


def _finding(told: Document) -> UpdateOne:
    times = {name: datetime.fromisoformat(told[name]) for name in ("due_at", "opened_at")}
    lists = {name: tuple(told[name]) for name in ("batches", "categories")}
    row = {**UNSAID, **told, **times, **lists}
    merged = {"$mergeObjects": ["$$ROOT", {"$literal": row}]}
    newest = {"$cond": [{"$gt": ["$version", told["version"]]}, "$$ROOT", merged]}
    return UpdateOne({"_id": told["id"]}, [{"$replaceWith": newest}], upsert=True)
