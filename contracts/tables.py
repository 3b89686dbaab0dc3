"""Tables of the vendors' guide that the code knows better than its author."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from contracts.duties import DUTIES, FOOD, Duty
from contracts.papers import PAPERS
from contracts.rules import RULES, Effect
from contracts.steps import STEPS
from contracts.trace import Category, Link, Step
from contracts.units import TABLE
from contracts.words import WORDS

_EFFECTS: Final = {Effect.REFUSE: "拒绝", Effect.FLAG: "标记"}
LINK_NAMES: Final[dict[Link | None, str]] = {
    Link.PRODUCTION: "生产",
    Link.CIRCULATION: "流通",
    Link.CATERING: "餐饮",
    Link.SPECIAL_FOOD: "特食",
    None: "未写明",
}
CATEGORY_NAMES: Final = {
    Category.VEGETABLE: "蔬菜",
    Category.FRUIT: "水果",
    Category.AQUATIC: "水产品",
    Category.MEAT: "肉",
    Category.DAIRY: "乳制品",
    Category.EDIBLE_OIL: "食用油",
    Category.LIQUOR: "酒类",
    Category.OTHER: "其他",
}
_PLACEHOLDERS: Final = defaultdict(lambda: "…", {"hours": "24", "grams": "125", "kept": "48"})


def rules() -> str:
    """Every rule: id, effect, Chinese text, source."""
    rows = (
        f"| `{rule.id}` | {_EFFECTS[rule.effect]} | {rule.zh.format_map(_PLACEHOLDERS)} | {rule.source} |"
        for rule in RULES.values()
    )
    return "\n".join(("| 错误码 | 结果 | 含义 | 依据 |", "|---|---|---|---|", *rows))


def words() -> str:
    """Every field: its documented name, its Chinese title, and what else is understood."""
    rows = (f"| `{name}` | {title} | {'、'.join(others)} |" for name, (title, *others) in sorted(WORDS.items()))
    return "\n".join(("| 字段 | 中文名 | 也接受 |", "|---|---|---|", *rows))


def steps() -> str:
    """Every step: its word, its Chinese name, what else is understood, and what EPCIS and CBV call it."""
    rows = (
        f"| `{name.step}` | {name.zh} | {'、'.join(name.words) or '—'} | {name.event or '—'} | {name.biz_step} |"
        for name in STEPS.values()
    )
    return "\n".join(("| 环节 | 中文名 | 也接受 | EPCIS 事件 | CBV bizStep |", "|---|---|---|---|---|", *rows))


def papers() -> str:
    """Every kind of paper: its word, its Chinese name, by which words it is known, who asks for it."""
    rows = (f"| `{paper.kind}` | {paper.zh} | {'、'.join(paper.words)} | {paper.clause} |" for paper in PAPERS)
    return "\n".join(("| 种类 | 中文名 | 名称中含 | 依据 |", "|---|---|---|---|", *rows))


def units() -> str:
    """Every unit that converts: its names, its code, and how many of a unit of the balance it is."""
    rows = (
        f"| {'、'.join((row.zh, *row.words.split()))} | {row.code or '—'} | {row.factor} {row.into} |" for row in TABLE
    )
    return "\n".join(("| 单位 | UN/ECE Rec. 20 | 换算 |", "|---|---|---|", *rows))


def duties() -> str:
    """What each clause asks of which record."""
    rows = (
        f"| {duty.clause} | {_names(duty.steps)} | {_links(duty)} | {_categories(duty)} | {_elements(duty)} |"
        for duty in DUTIES
    )
    return "\n".join(("| 条款 | 步骤 | 环节 | 类别 | 要素 |", "|---|---|---|---|---|", *rows))


def _names(steps: Iterable[Step]) -> str:
    return "、".join(STEPS[step].zh for step in Step if step in steps)


def _links(duty: Duty) -> str:
    if duty.links == {*Link, None}:
        return "全部"
    return "、".join(name for link, name in LINK_NAMES.items() if link in duty.links)


def _categories(duty: Duty) -> str:
    if duty.categories == {*Category}:
        return "全部"
    if duty.categories == FOOD:
        return "食用农产品以外"
    return "、".join(CATEGORY_NAMES[category] for category in Category if category in duty.categories)


def _elements(duty: Duty) -> str:
    told = "、".join(element.zh for element in duty.elements)
    return f"{told}（{duty.when.zh}）" if duty.when else told


_TABLES: Final = {
    "rules": rules,
    "words": words,
    "steps": steps,
    "papers": papers,
    "units": units,
    "duties": duties,
}


def filled(guide: str) -> str:
    """The guide with what stands between `<!-- rules -->` and `<!-- /rules -->`, and likewise the others, made anew."""
    for name, table in _TABLES.items():
        guide = _between(guide, name, table())
    return guide


def _between(guide: str, name: str, table: str) -> str:
    block = f"<!-- {name} -->\n{table}\n<!-- /{name} -->"
    return re.sub(rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _: block, guide, flags=re.DOTALL)
