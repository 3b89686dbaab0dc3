"""What trace finds by itself: broken chains and silent sites. A finding opens and closes; it is never deleted."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts.model import Contract, Whole
from contracts.trace import Category, Link


class FindingKind(StrEnum):
    """What is wrong (domain: "broken chain", "Silent")."""

    OVERDUE_SHIPMENT = "overdue_shipment"
    UNKNOWN_SOURCE = "unknown_source"
    SILENT_SITE = "silent_site"


TITLES: Final[Mapping[str, str]] = {
    FindingKind.OVERDUE_SHIPMENT: "发货逾期无人收货",
    FindingKind.UNKNOWN_SOURCE: "收货来源不明",
    FindingKind.SILENT_SITE: "静默（长期未上传）",
}
"""What people read for a kind, wherever they read it."""


class Finding(Contract):
    """One finding as it stands. `id` is deterministic: kind and what it is about; a higher `version` wins.

    `site` is whom it is laid to (the receiver that should have answered, the receiver that cites nobody, the site
    that fell silent; the sender when it names no receiver); `event_id` is the half that came or the last event of a
    silent site, `document` the number of the half's paper; `due_at` is when the other should have come, `opened_at`
    when the sweep saw that it had not.
    """

    id: str
    kind: FindingKind
    open: bool
    version: Whole
    site: str
    operator: str | None = None
    division: str | None = None
    link: Link | None = None
    counterparty: str | None = None
    event_id: str | None = None
    document: str | None = None
    batches: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None = None
    provisional: bool = False
    """`due_at` was counted through a year whose holidays are not announced."""


class FindingsChangedV1(Contract):
    """`trace.findings_changed.v1`."""

    findings: tuple[Finding, ...]
