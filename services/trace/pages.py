"""Pages of what is listed newest first, by a time and then by id. No I/O."""

from datetime import datetime

from services.trace.told import Stored

Position = tuple[datetime, str]
"""Time and id of the last one shown."""


def older(field: str, position: Position | None) -> Stored:
    """Filter of what comes after a position; of everything without one. `field` has the time."""
    if position is None:
        return {}
    time, id = position
    return {"$or": [{field: {"$lt": time}}, {field: time, "_id": {"$lt": id}}]}
