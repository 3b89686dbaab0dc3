"""Recalls: goods that come back from everybody who holds them."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from contracts.egress import GoodsChange, Quantity
from contracts.model import Contract, Whole
from contracts.trace import Category


class Clock(NamedTuple):
    """A class of recall: it begins within so many hours of knowing the risk, and ends within so many working days."""

    recall_class: int
    start: timedelta
    finish_days: int


CLOCKS: Final = {
    1: Clock(1, timedelta(hours=24), 10),
    2: Clock(2, timedelta(hours=48), 20),
    3: Clock(3, timedelta(hours=72), 30),
}
"""食品召回管理办法 art. 13 and 18."""

LEVELS: Final = {1: "一级", 2: "二级", 3: "三级"}
"""The classes as people are told of them."""

SITES_TOLD: Final = 500
"""Sites, or lines of goods, in one message at most."""


class RecallFacts(Contract):
    """What is told of a recall (食品召回) whatever is said of it.

    `recall_class` is 1 to 3 (食品召回管理办法 art. 13); `version` grows with what is told. `operator` recalls goods of
    its own; `finish_by` is when the recall has to end.
    """

    id: str
    version: Whole
    batches: tuple[str, ...]
    product: str | None = None
    category: Category = Category.OTHER
    reason: str
    recall_class: Whole
    issuer: str
    division: str | None = None
    opened_at: datetime
    operator: str | None = None
    finish_by: datetime | None = None


class Recall(RecallFacts):
    """A recall, and some of the sites that hold its goods or sold them on.

    A recall of many sites is told in parts, and once more when late records name further sites: whoever is told of one
    again has been told.
    """

    sites: tuple[str, ...]


class RecallsOpenedV1(Contract):
    """`trace.recalls_opened.v1`: at most 500 sites in a message."""

    recalls: tuple[Recall, ...]


class CoverageChange(Contract):
    """What late records change of how much of a batch is accounted for; `share` is 0 to 1, absent where not known."""

    batch: str
    produced_before: Quantity | None = None
    produced: Quantity | None = None
    located_before: Quantity | None = None
    located: Quantity | None = None
    share_before: float | None = None
    share: float | None = None


class RecallChange(RecallFacts):
    """The difference between a version of a recall and the one before, in parts; further sites are told as opened."""

    goods: tuple[GoodsChange, ...] = ()
    coverages: tuple[CoverageChange, ...] = ()


class RecallsChangedV1(Contract):
    """`trace.recalls_changed.v1`: at most 500 goods, or coverages, in a message."""

    changes: tuple[RecallChange, ...]


class EndedRecall(RecallFacts):
    """A recall that was closed, and some of the sites that it named; `version` is one more than the last it had."""

    closed_at: datetime
    closed_reason: str
    sites: tuple[str, ...]


class RecallsClosedV1(Contract):
    """`trace.recalls_closed.v1`: at most 500 sites in a message."""

    recalls: tuple[EndedRecall, ...]
