"""Whether events bear the declarations that were made of them: marks and states change after what they stand on was
sealed, and each is told by the other. Pure.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from contracts.corrections import Declarer
from services.trace.corrections.declarations import State
from services.trace.evidence.blocks import Row

SKEW: Final = timedelta(minutes=1)
"""Clocks of two workers may differ so much."""

Rows = Mapping[str, Row]


def borne(rows: Iterable[Row]) -> tuple[str, ...]:
    """Ids of the declarations that events bear."""
    return tuple({id: None for row in rows if (id := _mark(row))})


def about(rows: Iterable[Row]) -> tuple[str, ...]:
    """Ids of the events that declarations are about."""
    return tuple({row["event_id"]: None for row in rows if "event_id" in row})


def is_false(row: Row, declarations: Rows, events: Rows) -> bool:
    """Whether an event bears what nobody declared of it, or a declaration has not done what it has to."""
    if "event_id" in row:
        return not _followed(row, events.get(row["event_id"]))
    if row.get("declared") is None:
        return False
    told = declarations.get(_mark(row), {})
    return (told.get("event_id"), told.get("state")) != (row["_id"], State.APPLIED)


def _mark(row: Row) -> str:
    mark: Any = row.get("declared")
    return str(mark["id"]) if isinstance(mark, Mapping) and "id" in mark else ""


def _followed(declaration: Row, event: Row | None) -> bool:
    """One that waits may have met its event just now, but not one that was there before."""
    if declaration["state"] == State.APPLIED:
        return event is None or event.get("declared") is not None
    if declaration["by"] != Declarer.SOURCE:
        return False
    if event is None or event["source"] != declaration["who"]:
        return True
    return bool(declaration["state"] == State.PENDING and event["recorded_at"] > declaration["recorded_at"] - SKEW)
