"""Requests of analyses: protobuf messages in the domain's words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from shilian.trace.v1 import analysis_pb2 as pb
from shilian.trace.v1 import trace_pb2

from chassis import clock
from chassis.api.errors import InvalidArgument
from contracts import rules
from contracts.egress import FieldError
from contracts.fields import SHANGHAI, day_of
from services.trace.analyses.suspects import ALIKE
from services.trace.requests import Passes, bounded
from services.trace.walks.chain import Direction
from services.trace.walks.start import Start

MOST_CASES: Final = 100
MAX_SUSPECTS, DEFAULT_SUSPECTS = 1_000, 50
HEAVIEST: Final = 1_000_000


def start(
    field: str, at: trace_pb2.NodeRef | pb.Case, direction: Direction, bounds: pb.Bounds, passes: Passes | None
) -> Start:
    """A walk from the batch that a field names, and the site beside it. Raises InvalidArgument for none, and bounds."""
    require(field, at.batch)
    return replace(bounded(bounds, direction, passes), batch=at.batch, site=at.site_id or None)


def require(field: str, value: str) -> None:
    """Raises InvalidArgument for an empty field."""
    if not value:
        raise InvalidArgument([rules.error(field, None, "required")])


def cases(request: pb.CommonSourcesRequest) -> Sequence[tuple[pb.Case, Fraction]]:
    """The cases with their weights. Raises InvalidArgument for too few or many, the same twice, or a wrong weight."""
    if wrong := list(_cases_wrong(request)):
        raise InvalidArgument(wrong)
    return [(case, _weight(case.weight) or ALIKE) for case in request.cases]


def _cases_wrong(request: pb.CommonSourcesRequest) -> Iterator[FieldError]:
    batches = [case.batch for case in request.cases]
    if not 2 <= len(batches) <= MOST_CASES:
        yield rules.error("cases", len(batches), "invalid_value")
    if not 0 <= request.max_suspects <= MAX_SUSPECTS:
        yield rules.error("max_suspects", request.max_suspects, "invalid_value")
    for number, case in enumerate(request.cases):
        if case.batch in batches[:number]:
            yield rules.error(f"cases.{number}.batch", case.batch, "invalid_value")
        if _weight(case.weight) is None:
            yield rules.error(f"cases.{number}.weight", case.weight, "invalid_value")


def _weight(text: str) -> Fraction | None:
    """A weight above 0, 1 for none; None for what is no weight."""
    if not text:
        return ALIKE
    try:
        weight = Decimal(text)
    except InvalidOperation:
        return None
    return Fraction(weight) if weight.is_finite() and 0 < weight <= HEAVIEST and weight.adjusted() > -7 else None


def day(request: pb.ListDishesRequest) -> date:
    """The day asked for, today in Shanghai when none is. Raises InvalidArgument for what is no day."""
    if not request.day:
        return day_of(clock.now())
    try:
        return date.fromisoformat(request.day)
    except ValueError as error:
        raise InvalidArgument([rules.error("day", request.day, "date_unreadable")]) from error


def begin_of(day: date) -> datetime:
    """When a day begins in Shanghai."""
    return datetime.combine(day, time.min, SHANGHAI)


def begin_of_day(moment: datetime) -> datetime:
    """When the day of a moment began in Shanghai."""
    return begin_of(day_of(moment))
