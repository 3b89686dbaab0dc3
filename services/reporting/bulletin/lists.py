"""The lists of the bulletin: of each county the first rows, as a document of them. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from services.reporting.domain import SiteRow, behind
from services.reporting.months import day_of
from services.reporting.standards import Dimension
from services.reporting.store import Document

Row = TypeVar("Row")

NAMED_PER_COUNTY: Final = 20
"""Rows of a county in each list of the bulletin, which is one document; `ListBehind` and the services' own lists page
through all of them."""


def findings(open_ones: Sequence[Document], rows: Iterable[SiteRow]) -> list[Document]:
    """Those that have been open for longest."""
    found = [*_first_of_each_county(open_ones, _division)]
    sides = {row.get(side) for row in found for side in ("site", "counterparty")}
    names = {row.site: row.name for row in rows if row.site in sides}
    return [_finding(row, names) for row in found]


def _finding(row: Document, names: Mapping[Any, str]) -> Document:
    kept = ("id", "kind", "site", "division", "counterparty", "event_id")
    known = {f"{side}_name": names.get(row.get(side)) for side in ("site", "counterparty")}
    batches, day = row.get("batches", ()), day_of(row["due_at"]).isoformat()
    return {**{name: row.get(name) for name in kept}, **known, "batches": [*batches], "since": day}


def cases(found: Iterable[Document]) -> list[Document]:
    oldest = sorted(found, key=lambda row: (row["opened_at"], row["id"]))
    return [_case(row) for row in _first_of_each_county(oldest, _division)]


def _case(row: Document) -> Document:
    kept = ("id", "state", "title", "site", "site_name", "division", "missing")
    return {**{name: row.get(name) for name in kept}, "since": day_of(row["opened_at"]).isoformat()}


def named(rows: Iterable[SiteRow], dimension: Dimension, names: Mapping[str, str]) -> list[Document]:
    """The first sites of each county that lack in a dimension, by id."""
    lacking = sorted(row for row in rows if behind(row, dimension, missing=True)[0])
    return [_site(row, names) for row in _first_of_each_county(lacking, lambda row: row.division)]


def _first_of_each_county(rows: Iterable[Row], division: Callable[[Row], str | None]) -> Iterator[Row]:
    taken: Counter[str] = Counter()
    for row in rows:
        county = (division(row) or "")[:6]
        taken[county] += 1
        if taken[county] <= NAMED_PER_COUNTY:
            yield row


def _division(row: Document) -> str | None:
    division: str | None = row["division"]
    return division


def _site(row: SiteRow, names: Mapping[str, str]) -> Document:
    station = names.get(row.station, row.station)
    return {"site": row.site, "name": row.name, "division": row.division, "station": station}
