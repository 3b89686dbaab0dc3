"""Self-built systems: what they declared of a month, and what of it came. No I/O: queries are yielded, rows sent."""

from collections.abc import Generator

from services.reporting import months, store
from services.reporting.domain import System
from services.reporting.months import Window
from services.reporting.queries import Query, days, within
from services.reporting.store import Document


def systems(window: Window, month: str, division: str = "") -> Generator[Query, list[Document], list[System]]:
    """Self-built systems that declared something for a month, and what came of them in a window.

    In a window that is not the month, a declared number of records has no meaning: there days count.
    """
    declared = yield Query(store.DECLARATIONS, [{"$match": {"month": month, **within(division)}}])
    found = yield Query(store.UPLOADS, _uploaded(window, [row["system"] for row in declared]))
    came = {row["_id"]: row for row in found}
    whole = months.window(month) == window
    return [_system(row, came.get(row["system"], {}), window, whole) for row in declared]


def _uploaded(window: Window, sources: list[str]) -> list[Document]:
    accepted = {"$sum": {"$size": "$events"}}
    on_time = {"$sum": {"$cond": ["$on_time", 1, 0]}}
    return [
        {"$match": {**days(window), "source": {"$in": sources}}},
        {"$group": {"_id": "$source", "accepted": accepted, "on_time": on_time}},
    ]


def _system(row: Document, came: Document, window: Window, whole: bool) -> System:
    declared = row["records"] if whole else 0
    expected = row["days"] if whole and row["days"] else window.days
    accepted, on_time = came.get("accepted", 0), came.get("on_time", 0)
    return System(row["system"], row["division"], row["link"], accepted, declared, on_time, expected)
