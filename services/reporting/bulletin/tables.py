"""Tables of the bulletin: the same in every paper. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from contracts import divisions
from contracts.findings import GAPS, TITLES, FindingKind
from services.reporting.bulletin import league as leagues
from services.reporting.bulletin import words
from services.reporting.bulletin.composing import BROKEN
from services.reporting.bulletin.table import Cell, Document, Figure, Table

CITY: Final = 4
"""Digits of a city's prefix."""


def tables(division: str, best: Sequence[Document], figures: Document) -> list[Table]:
    """All tables of a division's bulletin; `best` is the league, ranked."""
    lines = figures["lines"]
    counties = [line for line in leagues.ranked(lines, "county") if line["code"] != division]
    counted = totals(figures["work"])
    links = [leagues.link_row(line) for line in leagues.links(division, lines)]
    return [
        _league("league", "排名表", best)._replace(note="同级排名；得分相同名次并列"),
        Table("links", "分环节", ["环节", *leagues.HEAD[2:]], links),
        _league("counties", "县（市、区）排名", counties, with_city=len(division) < CITY),
        _league("stations", "监管所排名", leagues.ranked(lines, "station")),
        Table("steps", "活跃场所上报的环节动作", ["动作", "场所数"], _kinds(division, lines)),
        Table("work", "发现与处置", ["事项", "本月新增", "本月办结", "月末在办"], _work(counted)),
        Table("tests", "检测", ["项目", "批次", "不合格", "合格率"], _tests(counted)),
        Table("notices", "消息送达", ["渠道", "状态", "条数"], _deliveries(counted)),
        *_parts(_own(division, lines), counted, figures),
        Table("systems", "自建系统", _SYSTEM_HEAD, [*map(_system, figures["systems"])]),
    ]


def _league(id: str, title: str, lines: Iterable[Document], with_city: bool = False) -> Table:
    return Table(id, title, leagues.HEAD, [leagues.row(line, with_city) for line in lines], league=True)


_SITE_HEAD: Final = ["证照编号", "名称", "区划", "监管所"]
_SILENT_HEAD: Final = ["场所", "区划", "应报未报起始日"]
_CASE_HEAD: Final = ["案件", "场所", "区划", "状态", "尚缺"]
_BROKEN_HEAD: Final = ["类型", "责任场所", "相对方", "区划", "应到日", "批次"]
_SYSTEM_HEAD: Final = ["系统", "区划", "入链记录", "申报记录", "按时天数", "应传天数"]
_OLDEST: Final = "每县最多列最早的20条"
_FIRST: Final = "每县最多列20家"
_LISTED: Final = "系统“明细下钻”"


def _parts(own: Document, counted: Counter[str], figures: Document) -> list[Table]:
    """Lists that name some of each county only, with how many there are."""
    silent = counted[f"{FindingKind.SILENT_SITE}_open"]
    broken = sum(counted[f"{kind}_open"] for kind in BROKEN)
    cases = counted["cases_open"] + counted["cases_closed"]
    return [
        Table("silent", "静默场所", _SILENT_HEAD, _silent(figures["silent"]), _OLDEST, total=silent),
        Table("broken", "未结断链", _BROKEN_HEAD, [*map(_broken, figures["broken"])], _OLDEST, total=broken),
        Table("cases", "案件", _CASE_HEAD, [*map(_case, figures["cases"])], _OLDEST, total=cases),
        _behind("inactive", "不活跃场所", figures, own["counts"]["activity"]),
        _behind("unregistered", "未注册场所", figures, own["counts"]["registration"]),
    ]


def _behind(id: str, title: str, figures: Document, counts: Sequence[int]) -> Table:
    """Sites that are in a rate's denominator only."""
    numerator, denominator = counts
    rows = [*map(_site, figures[id])]
    return Table(id, title, _SITE_HEAD, rows, _FIRST, total=denominator - numerator, whole=_LISTED)


def totals(counted: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    """Work counters summed over counties."""
    summed: Counter[str] = Counter()
    for counters in counted.values():
        summed.update(counters)
    return summed


def _kinds(division: str, lines: Iterable[Document]) -> list[list[Cell]]:
    kinds = _own(division, lines)["kinds"]
    return [[words.STEPS[step], sites] for step, sites in sorted(kinds.items(), key=lambda kind: -kind[1])]


def _own(division: str, lines: Iterable[Document]) -> Document:
    return next(line for line in lines if line["code"] == division and not line["link"])


def _work(counted: Counter[str]) -> list[list[Cell]]:
    """What is missing is always told of; what does not look true where there was any."""
    names = {**TITLES, "tasks": "检查任务", "cases": "案件"}
    rows: list[list[Cell]] = [
        [title, *counts]
        for name, title in names.items()
        if any(counts := [counted[f"{name}_{course}"] for course in ("opened", "closed", "open")])
        or name not in _SOMETIMES
    ]
    return [*rows, ["其中：逾期升级的任务", counted["tasks_escalated"], "—", "—"]]


_SOMETIMES: Final = frozenset(FindingKind) - GAPS


def _tests(counted: Counter[str]) -> list[list[Cell]]:
    kinds = {**{f"tests_{kind}": title for kind, title in words.TESTS.items()}, "tests": "合计"}
    return [[title, *_quality(counted[name], counted[f"{name}_unqualified"])] for name, title in kinds.items()]


def _quality(done: int, unqualified: int) -> list[Cell]:
    return [done, unqualified, Figure(f"{(done - unqualified) / done:.2%}") if done else words.NOT_APPLICABLE]


def _deliveries(counted: Counter[str]) -> list[list[Cell]]:
    return [
        [channel, state, count]
        for name, channel in words.CHANNELS.items()
        for key, state in words.DELIVERY.items()
        if (count := counted[f"deliveries_{name}_{key}"])
    ]


def place(code: str | None) -> str:
    """A division in words; who reads the paper knows the province."""
    parts = divisions.path(code or "").split(" ")
    return " ".join(parts[1:] or parts) or "未落区划"


def _silent(rows: Iterable[Document]) -> list[list[Cell]]:
    return [[_who(row, "site"), place(row["division"]), row["since"]] for row in rows]


def _broken(row: Document) -> list[Cell]:
    kind, batches = TITLES[row["kind"]], "、".join(row["batches"])
    return [kind, _who(row, "site"), _who(row, "counterparty"), place(row["division"]), row["since"], batches]


def _who(row: Document, side: str) -> str:
    """A site by its name, by its number where the registry knows none."""
    return row[f"{side}_name"] or (_number(row[side]) if row[side] else "—")


def _case(row: Document) -> list[Cell]:
    lacking = "、".join(words.GATES.get(gate, gate) for gate in row["missing"] or ())
    state = words.CASES.get(row["state"], row["state"])
    return [row["title"], row["site_name"] or row["site"], place(row["division"]), state, lacking]


def _site(row: Document) -> list[Cell]:
    return [_number(row["site"]), row["name"], place(row["division"]), row["station"]]


def _number(site: str) -> str:
    """What a site is known by: its licence or its owner's USCC; who has neither is known by a digest of the id card."""
    kind, _, number = site.partition(":")
    return {"licence": number, "uscc": number}.get(kind, f"个人 {number[:8]}")


def _system(row: Document) -> list[Cell]:
    counts = [row["accepted"], row["declared"] or "—", row["days_on_time"], row["days_expected"]]
    return [row["system"], place(row["division"]), *counts]
