"""Times as people give them: of a clock in Shanghai."""

from datetime import datetime
from typing import Annotated, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from clients.cli.printing import SHANGHAI

FORMATS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]

Since = Annotated[datetime | None, typer.Option("--since", formats=FORMATS, help="自此时起(上海时间)。Shanghai time.")]
Until = Annotated[
    datetime | None, typer.Option("--until", formats=FORMATS, help="至此时止，不含。Shanghai time, not included.")
]


def moment(time: datetime | None) -> Timestamp | None:
    """A time in Shanghai for a request; None for none."""
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time.replace(tzinfo=SHANGHAI))
    return stamp
