"""What callers ask to be done, as the domain's acts; wrong fields are told apart from broken rules."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from shilian.inspection.v1 import inspection_pb2 as pb

from chassis.api.errors import InvalidArgument
from chassis.api.times import moment
from chassis.caller import Caller
from contracts import rules
from contracts.inspection import TestResult
from contracts.trace import Category
from services.inspection.cases import penalties
from services.inspection.checks import points
from services.inspection.documents import Document, Test
from services.inspection.domain import Act
from services.inspection.tasks import tasks
from services.inspection.translate import word

LABORATORY: Final = "laboratory"
"""Source of what laboratories record by call."""


def act(
    caller: Caller,
    at: datetime,
    account: pb.Account | None = None,
    *,
    officers: Iterable[str] = (),
    items: Iterable[str] = (),
    note: str = "",
    evidence: Iterable[str] = (),
) -> Act:
    """What the caller does, with what it brings; blank words are none."""
    told = account or pb.Account()
    return Act(
        caller.subject,
        caller.role,
        at,
        _said(officers),
        _said(items),
        (told.note or note).strip(),
        _said((*told.evidence, *evidence)),
        told.location.strip(),
        points.level_of(caller.division),
    )


def _said(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def required(**fields: Any) -> None:
    """Raises InvalidArgument naming the fields that are empty."""
    empty = [rules.error(name, None, "required") for name, value in fields.items() if not value]
    if empty:
        raise InvalidArgument(empty)


def act_facts(given: pb.ActFacts) -> Document:
    """Facts as they are kept. Raises InvalidArgument for a value that is no amount, or a count below 0."""
    facts = {name: getattr(given, name) for name in penalties.FACTS}
    if facts["value"] and not _is_amount(facts["value"]):
        raise InvalidArgument([rules.error("facts.value", facts["value"], "quantity_not_a_number")])
    for name in ("months", "deaths", "ill"):
        if facts[name] < 0:
            raise InvalidArgument([rules.error(f"facts.{name}", facts[name], "quantity_negative")])
    return facts


FUTURE: Final = timedelta(minutes=10)
"""What clocks may differ."""


GOODS: Final = ("site", "operator", "site_name", "division", "batch", "product", "category", "item")


def laboratory_test(told: pb.RecordTestRequest, who: str, now: datetime, first: Test | None) -> TestResult:
    """A laboratory's result; one report number and item are one test. Of a re-test the goods are the first one's.

    Raises InvalidArgument naming each field that is missing or wrong.
    """
    about: Document = dict(first) if first else _goods(told)
    report = told.report_number.strip()
    kind, at = word(pb.TestKind, "TEST_KIND", told.kind), moment(told, "test_time")
    required(report_number=report, kind=kind, test_time=at, site_id=about["site"], item=about["item"])
    if at and at > now + FUTURE:
        raise InvalidArgument([rules.error("test_time", at.isoformat(), "time_future")])
    goods = {name: about[name] for name in GOODS}
    id = "Q" + tasks.cause_id("laboratory", who, report, about["item"])
    result = {"kind": kind, "method": told.method or None, "qualified": told.qualified, "value": told.value or None}
    by = {"id": id, "source": LABORATORY, "message_id": report, "tester": told.tester or who}
    return TestResult.model_validate({**goods, **result, **by, "tested_at": at})


def _goods(told: pb.RecordTestRequest) -> Document:
    if told.category and told.category not in list(Category):
        raise InvalidArgument([rules.error("category", told.category, "invalid_value")])
    place = {"site": told.site_id.strip(), "operator": None, "site_name": None, "division": None}
    goods = {"batch": told.batch.strip() or None, "product": told.product or None, "item": told.item.strip()}
    return {**place, **goods, "category": told.category or Category.OTHER}


def _is_amount(text: str) -> bool:
    try:
        return (amount := Decimal(text)).is_finite() and amount >= 0
    except InvalidOperation:
        return False


def items_of(request: pb.CreateTaskRequest, kind: str, link: str | None) -> list[str]:
    """The points a task goes through. Raises InvalidArgument for one that the site does not have."""
    wrong = [
        rules.error(f"items[{number}]", item, "invalid_value")
        for number, item in enumerate(request.items)
        if item not in points.of(link)
    ]
    if wrong:
        raise InvalidArgument(wrong)
    return points.taken_in(kind, link, request.items)
