"""Which events people can be told of: the table, and one occurrence of one. No I/O."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

INFO, WARNING, CRITICAL = 1, 2, 3
"""Severities."""


class Event(NamedTuple):
    """A row of the table. `urgency` orders the sending, 0 first; `fields` are what its templates may say.

    A `statutory` one passes quiet hours, STOP and digests: recalls and orders by law. Who is told of what an event
    `ends` is told of it too.
    """

    name: str
    title: str
    severity: int
    urgency: int
    statutory: bool
    fields: tuple[str, ...]
    ends: str = ""


_PLACE: Final = ("site_name", "division_name")

_TABLE: Final = (
    Event("recall", "食品召回", CRITICAL, 0, True, (*_PLACE, "headline", "body", "issuer")),
    Event("order", "责令通知", CRITICAL, 1, True, (*_PLACE, "headline", "body", "issuer")),
    # A day, or two or three, until it must begin (食品召回管理办法 art. 13): no night may pass.
    Event("recall_proposed", "召回建议", CRITICAL, 1, True, (*_PLACE, "product", "batch", "item", "level", "start_by")),
    # 责令整改 (S3, law 126): an order with a term.
    Event("task_rectify", "限期整改", WARNING, 1, True, (*_PLACE, "title", "due")),
    Event("test_failed", "检测不合格", CRITICAL, 2, False, (*_PLACE, "product", "batch", "item", "tested")),
    Event("task_overdue", "任务逾期", CRITICAL, 2, False, (*_PLACE, "title", "due", "times")),
    Event("case_opened", "立案", CRITICAL, 2, False, (*_PLACE, "title", "opened")),
    Event("quarantine_alert", "检疫预警", CRITICAL, 2, False, (*_PLACE, "kind", "document", "allowed", "told")),
    Event("recall_changed", "召回数量变更", WARNING, 3, False, (*_PLACE, "headline", "goods", "version")),
    Event("finding_opened", "断链预警", WARNING, 3, False, (*_PLACE, "kind", "batches", "due")),
    Event("doubt_opened", "真实性预警", WARNING, 3, False, (*_PLACE, "kind", "batches", "allowed", "told")),
    Event("task_opened", "检查任务", WARNING, 3, False, (*_PLACE, "title", "due")),
    Event("recall_closed", "召回结束", INFO, 4, False, (*_PLACE, "headline", "body", "closed"), ends="recall"),
    Event("notice", "通知", INFO, 5, False, (*_PLACE, "headline", "body", "issuer")),
    Event("finding_closed", "断链消除", INFO, 6, False, (*_PLACE, "kind", "closed")),
    Event("doubt_closed", "真实性预警消除", INFO, 6, False, (*_PLACE, "kind", "closed")),
    Event("task_closed", "任务办结", INFO, 6, False, (*_PLACE, "title", "closed")),
    Event("case_closed", "结案", INFO, 6, False, (*_PLACE, "title", "closed")),
    Event("bulletin", "月度通报", INFO, 7, False, ("division_name", "month", "edition")),
    Event("digest", "每日汇总", INFO, 7, False, ("count", "lines")),
)
EVENTS: Final = {event.name: event for event in _TABLE}

NOTICES: Final = frozenset({"recall", "order", "notice"})
"""What a person sends."""


@dataclass(frozen=True)
class Occurrence:
    """One thing that happened, once: `cause` is the same however often it is told.

    `subject` and `version` say of what it is the latest word. `facts` are the event's fields for people to read.
    """

    cause: str
    event: str
    subject: str
    version: int
    facts: dict[str, str]
    site: str | None = None
    operator: str | None = None
    division: str | None = None
    station: str | None = None
    officers: tuple[str, ...] = ()
    categories: tuple[str, ...] = field(default=())
