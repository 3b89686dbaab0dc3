"""Risk grades A to D: static and dynamic points by a versioned table, from a site's facts and its credit file. Pure.

食品生产经营风险分级管理办法(试行): static risk up to 40 points and dynamic risk up to 60; the grade sets how often a
year a site is checked. ⚠ The points of single rows are the platform's opening values.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from contracts.fields import SHANGHAI
from contracts.registry import SiteFacts


class Entry(NamedTuple):
    """A line of a site's credit file (信用档案) of the last 12 months."""

    kind: str
    at: datetime
    id: str
    what: str


class Static(NamedTuple):
    """A row about what a site is."""

    id: str
    zh: str
    points: int
    applies: Callable[[SiteFacts], bool]


class Dynamic(NamedTuple):
    """A row about what became of it: so many points for each entry of this kind, `most` together."""

    id: str
    zh: str
    points: int
    most: int


class Grade(NamedTuple):
    """A grade for totals up to `most`: checks a year from `least_checks` to `most_checks`."""

    letter: str
    most: int
    least_checks: int
    most_checks: int


class Table(NamedTuple):
    """The points in force from a day on."""

    version: str
    since: date
    static: tuple[Static, ...]
    dynamic: tuple[Dynamic, ...]
    grades: tuple[Grade, ...]


class Point(NamedTuple):
    """Points a site has, with the entries that count."""

    id: str
    zh: str
    points: int
    entries: int


class Assessment(NamedTuple):
    """A site's grade as of now."""

    version: str
    grade: Grade
    static: int
    dynamic: int
    points: tuple[Point, ...]


MOST_STATIC: Final = 40
MOST_DYNAMIC: Final = 60

_HIGH: Final = frozenset({"dairy", "meat", "aquatic"})


def _is(name: str, *values: str) -> Callable[[SiteFacts], bool]:
    return lambda facts: getattr(facts, name) in values


_OPENING: Final = Table(
    "2026-11",
    date(2000, 1, 1),
    (
        Static("special_food", "特殊食品", 20, _is("link", "special_food")),
        Static("production", "食品生产", 15, _is("link", "production")),
        Static("catering", "餐饮服务", 15, _is("link", "catering")),
        Static("circulation", "食品销售", 10, _is("link", "circulation")),
        Static("unit", "学校食堂、集体配餐、中央厨房", 12, lambda facts: facts.unit_kind is not None),
        Static("infants", "婴幼儿配方食品", 12, lambda facts: "infant_formula" in facts.obligations),
        Static("high_risk", "乳肉水产", 8, lambda facts: not _HIGH.isdisjoint(facts.obligations)),
        Static("suspended", "许可暂停", 8, lambda facts: facts.suspended),
    ),
    (
        Dynamic("case", "立案", 10, 30),
        Dynamic("penalty", "警告以上处罚", 10, 20),
        Dynamic("failed_test", "检测不合格", 6, 18),
        Dynamic("failed_recheck", "复查不合格", 8, 16),
        Dynamic("problem", "检查发现问题", 3, 12),
        Dynamic("overdue", "整改逾期", 2, 8),
    ),
    (Grade("A", 30, 1, 1), Grade("B", 45, 1, 2), Grade("C", 60, 2, 3), Grade("D", 100, 3, 4)),
)
TABLES: Final = (_OPENING,)


def table(day: date) -> Table:
    """The table in force on a day in Shanghai."""
    return max((each for each in TABLES if each.since <= day), key=lambda each: each.since)


def assess(facts: SiteFacts, file: Sequence[Entry], now: datetime) -> Assessment:
    """The grade with every point that makes it."""
    rows = table(now.astimezone(SHANGHAI).date())
    static = [Point(row.id, row.zh, row.points, 0) for row in rows.static if row.applies(facts)]
    dynamic = [_counted(row, sum(entry.kind == row.id for entry in file)) for row in rows.dynamic]
    sums = (
        min(MOST_STATIC, sum(each.points for each in static)),
        min(MOST_DYNAMIC, sum(each.points for each in dynamic)),
    )
    grade = next(each for each in rows.grades if sum(sums) <= each.most)
    return Assessment(rows.version, grade, *sums, (*static, *(each for each in dynamic if each.entries)))


def _counted(row: Dynamic, entries: int) -> Point:
    return Point(row.id, row.zh, min(row.most, row.points * entries), entries)
