"""Between protobuf messages and the domain's words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from shilian.reporting.v1 import reporting_pb2 as pb

from chassis.api.errors import InvalidArgument, NotFound
from chassis.api.times import timestamp
from chassis.caller import Caller
from contracts import rules
from contracts.divisions import scope_prefix
from services.reporting import months
from services.reporting.domain import SiteRow
from services.reporting.months import Window
from services.reporting.standards import DEFAULT, Dimension
from services.reporting.store import Document

DIMENSIONS: Final = {
    pb.DIMENSION_REGISTRATION: Dimension.REGISTRATION,
    pb.DIMENSION_ACTIVITY: Dimension.ACTIVITY,
    pb.DIMENSION_COVERAGE: Dimension.COVERAGE,
    pb.DIMENSION_UPLOAD: Dimension.UPLOAD,
    pb.DIMENSION_ACTIVATION: Dimension.ACTIVATION,
}
WIRE: Final = {ours: theirs for theirs, ours in DIMENSIONS.items()}


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


def aware(stamp: Timestamp) -> datetime:
    """A time of the wire, aware UTC."""
    return stamp.ToDatetime(UTC)


def standard(row: Document) -> pb.Standard:
    """A version of thresholds and weights."""
    return pb.Standard(
        standard_id=row["_id"],
        division=row["division"],
        from_day=row["from_day"],
        thresholds=_values(row["thresholds"]),
        weights=_values(row["weights"]),
        tag=row["tag"],
        reason=row["reason"],
        who=row["who"],
        set_time=timestamp(row["at"]),
    )


def _values(told: Mapping[Any, Any]) -> list[pb.DimensionValue]:
    return [pb.DimensionValue(dimension=WIRE[Dimension(name)], value=str(value)) for name, value in told.items()]


DEFAULT_STANDARD: Final = pb.Standard(
    from_day=DEFAULT.from_day.isoformat(), thresholds=_values(DEFAULT.thresholds), weights=_values(DEFAULT.weights)
)


def declaration(row: Document) -> pb.Declaration:
    """What a self-built system declared of a month."""
    told = {name: row[name] for name in ("system", "name", "division", "link", "month", "records", "days", "who")}
    return pb.Declaration(declaration_id=row["_id"], set_time=timestamp(row["at"]), **told)
