"""Requests: protobuf messages in the domain's words."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from shilian.trace.v1 import analysis_pb2
from shilian.trace.v1 import trace_pb2 as pb

from chassis.api.errors import InvalidArgument
from chassis.api.times import moment
from contracts import codes, rules
from contracts.egress import FieldError
from services.trace.lineage import Place
from services.trace.queries import Question
from services.trace.walks.chain import Direction
from services.trace.walks.start import Start

Passes = Callable[[Place], bool]
Bounded = pb.TraceRequest | analysis_pb2.Bounds

STARTS: Final = ("batch", "document_number", "ear_tag")
ONE_START: Final = f"追溯码、单证号、畜禽标识须给一个，且只给一个 / give one of {', '.join(STARTS)}"

MAX_DEPTH, DEFAULT_DEPTH = 100, 50
MAX_NODES, DEFAULT_NODES = 20_000, 10_000
MAX_PAGE, DEFAULT_PAGE = 20_000, 1_000

DIRECTIONS = {
    pb.DIRECTION_BACKWARD: Direction.BACKWARD,
    pb.DIRECTION_FORWARD: Direction.FORWARD,
}


def question(request: pb.QueryEventsRequest, sites: Sequence[str]) -> Question:
    """What a query asks for; `sites` are all ids of the site it names."""
    return Question(
        batch=request.batch or None,
        sites=tuple(sites) or None,
        step=request.step or None,
        flag=request.flag or None,
        source=request.source or None,
        division=request.division or None,
        since=moment(request, "from_time"),
        until=moment(request, "until_time"),
    )


def window(request: pb.CountFlagsRequest) -> Question:
    """The division and time that flags are counted in."""
    return Question(
        division=request.division or None, since=moment(request, "from_time"), until=moment(request, "until_time")
    )


def start(request: pb.TraceRequest, passes: Passes | None, as_of: datetime) -> Start:
    """Where a walk begins. Raises InvalidArgument for no start or several, no direction, bounds out of range."""
    wrong = [*_start_wrong(request), *_bounds_wrong(request)]
    if request.direction not in DIRECTIONS:
        wrong.append(rules.error("direction", request.direction, "required"))
    if wrong:
        raise InvalidArgument(wrong)
    walk = bounded(request, DIRECTIONS[request.direction], passes, as_of)
    reference = codes.compact(request.document_number or request.ear_tag)
    site, operator = request.site_id or None, request.operator_id or None
    return replace(walk, batch=request.batch, reference=reference, site=site, operator=operator)


def bounded(bounds: Bounded, direction: Direction, passes: Passes | None, as_of: datetime | None = None) -> Start:
    """A walk with these bounds, from nowhere yet. Raises InvalidArgument for those out of range."""
    if wrong := _bounds_wrong(bounds):
        raise InvalidArgument(wrong)
    return Start(
        "",
        direction,
        max_depth=bounds.max_depth or DEFAULT_DEPTH,
        max_nodes=bounds.max_nodes or DEFAULT_NODES,
        passes=passes,
        in_time=not bounds.any_order,
        since=moment(bounds, "from_time"),
        until=moment(bounds, "until_time"),
        as_of=as_of,
    )


def _start_wrong(request: pb.TraceRequest) -> list[FieldError]:
    given = [name for name in STARTS if getattr(request, name)]
    if len(given) != 1:
        value = ", ".join(given) or None
        return [FieldError(field="batch", value=value, rule="one_start", message=ONE_START)]
    return []


def _bounds_wrong(bounds: Bounded) -> list[FieldError]:
    wrong = [
        *_out_of_range("max_depth", bounds.max_depth, MAX_DEPTH),
        *_out_of_range("max_nodes", bounds.max_nodes, MAX_NODES),
    ]
    since, until = moment(bounds, "from_time"), moment(bounds, "until_time")
    if since and until and since >= until:
        wrong.append(rules.error("until_time", until.isoformat(), "time_order"))
    return wrong


def _out_of_range(field: str, value: int, most: int) -> list[FieldError]:
    return [] if 0 <= value <= most else [rules.error(field, value, "invalid_value")]
