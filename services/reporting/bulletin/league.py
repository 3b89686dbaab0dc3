"""Places in their order: rows of the league, the best and the worst, and how a score came about. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from contracts import divisions
from services.reporting.bulletin import words
from services.reporting.bulletin.table import Cell, Document, Figure, Table

SCORED: Final = ("registration", "activity", "coverage", "upload")
SHOWN: Final = ("registration", "activation", "activity", "coverage", "upload")

HEAD: Final = ["名次", "地区", "得分", "较上月", "注册率", "激活率", "活跃率", "10＋3覆盖", "上传率"]


def ranked(lines: Iterable[Document], level: str) -> list[Document]:
    """Lines of a level over all links, the best first, those without a score last."""
    found = [line for line in lines if line["level"] == level and not line["link"]]
    return sorted(found, key=lambda line: (line["rank"] or len(found) + 1, line["code"]))


def percent(rate: str | None, places: int = 2) -> str:
    """A rate as people read it."""
    return words.NOT_APPLICABLE if rate is None else Figure(f"{Decimal(rate) * 100:.{places}f}%")


def score(line: Document) -> str:
    """The score of a place."""
    return Figure(line["score"]) if line["score"] else words.NOT_APPLICABLE


def titled(line: Document) -> str:
    """Name of a place with the mark of its standard."""
    return f"{line['name']}{words.TAGS.get(line['tag'], '')}"


def row(line: Document, with_city: bool = False) -> list[Cell]:
    """A place in its league; a county with its city, where several cities may have a 市中区."""
    name = _full_name(line) if with_city else line["name"]
    return [line["rank"] or "—", f"{name}{words.TAGS.get(line['tag'], '')}", *_scored(line)]


def link_row(line: Document) -> list[Cell]:
    """A link of a place."""
    link: str = line["link"]
    return [words.LINKS.get(link, link), *_scored(line)]


def _scored(line: Document) -> list[Cell]:
    rates = [percent(line["rates"][name]) for name in SHOWN]
    return [score(line), change(line), *rates]


def change(line: Document) -> str:
    """Of the score, on the month before."""
    before = line["before"]
    if line["score"] is None or before is None or before["score"] is None:
        return "—"
    points = Decimal(line["score"]) - Decimal(before["score"])
    return Figure(f"{points:+.2f}") if points else "持平"


def links(division: str, lines: Iterable[Document]) -> list[Document]:
    """The links of a place, the best first."""
    own = [line for line in lines if line["code"] == division and line["link"]]
    return sorted(own, key=lambda line: -Decimal(line["score"] or -1))


def dimensions(own: Document, formulas: Mapping[str, str]) -> Table:
    """How a place's score came about: the method's own table."""
    rows: list[list[Cell]] = [
        [words.DIMENSIONS[name], formulas[name].partition("＝")[2], *_earned(own, name)] for name in SCORED
    ]
    total: list[Cell] = ["合计", "", "", "", "", score(own)]
    return Table("method", "统计方法", ["维度", "公式", "比率", "阈值", "实际权重", "得分"], [*rows, total])


def _earned(own: Document, name: str) -> list[Cell]:
    given = [Figure(own[part][name]) if name in own[part] else "—" for part in ("weights", "points")]
    return [percent(own["rates"][name]), percent(own["thresholds"][name], 0), *given]


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
    scored = [line for line in ranked(lines, level) if line["score"] is not None]
    named = min(NAMED, len(scored) // 2)
    if not named:
        return []
    what = "县（市、区）" if level == "county" else "监管所"
    return [
        Column(f"{what}前{named}名", True, [_row(line) for line in scored[:named]]),
        Column(f"{what}后{named}名", False, [_row(line) for line in reversed(scored[-named:])]),
    ]


def _row(line: Document) -> list[str]:
    return [str(line["rank"]), _full_name(line), line["score"], change(line)]


def _full_name(line: Document) -> str:
    if line["level"] != "county":
        return str(line["name"])
    return "".join(divisions.path(line["code"]).split(" ")[1:]) or str(line["name"])
