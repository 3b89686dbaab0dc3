"""A bulletin held against the count: every figure by its place and name. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from demo.brute_records import Json

ROWS: Final = {
    "lines": ("level", "code", "county", "link"),
    "silent": ("id",),
    "broken": ("id",),
    "cases": ("id",),
    "unregistered": ("site",),
    "inactive": ("site",),
    "systems": ("system", "division", "link"),
}
"""Tables of the bulletin, and what tells their rows apart."""

OTHERS: Final = ("work", "trend", "sites", "unplaced")

NOTHING: Final = "—"
"""Where one of the two has no such figure."""

Figures = dict[tuple[str, str], Any]
"""By place and name."""


class Difference(NamedTuple):
    """A figure that the bulletin and the count give differently."""

    place: str
    name: str
    bulletin: Any
    counted: Any

    def __str__(self) -> str:
        return f"{self.place} {self.name}: bulletin {self.bulletin}, counted {self.counted}"


def differences(bulletin: Json, counted: Json) -> list[Difference]:
    """Every figure that is not the same in both, by place and name."""
    said, found = figures(bulletin), figures(counted)
    keys = sorted(said.keys() | found.keys())
    pairs = [Difference(*key, said.get(key, NOTHING), found.get(key, NOTHING)) for key in keys]
    return [pair for pair in pairs if pair.bulletin != pair.counted]


def figures(document: Json) -> Figures:
    """All figures of a document; what it is computed with (standards, formulas) is none."""
    found: Figures = {}
    for table, names in ROWS.items():
        for row in document[table]:
            place = " ".join([table, *(row[name] for name in names if row[name])])
            found |= {(place, name): value for name, value in _leaves(row)}
    for other in OTHERS:
        found |= {(other, name): value for name, value in _leaves(document[other])}
    return found


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers and texts by the path that leads to them; a list of them is one, months of a trend are not."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for each in value:
            yield from _leaves(each, f"{name}.{each['month']}")
    else:
        yield name, value
