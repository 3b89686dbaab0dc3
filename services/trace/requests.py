"""Requests: protobuf messages in the domain's words."""

from collections.abc import Callable, Sequence

from shilian.trace.v1 import trace_pb2 as pb

from chassis.api.errors import InvalidArgument
from chassis.api.times import moment
from contracts import rules
from contracts.egress import FieldError
from services.trace.chain import Direction
from services.trace.lineage import Place
from services.trace.queries import Question
from services.trace.walk import Start

Passes = Callable[[Place], bool]

MAX_DEPTH, DEFAULT_DEPTH = 100, 50
MAX_NODES, DEFAULT_NODES = 20_000, 10_000

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


def start(request: pb.TraceRequest, passes: Passes | None) -> Start:
    """Where a walk begins. Raises InvalidArgument for no direction and for bounds out of range."""
    wrong = [
        *_out_of_range("max_depth", request.max_depth, MAX_DEPTH),
        *_out_of_range("max_nodes", request.max_nodes, MAX_NODES),
    ]
    if request.direction not in DIRECTIONS:
        wrong.append(rules.error("direction", request.direction, "required"))
    if wrong:
        raise InvalidArgument(wrong)
    return Start(
        request.batch,
        DIRECTIONS[request.direction],
        request.site_id or None,
        request.max_depth or DEFAULT_DEPTH,
        request.max_nodes or DEFAULT_NODES,
        passes,
    )


def _out_of_range(field: str, value: int, most: int) -> list[FieldError]:
    return [] if 0 <= value <= most else [rules.error(field, value, "invalid_value")]
