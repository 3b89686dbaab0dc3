"""The bulletin (通报) as a document: composed from rows, compared with the months before, cut to a division. Pure.

Everything in `figures` is JSON: whole numbers, texts, and decimals as texts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, Final

from contracts import divisions
from contracts.findings import FindingKind
from services.reporting.bulletin import lists, work
from services.reporting.bulletin.work import Told
from services.reporting.domain import ALL, STATION, Line, SiteRow, System, lines
from services.reporting.months import Window
from services.reporting.scores import rounded
from services.reporting.standards import SCORED, Dimension, Standard, Standards

Document = dict[str, Any]

TREND_MONTHS: Final = 12
RATE_PLACES: Final = Decimal("0.0001")

FORMULAS: Final = {
    "version": "1",
    "registration": "注册率＝名录内已注册场所数÷名录内有效场所数",
    "activation": "激活率＝名录内已激活场所数÷名录内有效场所数（并列展示，不计分）",
    "activity": "活跃率＝当月有入链记录的场所数÷已激活且未暂停的场所数",
    "coverage": "10＋3覆盖率＝当月至少有一条可链接记录的追溯义务数÷全部追溯义务数（场所×品类）",
    "linkable": "可链接记录：有省外往来凭证的记录，或未被未结断链发现指名的发货、收货记录",
    "upload": "自建系统上传率＝入链记录数÷申报记录数；有系统未申报记录数的，＝按时上传天数÷应上传天数",
    "score": "得分＝Σ 权重×min(1，比率÷阈值)；没有分母的维度记为“不适用”，其权重按比例分给其余维度",
    "tests": "检测按初检计数，复检不另计；复检改判合格的，计为合格",
    "rank": "同级、同环节之间按得分排名，得分相同名次并列；无得分者不参加排名",
}
"""Kept with every bulletin as they were when it was frozen."""


def compose(
    window: Window,
    rows: Sequence[SiteRow],
    systems: Sequence[System],
    standards: Sequence[Standard],
    told: Told,
    names: Mapping[str, str],
    before: Sequence[Document],
) -> Document:
    """The figures of a month. `names` are those of stations, `before` earlier bulletins, the latest first."""
    found = lines(rows, systems, Standards(standards, window.first))
    last = _by_place(before[0]["figures"]["lines"]) if before else {}
    shown = [line_document(line, names) for line in found]
    return {
        "lines": [{**line, "before": _gist(last.get(_place(line)))} for line in shown],
        "trend": _trend(window, shown, before),
        "work": work.work(told, window),
        "silent": lists.findings(work.still_open(told.findings, [FindingKind.SILENT_SITE], window), rows),
        "broken": lists.findings(work.still_open(told.findings, BROKEN, window), rows),
        "cases": lists.cases(told.cases),
        "unregistered": lists.named(rows, Dimension.REGISTRATION, names),
        "inactive": lists.named(rows, Dimension.ACTIVITY, names),
        "systems": [system._asdict() for system in systems],
        "standards": [_standard(row) for row in standards if row.from_day <= window.first],
        "formulas": FORMULAS,
        "unplaced": sum(not row.division for row in rows),
        "sites": len(rows),
    }


BROKEN: Final = (FindingKind.OVERDUE_SHIPMENT, FindingKind.UNKNOWN_SOURCE)


def line_document(line: Line, names: Mapping[str, str]) -> Document:
    """A line as JSON."""
    score = line.score
    assert score is not None
    assert line.standard is not None
    return {
        "level": line.level,
        "code": line.code,
        "county": line.county,
        "link": line.link,
        "name": names.get(line.code, line.code) if line.level == STATION else divisions.name(_full(line.code)) or "",
        "counts": {each: [*count] for each, count in line.counts.items()},
        "rates": {each: _rate(count.rate) for each, count in line.counts.items()},
        "thresholds": {each: str(line.standard.thresholds[each]) for each in SCORED},
        "weights": {each: str(rounded(weight)) for each, weight in score.weights.items()},
        "points": {each: str(rounded(points)) for each, points in score.points.items()},
        "score": None if score.total is None else str(rounded(score.total)),
        "rank": line.rank,
        "tag": line.standard.tag,
        "not_applicable": [*score.not_applicable],
        "kinds": dict(sorted(line.kinds.items())),
        "categories": {} if line.link else {name: [*count] for name, count in line.categories.items()},
    }


def _full(code: str) -> str:
    return code.ljust(6, "0")


def _rate(rate: Fraction | None) -> str | None:
    return (
        None if rate is None else str((Decimal(rate.numerator) / rate.denominator).quantize(RATE_PLACES, ROUND_HALF_UP))
    )


Place = tuple[str, str, str, str]


def _place(line: Document) -> Place:
    """A station may cover several counties, with a line in each."""
    return line["level"], line["code"], line["county"], line["link"]


def _by_place(found: Iterable[Document]) -> dict[Place, Document]:
    return {_place(line): line for line in found}


def _gist(line: Document | None) -> Document | None:
    """What a month is compared by."""
    return None if line is None else {"score": line["score"], "rates": line["rates"], "rank": line["rank"]}


def _trend(window: Window, shown: Sequence[Document], before: Sequence[Document]) -> Document:
    """Score and rates of the last twelve months, the oldest first, of every place but stations."""
    months = [(f"{window.first:%Y-%m}", shown), *((row["month"], row["figures"]["lines"]) for row in before)]
    trend: dict[str, list[Document]] = {}
    for month, found in reversed(months[:TREND_MONTHS]):
        for line in found:
            if line["level"] != STATION and line["link"] == ALL:
                gist = {"month": month, "score": line["score"], "rates": line["rates"]}
                trend.setdefault(line["code"], []).append(gist)
    return trend


def _standard(row: Standard) -> Document:
    return {
        "division": row.division,
        "from_day": row.from_day.isoformat(),
        "number": row.number,
        "thresholds": {each: str(value) for each, value in row.thresholds.items()},
        "weights": {each: str(value) for each, value in row.weights.items()},
        "tag": row.tag,
    }


def provinces(figures: Document) -> list[str]:
    """Provinces the figures are about."""
    return [line["code"] for line in figures["lines"] if line["level"] == "province" and line["link"] == ALL]


def cut(figures: Document, division: str) -> Document:
    """What concerns a division: its own lines and those below, what lies in it, the standards that hold for it."""
    inside = {
        name: [row for row in figures[name] if (row["division"] or "").startswith(division)]
        for name in ("silent", "broken", "cases", "unregistered", "inactive", "systems")
    }
    own = [line for line in figures["lines"] if (line["county"] or line["code"]).startswith(division)]
    near = [row for row in figures["standards"] if _related(row["division"], division)]
    parts = {
        name: {code: value for code, value in figures[name].items() if code.startswith(division)}
        for name in ("trend", "work")
    }
    return {**figures, **inside, **parts, "lines": own, "standards": near}


def _related(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def changes(old: Document, new: Document) -> str:
    """What a later version counts otherwise, over all provinces, for its reason."""
    was, now = _sums(old), _sums(new)
    told = {"activity": "活跃场所", "coverage": "已覆盖义务", "upload": "自建系统上传"}
    moved = [f"{words}{now[name] - was[name]:+d}" for name, words in told.items() if now[name] != was[name]]
    return "，".join(moved) or "分项数据变化"


def _sums(figures: Document) -> Counter[str]:
    sums: Counter[str] = Counter()
    for line in figures["lines"]:
        if line["level"] == "province" and line["link"] == ALL:
            sums.update({name: count[0] for name, count in line["counts"].items()})
    return sums
