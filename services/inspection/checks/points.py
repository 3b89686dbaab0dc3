"""What a check goes through (检查要点), by link; which of it is due, and what a lower level does not repeat. Pure.

Order 49 (食品生产经营监督检查管理办法): every point of every site is covered within two years; a lower level does not
check the same within three months of a higher one, re-checks and triggered checks apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from contracts.fields import SHANGHAI
from contracts.inspection import TaskKind
from services.inspection.documents import Document

TRACE: Final = "trace_records"

POINTS: Final[Mapping[str, str]] = {
    "licence": "许可与备案",
    "premises": "场所环境",
    "staff": "从业人员健康与培训",
    "purchase": "进货查验",
    "storage": "贮存运输",
    "labels": "标签标识",
    "disposal": "过期与不合格食品处置、召回",
    "self_check": "自查与日管控周排查月调度",
    TRACE: "追溯记录",
    "process": "生产过程控制",
    "release": "出厂检验",
    "registration": "注册备案配方",
    "kitchen": "加工制作",
    "tableware": "餐饮具清洗消毒",
    "retained": "食品留样",
}
"""⚠ After the tables of points to order 49, in short."""

_COMMON: Final = ("licence", "premises", "staff", "purchase", "storage", "disposal", "self_check", TRACE)
_OF_LINK: Final = {
    "production": ("labels", "process", "release"),
    "special_food": ("labels", "process", "release", "registration"),
    "circulation": ("labels",),
    "catering": ("kitchen", "tableware", "retained"),
}

ORDER_OF_LEVELS: Final = ("county", "city", "province")
"""A station is an arm of its county."""

COVERED_YEARS: Final = 2
APART_MONTHS: Final = 3


def of(link: str | None) -> tuple[str, ...]:
    """The points of a site of this link."""
    return (*_COMMON, *_OF_LINK.get(link or "", ()))


def taken_in(kind: str, link: str | None, asked: Sequence[str]) -> list[str]:
    """What a task by hand goes through: what is asked, else every point; sampling goes through none."""
    return list(dict.fromkeys(asked)) or ([] if kind == TaskKind.SAMPLING else list(of(link)))


def level_of(division: str | None) -> str:
    """Level of an authority, by the division it answers for."""
    return {0: "province", 2: "province", 4: "city"}.get(len(division or ""), "county")


def higher(level: str) -> list[str]:
    """Levels above."""
    return list(ORDER_OF_LEVELS[ORDER_OF_LEVELS.index(level) + 1 :])


class Check(NamedTuple):
    """A check on record: by which level, when, of which points."""

    task: str
    level: str
    at: datetime
    items: frozenset[str]


def check(row: Document) -> Check:
    """A task that was inspected, as a check."""
    return Check(row["_id"], row["checked_level"], row["inspected_at"], frozenset(row["items"]))


def repeated(kind: str, items: Iterable[str], triggered: bool, checks: Iterable[Check]) -> Check | None:
    """The check of a higher level within three months that these items would repeat; `checks` are all of those."""
    if triggered or kind == TaskKind.RETURN_VISIT:
        return None
    wanted = frozenset(items)
    return next((each for each in checks if each.items & wanted), None)


def missing(link: str | None, checked: Iterable[Iterable[str]]) -> list[str]:
    """Points of a site that no check has gone through; `checked` are those of the last two years."""
    covered = {point for items in checked for point in items}
    return [point for point in of(link) if point not in covered]


def months_before(at: datetime, months: int) -> datetime:
    """The same moment of the same day so many months earlier in Shanghai, or of that month's last day."""
    local = at.astimezone(SHANGHAI)
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    for day in range(local.day, 0, -1):
        try:
            return local.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(at)
