"""What the papers of a bulletin show, whatever their format: headings, cards, tables, charts. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from contracts import divisions
from contracts.fields import SHANGHAI
from contracts.findings import FindingKind
from services.reporting.bulletin import league as leagues
from services.reporting.bulletin import tables, words
from services.reporting.bulletin.composing import BROKEN, cut
from services.reporting.bulletin.drawings import Chart, drawings
from services.reporting.bulletin.league import Column, best_and_worst
from services.reporting.bulletin.table import Document, Table

NAMED: Final = 3


class Card(NamedTuple):
    """One figure at the top: what, how much, its change on the month before, and what it is a rate of."""

    title: str
    value: str
    change: str
    better: bool | None
    detail: str


class View(NamedTuple):
    """A bulletin as it is shown."""

    title: str
    month: str
    issue: str
    reason: str
    summary: str
    cards: list[Card]
    best: list[Column]
    charts: list[Chart]
    tables: list[Table]
    dimensions: Table
    method: list[str]
    inputs: str


def view(stored: Document, division: str) -> View:
    """The bulletin of a division, from the stored version."""
    figures = cut(stored["figures"], division)
    lines = figures["lines"]
    own = next(line for line in lines if line["code"] == division and not line["link"])
    league = leagues.ranked(lines, _below(division, lines))
    year, month = stored["month"].split("-")
    return View(
        title=f"{divisions.name(division.ljust(6, '0'))}食品安全追溯工作通报",
        month=f"{year}年{int(month)}月",
        issue=f"第{stored['version']}版　{stored['frozen_at'].astimezone(SHANGHAI):%Y年%m月%d日 %H:%M}冻结（北京时间）",
        reason=stored["reason"] or "",
        summary=_summary(own, league, figures),
        cards=_cards(own),
        best=best_and_worst(own, lines),
        charts=drawings(division, own, league, figures),
        tables=tables.tables(division, league, figures),
        dimensions=leagues.dimensions(own, figures["formulas"]),
        method=_method(own, figures),
        inputs=stored["inputs"],
    )


def _below(division: str, lines: Iterable[Document]) -> str:
    """The level that is ranked: the next one below that has lines."""
    levels = {line["level"] for line in lines if line["code"] != division}
    return next((level for level in ("city", "county", "station") if level in levels), "county")


def _summary(own: Document, league: Sequence[Document], figures: Document) -> str:
    """The month in a few sentences, the best and the worst named."""
    told = [f"本月综合得分{_score(own['score'])}{_versus(own)}。"]
    scored = [line for line in league if line["score"] is not None]
    if named := min(NAMED, len(scored) // 2):
        last = list(reversed(scored[-named:]))
        told.append(f"得分靠前的是{_names(scored[:named])}；靠后的是{_names(last)}。")
    if missing := "、".join(words.DIMENSIONS[name] for name in own["not_applicable"]):
        told.append(f"{missing}没有分母，记为不适用，其权重按比例分给其余维度。")
    told += _above_all(own, scored)
    # Counted, for the lists name only the earliest of each county.
    counted = tables.totals(figures["work"])
    broken = sum(counted[f"{kind}_open"] for kind in BROKEN)
    told.append(f"月末未结断链{broken}条，静默场所{counted[f'{FindingKind.SILENT_SITE}_open']}家。")
    if figures["unplaced"]:
        told.append(f"另有{figures['unplaced']}家场所区划缺失或不明，未计入各地。")
    return "".join(told)


def _above_all(own: Document, below: Sequence[Document]) -> Iterator[str]:
    """Why a place stands above all that lie in it, where a rate is its own alone."""
    lacking = {name for name in leagues.SCORED if all(name in line["not_applicable"] for line in below)}
    alone = "、".join(words.DIMENSIONS[name] for name in leagues.SCORED if name in lacking - {*own["not_applicable"]})
    if alone and own["score"] and below and Decimal(own["score"]) > max(Decimal(line["score"]) for line in below):
        yield f"{alone}只计入本级，各地均不适用，因此本级得分高于各地。"


def _names(lines: Iterable[Document]) -> str:
    return "、".join(f"{line['name']}（{line['score']}分）" for line in lines)


def _score(score: str | None) -> str:
    return words.NOT_APPLICABLE if score is None else f"{score}分"


def _versus(line: Document) -> str:
    before = line["before"]
    if line["score"] is None or before is None or before["score"] is None:
        return ""
    change = Decimal(line["score"]) - Decimal(before["score"])
    return f"，比上月{'升' if change > 0 else '降'}{abs(change)}分" if change else "，与上月持平"


def _cards(own: Document) -> list[Card]:
    score = Card("综合得分", leagues.score(own), *_change(own, None), "满分100　四项加权")
    return [score, *(_card(own, name) for name in leagues.SCORED)]


def _card(own: Document, name: str) -> Card:
    numerator, denominator = own["counts"][name]
    detail = f"{numerator:,}／{denominator:,}　阈值{leagues.percent(own['thresholds'][name], 0)}"
    return Card(words.DIMENSIONS[name], leagues.percent(own["rates"][name]), *_change(own, name), detail)


def _change(own: Document, name: str | None) -> tuple[str, bool | None]:
    """On the month before: points of the score, or percentage points of a rate."""
    before = own["before"] or {"score": None, "rates": {}}
    now, then = (own["score"], before["score"]) if name is None else (own["rates"][name], before["rates"].get(name))
    if now is None or then is None:
        return "无上月数据", None
    change = (Decimal(now) - Decimal(then)) * (1 if name is None else 100)
    if not change:
        return "与上月持平", None
    return f"较上月{change:+.2f}{'分' if name is None else '个百分点'}", change > 0


def _method(own: Document, figures: Document) -> list[str]:
    """How it was counted, beside the table of dimensions."""
    formulas: Mapping[str, Any] = figures["formulas"]
    told = [text for name, text in formulas.items() if name not in ("version", *leagues.SCORED)]
    told += [_standard(row) for row in figures["standards"]]
    return [*told, f"公式第{formulas['version']}版；参与计算的场所{figures['sites']:,}家。"]


def _standard(row: Document) -> str:
    place = divisions.name(row["division"].ljust(6, "0")) or row["division"]
    parts = [f"{words.DIMENSIONS[name]}阈值{leagues.percent(value, 0)}" for name, value in row["thresholds"].items()]
    parts += [f"{words.DIMENSIONS[name]}权重{value}" for name, value in row["weights"].items()]
    return f"{place}{words.TAG_NAMES.get(row['tag'], '')}自{row['from_day']}起：{'、'.join(parts)}。"
