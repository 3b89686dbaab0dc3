"""Tables of the bulletin: the same in every paper. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from contracts import divisions
from services.reporting import bulletin_words as words

Document = dict[str, Any]
Cell = str | int

SHOWN: Final = ("registration", "activation", "activity", "coverage", "upload")


class Table(NamedTuple):
    """A table; `rows` hold texts and whole numbers. Lists and leagues are shortened on paper, never in the workbook."""

    id: str
    title: str
    head: list[str]
    rows: list[list[Cell]]
    note: str = ""
    league: bool = False
    """Ranked: its end says as much as its beginning."""

    def shortened(self, most: int) -> "Table":
        """The first rows, of a league the best and the worst; the note says how many there are."""
        if len(self.rows) <= most:
            return self
        gap: list[Cell] = ["…", *[""] * (len(self.head) - 1)]
        kept = [*self.rows[: most // 2], gap, *self.rows[-(most // 2) :]] if self.league else self.rows[:most]
        where = f"前后各{most // 2}行" if self.league else f"前{most}行"
        note = "　".join(filter(None, [self.note, f"共{len(self.rows)}行，此处列{where}，全部见工作簿。"]))
        return self._replace(rows=kept, note=note)


def tables(division: str, league: Sequence[Document], figures: Document) -> list[Table]:
    """All tables of a division's bulletin; the league comes ranked."""
    lines = figures["lines"]
    below = [line for line in ranked(lines, "county") if line["code"] != division]
    return [
        Table("league", "排名表", _RANK_HEAD, [_ranked(line) for line in league], "同级排名；得分相同名次并列", True),
        Table("links", "分环节", ["环节", *_RANK_HEAD[2:]], [_link(line) for line in _links(division, lines)]),
        Table("counties", "县（市、区）排名", _RANK_HEAD, [_ranked(line) for line in below], league=True),
        Table("stations", "监管所排名", _RANK_HEAD, [_ranked(each) for each in ranked(lines, "station")], league=True),
        Table("steps", "活跃场所上报的环节动作", ["动作", "场所数"], _kinds(division, lines)),
        Table("work", "发现与处置", ["事项", "本月新增", "本月办结", "月末在办"], _work(totals(figures["work"]))),
        Table("tests", "检测", ["项目", "批次", "不合格", "合格率"], _tests(totals(figures["work"]))),
        Table("notices", "消息送达", ["渠道", "状态", "条数"], _deliveries(totals(figures["work"]))),
        Table("silent", "静默场所", ["场所", "区划", "应报未报起始日"], _silent(figures["silent"])),
        Table("broken", "未结断链", _BROKEN_HEAD, [*map(_broken, figures["broken"])]),
        Table("cases", "案件", ["案件", "场所", "区划", "状态", "尚缺"], [*map(_case, figures["cases"])]),
        Table("inactive", "不活跃场所", _SITE_HEAD, [*map(_site, figures["inactive"])], _PART),
        Table("unregistered", "未注册场所", _SITE_HEAD, [*map(_site, figures["unregistered"])], _PART),
        Table("systems", "自建系统", _SYSTEM_HEAD, [*map(_system, figures["systems"])]),
    ]


def dimensions(own: Document, formulas: Mapping[str, str]) -> Table:
    """How a place's score came about: the method's own table."""
    rows: list[list[Cell]] = [
        [words.DIMENSIONS[name], formulas[name].partition("＝")[2], *_earned(own, name)] for name in own["thresholds"]
    ]
    total: list[Cell] = ["合计", "", "", "", "", own["score"] or words.NOT_APPLICABLE]
    return Table("method", "统计方法", ["维度", "公式", "比率", "阈值", "实际权重", "得分"], [*rows, total])


def _earned(own: Document, name: str) -> list[Cell]:
    given = [own[part].get(name, "—") for part in ("weights", "points")]
    return [percent(own["rates"][name]), percent(own["thresholds"][name], 0), *given]


_RANK_HEAD: Final = ["名次", "地区", "得分", "较上月", "注册率", "激活率", "活跃率", "10＋3覆盖", "上传率"]
_SITE_HEAD: Final = ["证照编号", "名称", "区划", "监管所"]
_BROKEN_HEAD: Final = ["类型", "责任场所", "相对方", "区划", "应到日", "批次"]
_SYSTEM_HEAD: Final = ["系统", "区划", "入链记录", "申报记录", "按时天数", "应传天数"]
_PART: Final = "每县列前20家；全部名单见系统“明细下钻”"


def ranked(lines: Iterable[Document], level: str) -> list[Document]:
    """Lines of a level over all links, the best first, those without a score last."""
    found = [line for line in lines if line["level"] == level and not line["link"]]
    return sorted(found, key=lambda line: (line["rank"] or len(found) + 1, line["code"]))


def percent(rate: str | None, places: int = 2) -> str:
    """A rate as people read it."""
    return words.NOT_APPLICABLE if rate is None else f"{Decimal(rate) * 100:.{places}f}%"


def titled(line: Document) -> str:
    """Name of a place with the mark of its standard."""
    return f"{line['name']}{words.TAGS.get(line['tag'], '')}"


def totals(counted: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    """Work counters summed over counties."""
    summed: Counter[str] = Counter()
    for counters in counted.values():
        summed.update(counters)
    return summed


def _ranked(line: Document) -> list[Cell]:
    return [line["rank"] or "—", titled(line), *_scored(line)]


def _link(line: Document) -> list[Cell]:
    link: str = line["link"]
    return [words.LINKS.get(link, link), *_scored(line)]


def _scored(line: Document) -> list[Cell]:
    rates = [percent(line["rates"][name]) for name in SHOWN]
    return [line["score"] or words.NOT_APPLICABLE, change(line), *rates]


def change(line: Document) -> str:
    """Of the score, on the month before."""
    before = line["before"]
    if line["score"] is None or before is None or before["score"] is None:
        return "—"
    points = Decimal(line["score"]) - Decimal(before["score"])
    return f"{points:+.2f}" if points else "持平"


def _links(division: str, lines: Iterable[Document]) -> list[Document]:
    own = [line for line in lines if line["code"] == division and line["link"]]
    return sorted(own, key=lambda line: -Decimal(line["score"] or -1))


def _kinds(division: str, lines: Iterable[Document]) -> list[list[Cell]]:
    own = next(line for line in lines if line["code"] == division and not line["link"])
    return [[words.STEPS[step], sites] for step, sites in sorted(own["kinds"].items(), key=lambda kind: -kind[1])]


def _work(counted: Counter[str]) -> list[list[Cell]]:
    names = {**words.FINDINGS, "tasks": "检查任务", "cases": "案件"}
    rows: list[list[Cell]] = [
        [title, counted[f"{name}_opened"], counted[f"{name}_closed"], counted[f"{name}_open"]]
        for name, title in names.items()
    ]
    return [*rows, ["其中：逾期升级的任务", counted["tasks_escalated"], "—", "—"]]


def _tests(counted: Counter[str]) -> list[list[Cell]]:
    kinds = {**{f"tests_{kind}": title for kind, title in words.TESTS.items()}, "tests": "合计"}
    return [[title, *_quality(counted[name], counted[f"{name}_unqualified"])] for name, title in kinds.items()]


def _quality(done: int, unqualified: int) -> list[Cell]:
    return [done, unqualified, f"{(done - unqualified) / done:.2%}" if done else words.NOT_APPLICABLE]


def _deliveries(counted: Counter[str]) -> list[list[Cell]]:
    return [
        [channel, state, count]
        for name, channel in words.CHANNELS.items()
        for key, state in words.DELIVERY.items()
        if (count := counted[f"deliveries_{name}_{key}"])
    ]


def place(code: str | None) -> str:
    """A division in words."""
    return divisions.path(code) if code else "未落区划"


def _silent(rows: Iterable[Document]) -> list[list[Cell]]:
    return [[_who(row, "site"), place(row["division"]), row["since"]] for row in rows]


def _broken(row: Document) -> list[Cell]:
    kind, batches = words.FINDINGS[row["kind"]], "、".join(row["batches"])
    return [kind, _who(row, "site"), _who(row, "counterparty"), place(row["division"]), row["since"], batches]


def _who(row: Document, side: str) -> str:
    """A site by its name, by its id where the registry tells none."""
    return row[f"{side}_name"] or row[side] or "—"


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
