"""What the month is measured by: a demonstration city carries higher thresholds, a city weighs its counties itself."""

from datetime import date
from typing import Final

from shilian.reporting.v1 import reporting_pb2 as pb

from demo.desk import PROVINCE, Desk, Person

DEMONSTRATION: Final = "370200"
"""青岛, a national demonstration city for food safety."""

HIGHER: Final = {pb.DIMENSION_ACTIVITY: "0.90", pb.DIMENSION_COVERAGE: "0.90"}

WEIGHING: Final = Person("济南市局", "370100")
WEIGHTS: Final = {
    pb.DIMENSION_REGISTRATION: "20",
    pb.DIMENSION_ACTIVITY: "30",
    pb.DIMENSION_COVERAGE: "35",
    pb.DIMENSION_UPLOAD: "15",
}


def set_standards(desk: Desk, first: date) -> None:
    """Sets them from the month's first day on: what holds then holds for the whole of its bulletin."""
    desk.ask(
        pb.SetStandardRequest(
            division=DEMONSTRATION,
            from_day=first.isoformat(),
            thresholds=_values(HIGHER),
            tag="demonstration",
            reason="国家食品安全示范城市",
        ),
        PROVINCE,
    )
    desk.ask(
        pb.SetStandardRequest(
            division=WEIGHING.division, from_day=first.isoformat(), weights=_values(WEIGHTS), reason="本市侧重覆盖"
        ),
        WEIGHING,
    )


def _values(given: dict["pb.Dimension.ValueType", str]) -> list[pb.DimensionValue]:
    return [pb.DimensionValue(dimension=dimension, value=value) for dimension, value in given.items()]
