"""The best and the worst named, beside each other on the first page. Pure."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from contracts import divisions
from services.reporting import bulletin_tables as tables

Document = dict[str, Any]

NAMED: Final = 5
DEEPER: Final = {"province": "county", "city": "station", "county": "station"}
"""Of whom a paper of each level names the best: the bars show who lies between."""


class Column(NamedTuple):
    """One of the two lists; rows are rank, place, score and change."""

    title: str
    good: bool
    rows: list[list[str]]


def best_and_worst(own: Document, lines: Sequence[Document]) -> list[Column]:
    """The best from the first down, the worst from the last up; nothing where there is nobody to compare."""
    level = DEEPER.get(own["level"], "station")
    scored = [line for line in tables.ranked(lines, level) if line["score"] is not None]
    named = min(NAMED, len(scored) // 2)
    if not named:
        return []
    what = "县（市、区）" if level == "county" else "监管所"
    return [
        Column(f"{what}前{named}名", True, [_row(line) for line in scored[:named]]),
        Column(f"{what}后{named}名", False, [_row(line) for line in reversed(scored[-named:])]),
    ]


def _row(line: Document) -> list[str]:
    return [str(line["rank"]), _place(line), line["score"], tables.change(line)]


def _place(line: Document) -> str:
    """A county with its city, for several cities have a 市中区."""
    if line["level"] != "county":
        return str(line["name"])
    return "".join(divisions.path(line["code"]).split(" ")[1:]) or str(line["name"])
