"""What callers set: standards and declarations, as rows."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from shilian.reporting.v1 import reporting_pb2 as pb

from chassis.api.errors import Denied, InvalidArgument
from chassis.caller import Caller
from contracts import divisions, rules
from contracts.divisions import scope_prefix
from contracts.egress import FieldError
from contracts.trace import Link
from services.reporting.standards import SCORED, Dimension
from services.reporting.store import Document
from services.reporting.translate import DIMENSIONS, month

WHOLE: Final = Decimal(100)


def standard(request: pb.SetStandardRequest, caller: Caller, number: int, now: datetime) -> Document:
    """The row of a standard. Raises InvalidArgument, and Denied for what is not the caller's to set."""
    prefix = scope_prefix(request.division)
    thresholds = _values(request.thresholds, "thresholds", Decimal(1))
    weights = _values(request.weights, "weights", WHOLE)
    wrong = [*_wrong_standard(request, prefix, weights)]
    if wrong:
        raise InvalidArgument(wrong)
    _may_set(caller, prefix, bool(thresholds or request.tag))
    return {
        "_id": f"{prefix}@{request.from_day}#{number}",
        "division": prefix,
        "from_day": request.from_day,
        "number": number,
        "thresholds": {name: str(value) for name, value in thresholds.items()},
        "weights": {name: str(value) for name, value in weights.items()},
        "tag": request.tag,
        "reason": request.reason,
        "who": caller.subject,
        "at": now,
    }


def _wrong_standard(
    request: pb.SetStandardRequest, prefix: str, weights: Mapping[Dimension, Decimal]
) -> Iterator[FieldError]:
    if not (2 <= len(prefix) <= 6 and divisions.known(prefix.ljust(6, "0"))):
        yield rules.error("division", request.division, "unknown_division")
    if not _is_day(request.from_day):
        yield rules.error("from_day", request.from_day, "invalid_value")
    if request.tag not in ("", "demonstration", "candidate"):
        yield rules.error("tag", request.tag, "invalid_value")
    if not request.reason:
        yield rules.error("reason", None, "required")
    if weights and (set(weights) != set(SCORED) or sum(weights.values()) != WHOLE):
        yield rules.error("weights", sum(weights.values()), "invalid_value")


def _values(told: Any, field: str, most: Decimal) -> dict[Dimension, Decimal]:
    found: dict[Dimension, Decimal] = {}
    for place, each in enumerate(told):
        dimension, value = DIMENSIONS.get(each.dimension), _decimal(each.value)
        if dimension not in SCORED or value is None or not (0 <= value <= most) or (most == 1 and not value):
            raise InvalidArgument([rules.error(f"{field}[{place}]", each.value, "invalid_value")])
        found[dimension] = value
    return found


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _may_set(caller: Caller, prefix: str, thresholds: bool) -> None:
    """A city weighs its counties; thresholds and tags are the province's to set."""
    within_reach(caller, prefix)
    if thresholds and len(caller.division or "") > 2:
        raise Denied("thresholds", "thresholds and tags are set by the province")


def within_reach(caller: Caller, prefix: str) -> None:
    """Raises Denied for what lies in somebody else's division."""
    if not prefix.startswith(caller.division or ""):
        raise Denied("division", f"{prefix} lies outside the caller's division", {"division": prefix})


def declaration(request: pb.DeclareUploadsRequest, caller: Caller, now: datetime) -> Document:
    """The row of a declaration. Raises InvalidArgument, and Denied outside the caller's division."""
    prefix = scope_prefix(request.division)
    month_ = month(request.month)
    wrong = [rules.error(name, None, "required") for name in ("system", "division") if not getattr(request, name)]
    if request.division and not divisions.known(prefix.ljust(6, "0")):
        wrong.append(rules.error("division", request.division, "unknown_division"))
    if request.link and request.link not in list(Link):
        wrong.append(rules.error("link", request.link, "invalid_value"))
    wrong += [
        rules.error(name, getattr(request, name), "invalid_value")
        for name in ("records", "days")
        if getattr(request, name) < 0
    ]
    if wrong:
        raise InvalidArgument(wrong)
    within_reach(caller, prefix)
    return {
        "_id": f"{request.system}@{month_}",
        "system": request.system,
        "name": request.name,
        "division": prefix,
        "link": request.link,
        "month": month_,
        "records": request.records,
        "days": request.days,
        "who": caller.subject,
        "at": now,
    }
