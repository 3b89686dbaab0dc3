"""Times on the wire."""

from datetime import UTC, datetime
from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.api.errors import InvalidArgument
from contracts import rules

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def timestamp(time: datetime | None) -> Timestamp | None:
    """An aware time as a message says it, to the microsecond; None where there is none."""
    if time is None:
        return None
    since = time - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def moment(request: Message, field: str) -> datetime | None:
    """A time that a request names, aware UTC, in milliseconds; None when it names none.

    Raises InvalidArgument for what no calendar holds.
    """
    if not request.HasField(field):
        return None
    stamp: Timestamp = getattr(request, field)
    try:
        return clock.in_milliseconds(stamp.ToDatetime(UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidArgument([rules.error(field, stamp.seconds, "time_unreadable")]) from error
