"""Between protobuf messages and inspection's words."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis.api.errors import Denied, FailedPrecondition, InvalidArgument
from chassis.api.times import timestamp
from contracts import rules
from services.inspection.documents import Cited, Document, LedgerRow, Objection, Taken, Task, Test
from services.inspection.domain import ENDED
from services.inspection.results import objections
from services.inspection.risk.marks import Score
from services.inspection.rules import Refused


@contextmanager
def refused() -> Iterator[None]:
    """Turns the domain's refusal into the caller's: its reason is the rule."""
    try:
        yield
    except Refused as error:
        failure = Denied if error.rule == "role" else FailedPrecondition
        raise failure(error.rule, str(error), error.told) from error


@lru_cache(256)
def number(names: Any, prefix: str, word: str | None) -> Any:
    """A word's number in an enum of ours; 0 for none."""
    return names.Value(f"{prefix}_{word.upper()}") if word else 0


def word(names: Any, prefix: str, number: int) -> str:
    """`daily`; empty when not specified. Raises InvalidArgument for a number that names none."""
    if number not in names.values():
        raise InvalidArgument([rules.error(prefix.lower(), number, "invalid_value")])
    return str(names.Name(number)).removeprefix(f"{prefix}_").lower() if number else ""


def task_message(task: Task) -> pb.Task:
    """A task as its message."""
    return pb.Task(
        task_id=task["_id"],
        kind=number(pb.TaskKind, "TASK_KIND", task["kind"]),
        state=_state(task["state"]),
        version=task["version"],
        title=task["title"],
        cause=task["cause"],
        cause_id=task["cause_id"] or "",
        **placed_fields(task),
        officers=task["officers"],
        level=number(pb.Level, "LEVEL", task["level"]),
        escalations=task["escalations"],
        due_time=None if task["state"] in ENDED else timestamp(task["due_at"]),
        due_provisional=task["provisional"],
        open_time=timestamp(task["opened_at"]),
        close_time=timestamp(task["closed_at"]),
        close_reason=task["reason"] or "",
        case_id=task["case"] or "",
        steps=map(_step, task["taken"]),
        findings=map(_cited, task["findings"]),
        items=task["items"],
    )


def _cited(cited: Cited) -> pb.CitedFinding:
    return pb.CitedFinding(finding_id=cited["id"], open=cited["open"], batches=cited["batches"])


def _state(word: str) -> Any:
    return number(pb.TaskState, "TASK_STATE", word)


def placed_fields(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Where something is, as the fields of its message."""
    return {
        "site_id": doc["site"],
        "operator_id": doc["operator"] or "",
        "site_name": doc["site_name"] or "",
        "division": doc["division"] or "",
        "link": number(pb.Link, "LINK", doc["link"]),
        "station": doc["station"] or "",
    }


def _step(taken: Taken) -> pb.TaskStep:
    return pb.TaskStep(
        step=taken["step"],
        time=timestamp(taken["at"]),
        who=taken["who"],
        officers=taken["officers"],
        account=pb.Account(note=taken["note"], evidence=taken["evidence"], location=taken["location"]),
        state=_state(taken["state"]),
    )


def test_message(test: Test) -> pb.Test:
    """A test on record as its message."""
    row: Any = test
    texts = ("source", "item", "method", "batch", "product", "category", "value", "tester", "retest_of")
    place = {name: value for name, value in placed_fields(row).items() if name not in ("link", "station")}
    until = None if test["qualified"] else objections.until(test["kind"], test["recorded_at"]).at
    return pb.Test(
        test_id=test["_id"],
        kind=number(pb.TestKind, "TEST_KIND", test["kind"]),
        qualified=test["qualified"],
        test_time=timestamp(test["tested_at"]),
        **place,
        **{name: row[name] or "" for name in texts},
        standing=number(pb.Standing, "STANDING", test["standing"]),
        object_until=timestamp(until),
        objection=_objection(test["objection"]),
        retest_id=test["retest"] or "",
        event_id=test["event"] or "",
        version=test["version"],
    )


def shared_message(test: Test, until: datetime) -> pb.SharedTest:
    """What everybody may know of a test: what was found, how, and until when it is valid; not at whose."""
    row: Any = test
    texts: dict[str, Any] = {
        name: row[name] or "" for name in ("item", "method", "batch", "product", "category", "value")
    }
    told = pb.Test(
        test_id=test["_id"],
        kind=number(pb.TestKind, "TEST_KIND", test["kind"]),
        qualified=test["qualified"],
        test_time=timestamp(test["tested_at"]),
        standing=number(pb.Standing, "STANDING", test["standing"]),
        **texts,
    )
    return pb.SharedTest(test=told, valid_until=timestamp(until))


def _objection(told: Objection | None) -> pb.Objection | None:
    if told is None:
        return None
    return pb.Objection(who=told["who"], time=timestamp(told["at"]), reason=told["reason"], evidence=told["evidence"])


def sample_message(sample: Document, sites: Iterable[pb.SampledSite] = (), score: Score | None = None) -> pb.Sample:
    """A sample as its message; a list leaves its sites out."""
    return pb.Sample(
        sample_id=sample["_id"],
        quarter=sample["quarter"],
        division=sample["division"] or "",
        seed=sample["seed"],
        size=sample["size"],
        frame=sample["frame"],
        sites=sites,
        score=score_message(score) if score is not None else None,
        draw_time=timestamp(sample["drawn_at"]),
        drawn_by=sample["drawn_by"],
    )


def score_message(score: Score) -> pb.SampleScore:
    """A score as its message."""
    return pb.SampleScore(
        events=score.events,
        on_time=score.rate(score.late),
        complete=score.rate(score.incomplete),
        accurate=score.rate(score.inaccurate),
    )


def ledger_message(row: LedgerRow) -> pb.LedgerEntry:
    """A line of the ledger as its message."""
    return pb.LedgerEntry(
        entry_id=row["_id"],
        time=timestamp(row["at"]),
        officer=row["officer"],
        role=row["role"],
        action=row["action"],
        subject=row["subject"],
        site_id=row["site"],
        site_name=row["site_name"] or "",
        division=row["division"] or "",
        location=row["location"],
        evidence=row["evidence"],
        outcome=row["outcome"],
        note=row["note"],
        record_time=timestamp(row["recorded_at"]),
    )
