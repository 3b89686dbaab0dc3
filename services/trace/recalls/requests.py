"""Requests about stock and recalls: protobuf messages in the domain's words."""

from datetime import UTC, datetime

from shilian.trace.v1 import recall_pb2 as pb

from chassis import clock
from chassis.api.errors import InvalidArgument
from chassis.api.pages import position
from contracts import rules
from services.trace.recalls.rows import Listed
from services.trace.recalls.simulation import MOST_BATCHES, MOST_NODES, beginning
from services.trace.walks.start import Start


def start(request: pb.SimulateRecallRequest | pb.OpenRecallRequest) -> Start:
    """Where a recall's walk begins: at batches, or at all that a paper names.

    Raises InvalidArgument for neither or both, for too many, for bounds out of range.
    """
    batches = list(dict.fromkeys(batch.strip() for batch in request.batches if batch.strip()))
    most = request.max_nodes if isinstance(request, pb.SimulateRecallRequest) else 0
    if not batches and not request.document_number:
        raise InvalidArgument([rules.error("batches", None, "required")])
    if (batches and request.document_number) or len(batches) > MOST_BATCHES:
        raise InvalidArgument([rules.error("batches", len(batches), "invalid_value")])
    if not 0 <= most <= MOST_NODES:
        raise InvalidArgument([rules.error("max_nodes", most, "invalid_value")])
    return beginning(batches, clock.recorded(), request.document_number, most or MOST_NODES)


def listed(request: pb.ListRecallsRequest) -> Listed:
    """What a list asks for. Raises InvalidArgument for a bad token."""
    after = position(request, _moment, str)
    return Listed(
        request.open if request.HasField("open") else None,
        request.division,
        request.batch,
        (after[0], after[1]) if after else None,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
