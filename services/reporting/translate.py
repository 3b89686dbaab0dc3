"""Between protobuf messages and the domain's words."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from shilian.reporting.v1 import reporting_pb2 as pb

from chassis.api.auth import Caller
from chassis.api.errors import Denied, InvalidArgument, NotFound
from contracts import divisions, rules
from contracts.divisions import scope_prefix
from services.reporting import months
from services.reporting.domain import SiteRow
from services.reporting.months import Window
from services.reporting.standards import SCORED, Dimension
from services.reporting.store import Document

DIMENSIONS: Final = {
    pb.DIMENSION_REGISTRATION: Dimension.REGISTRATION,
    pb.DIMENSION_ACTIVITY: Dimension.ACTIVITY,
    pb.DIMENSION_COVERAGE: Dimension.COVERAGE,
    pb.DIMENSION_UPLOAD: Dimension.UPLOAD,
    pb.DIMENSION_ACTIVATION: Dimension.ACTIVATION,
}
WIRE: Final = {ours: theirs for theirs, ours in DIMENSIONS.items()}
WHOLE: Final = Decimal(100)


def division(caller: Caller, asked: str) -> str:
    """The prefix asked for, the caller's own when none is. What lies outside the caller's is not found."""
    own = caller.division or ""
    prefix = scope_prefix(asked) if asked else own
    if not prefix.startswith(own):
        raise NotFound("division", asked)
    return prefix


def window(month: str, now: datetime) -> Window:
    """The month asked for, or the last 30 days. Raises InvalidArgument."""
    return _month(month) if month else months.live(now)


def month(text: str) -> str:
    """A month as `2026-10`. Raises InvalidArgument."""
    return months.name(_month(text).first)


def _month(text: str) -> Window:
    try:
        return months.window(text)
    except ValueError:
        raise InvalidArgument([rules.error("month", text, "invalid_value")]) from None


def timestamp(time: datetime) -> Timestamp:
    """An aware time on the wire."""
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def line(told: Document) -> pb.Line:
    """A line of a scorecard or bulletin."""
    return pb.Line(
        level=told["level"],
        code=told["code"],
        name=told["name"],
        link=told["link"],
        measures=[_measure(dimension, told) for dimension in Dimension],
        score=told["score"] or "",
        rank=told["rank"],
        kinds=[pb.KindCount(step=step, sites=sites) for step, sites in told["kinds"].items()],
        tag=told["tag"],
        not_applicable=[WIRE[Dimension(name)] for name in told["not_applicable"]],
    )


def _measure(dimension: Dimension, told: Document) -> pb.Measure:
    numerator, denominator = told["counts"][dimension]
    return pb.Measure(
        dimension=WIRE[dimension],
        numerator=numerator,
        denominator=denominator,
        rate=told["rates"][dimension] or "",
        threshold=told["thresholds"].get(dimension, ""),
        weight=told["weights"].get(dimension, ""),
        points=told["points"].get(dimension, ""),
    )


def site(row: SiteRow, categories: tuple[str, ...]) -> pb.SiteBehind:
    """A site behind a rate."""
    return pb.SiteBehind(
        site_id=row.site,
        name=row.name,
        division=row.division,
        station=row.station,
        link=row.link,
        categories=categories,
        steps=row.kinds,
    )


def bulletin(stored: Mapping[str, Any]) -> pb.Bulletin:
    """What a bulletin is, without what it says."""
    return pb.Bulletin(
        month=stored["month"],
        version=stored["version"],
        frozen_time=timestamp(stored["frozen_at"]),
        reason=stored["reason"] or "",
        inputs=stored["inputs"],
    )


# What is set


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


def _wrong_standard(request: pb.SetStandardRequest, prefix: str, weights: Mapping[Dimension, Decimal]) -> Any:
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
    own = caller.division or ""
    if not prefix.startswith(own):
        raise Denied("division", f"{prefix} lies outside the caller's division", {"division": prefix})
    if thresholds and len(own) > 2:
        raise Denied("thresholds", "thresholds and tags are set by the province")


def declaration(request: pb.DeclareUploadsRequest, caller: Caller, now: datetime) -> Document:
    """The row of a declaration. Raises InvalidArgument, and Denied outside the caller's division."""
    prefix = scope_prefix(request.division)
    month_ = month(request.month)
    wrong = [rules.error(name, None, "required") for name in ("system", "division") if not getattr(request, name)]
    wrong += [
        rules.error(name, getattr(request, name), "invalid_value")
        for name in ("records", "days")
        if getattr(request, name) < 0
    ]
    if wrong:
        raise InvalidArgument(wrong)
    if not prefix.startswith(caller.division or ""):
        raise Denied("division", f"{prefix} lies outside the caller's division", {"division": prefix})
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


def aware(stamp: Timestamp) -> datetime:
    """A time of the wire, aware UTC."""
    return stamp.ToDatetime(UTC)
