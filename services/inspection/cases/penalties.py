"""Penalties as the law suggests them, by a dated table; a person decides. Pure."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from contracts.fields import SHANGHAI

Facts = dict[str, Any]
"""What is established about an act, by the names in `FACTS`; money in yuan as a decimal's text."""

FACTS: Final[Facts] = {
    "value": "",
    "months": 0,
    "deaths": 0,
    "ill": 0,
    "false_records": False,
    "refused_inspection": False,
    "same_within_year": False,
    "prior_criminal_penalty": False,
    "refused_to_rectify": False,
    "trader": False,
    "checked_purchase": False,
    "did_not_know": False,
    "names_source": False,
    "crime_suspected": False,
}
"""Every fact with what it is until somebody establishes it."""

SERIOUS: Final[tuple[tuple[str, Callable[[Facts], bool]], ...]] = (
    ("货值金额2万元以上", lambda facts: Decimal(facts["value"] or 0) >= 20_000),
    ("持续时间3个月以上", lambda facts: facts["months"] >= 3),
    ("造成死亡", lambda facts: facts["deaths"] > 0),
    ("30人以上食源性疾病", lambda facts: facts["ill"] >= 30),
    ("故意提供虚假信息", lambda facts: facts["false_records"]),
    ("拒绝、逃避监督检查", lambda facts: facts["refused_inspection"]),
    ("一年内同一性质违法", lambda facts: facts["same_within_year"]),
    ("曾因食品安全犯罪受刑罚", lambda facts: facts["prior_criminal_penalty"]),
)
"""Regulation 67: any of these makes the act serious."""

_EXEMPTING: Final = ("trader", "checked_purchase", "did_not_know", "names_source")


class Row(NamedTuple):
    """A row of the table: in force from `since` until before `until`; `because` says which facts call for it."""

    penalty: str
    clause: str
    text: str
    since: date
    until: date | None
    because: Callable[[Facts], list[str]]
    least: str = ""
    most: str = ""


class Suggestion(NamedTuple):
    """What the law suggests: yuan from `least` to `most`, both empty where no money is asked."""

    penalty: str
    clause: str
    text: str
    because: tuple[str, ...]
    least: str = ""
    most: str = ""


def serious(facts: Facts) -> list[str]:
    """What makes the act serious; empty when nothing does."""
    return [words for words, holds in SERIOUS if holds(facts)]


def _always(facts: Facts) -> list[str]:
    return ["违法行为成立"]


def _refused(facts: Facts) -> list[str]:
    return ["拒不改正"] if facts["refused_to_rectify"] else []


def _exempt(facts: Facts) -> list[str]:
    """A trader, not a maker, who checked, did not know, and names the source."""
    return ["经营者已履行进货查验、不知情、能说明来源"] if all(facts[name] for name in _EXEMPTING) else []


_LAW, _REGULATION = date(2015, 10, 1), date(2019, 12, 1)
"""When the law of 2015 and the regulation of 2019 came into force."""

_126, _67 = "食品安全法第126条", "食品安全法第126条、实施条例第67条"

TABLE: Final = (
    Row("exempt", "食品安全法第136条", "可以免予处罚，没收不合格食品", _LAW, None, _exempt),
    Row("warning", _126, "责令改正，给予警告", _LAW, None, _always),
    Row("fine", _126, "处五千元以上五万元以下罚款", _LAW, None, _refused, "5000", "50000"),
    Row("suspension", _67, "责令停产停业", _REGULATION, None, serious),
    Row("revocation", _67, "吊销许可证", _REGULATION, None, serious),
)


def suggest(facts: Facts, on: datetime) -> list[Suggestion]:
    """What the table in force on that day suggests for these facts; an exemption comes first, and may be refused."""
    return [*_suggested({**FACTS, **facts}, on.astimezone(SHANGHAI).date())]


def _suggested(facts: Facts, day: date) -> Iterator[Suggestion]:
    for row in TABLE:
        if row.since <= day and (row.until is None or day < row.until) and (why := row.because(facts)):
            yield Suggestion(row.penalty, row.clause, row.text, tuple(why), row.least, row.most)


def follows(penalty: str, amount: str, suggestions: list[Suggestion]) -> bool:
    """Whether a decision is one of the suggestions, its amount within the range."""
    return any(
        each.penalty == penalty and (not each.least or Decimal(each.least) <= Decimal(amount) <= Decimal(each.most))
        for each in suggestions
    )
