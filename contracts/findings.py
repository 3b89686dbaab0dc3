"""What trace finds by itself: broken chains, silent sites, what does not look true. It opens and closes, and stays."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts.model import Contract, Whole
from contracts.trace import Category, Link


class FindingKind(StrEnum):
    """What is wrong (domain: "broken chain", "Silent", "Truth checks", "Animal chain")."""

    OVERDUE_SHIPMENT = "overdue_shipment"
    UNKNOWN_SOURCE = "unknown_source"
    QUANTITY_MISMATCH = "quantity_mismatch"
    RECEIVED_BEFORE_SHIPPED = "received_before_shipped"
    SILENT_SITE = "silent_site"
    MORE_OUT_THAN_IN = "more_out_than_in"
    YIELD_OUT_OF_RANGE = "yield_out_of_range"
    IMPOSSIBLE_TIME = "impossible_time"
    IMPOSSIBLE_PLACE = "impossible_place"
    CERTIFICATE_OVERUSED = "certificate_overused"
    CERTIFICATE_EXPIRED = "certificate_expired"
    SUPPLIER_UNLICENSED = "supplier_unlicensed"
    MEAT_WITHOUT_PAPERS = "meat_without_papers"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    HEAD_COUNT_MISMATCH = "head_count_mismatch"
    ANIMALS_NOT_ARRIVED = "animals_not_arrived"
    VEHICLE_WITH_TWO_CERTIFICATES = "vehicle_with_two_certificates"


TITLES: Final[Mapping[str, str]] = {
    FindingKind.OVERDUE_SHIPMENT: "发货逾期无人收货",
    FindingKind.UNKNOWN_SOURCE: "收货来源不明",
    FindingKind.QUANTITY_MISMATCH: "收发数量不符",
    FindingKind.RECEIVED_BEFORE_SHIPPED: "收货早于发货",
    FindingKind.SILENT_SITE: "静默（长期未上传）",
    FindingKind.MORE_OUT_THAN_IN: "出多于进（物料不平衡）",
    FindingKind.YIELD_OUT_OF_RANGE: "出品率异常",
    FindingKind.IMPOSSIBLE_TIME: "时间不可能",
    FindingKind.IMPOSSIBLE_PLACE: "地点不可能",
    FindingKind.CERTIFICATE_OVERUSED: "证明超量使用",
    FindingKind.CERTIFICATE_EXPIRED: "证明过期",
    FindingKind.SUPPLIER_UNLICENSED: "供货者当日无有效许可",
    FindingKind.MEAT_WITHOUT_PAPERS: "肉品无屠宰来源或证明",
    FindingKind.POSSIBLE_DUPLICATE: "疑似重复上报",
    FindingKind.HEAD_COUNT_MISMATCH: "检疫头数不符",
    FindingKind.ANIMALS_NOT_ARRIVED: "检疫动物逾期未到",
    FindingKind.VEHICLE_WITH_TWO_CERTIFICATES: "一车多证",
}
"""What people read for a kind, wherever they read it."""

GAPS: Final = frozenset({FindingKind.OVERDUE_SHIPMENT, FindingKind.UNKNOWN_SOURCE, FindingKind.SILENT_SITE})
"""Something was not told. Whatever else is found was told, and does not look true."""

LIVE: Final = frozenset(
    {FindingKind.HEAD_COUNT_MISMATCH, FindingKind.ANIMALS_NOT_ARRIVED, FindingKind.VEHICLE_WITH_TWO_CERTIFICATES}
)
"""Of animals on their way: people act while they still are (domain: "Animal chain")."""


class Finding(Contract):
    """One finding as it stands. `id` is deterministic: kind and what it is about; a higher `version` wins.

    `site` is whom it is laid to (the receiver that should have answered, the receiver that cites nobody, the site
    that fell silent; the sender when it names no receiver); `event_id` is the half that came or the last event of a
    silent site, `document` the number of the half's paper; `due_at` is when the other should have come, `opened_at`
    when the sweep saw that it had not. Evidence of what does not look true: the `events` that show it, what would be
    `allowed`, what was `told`, and the `tolerance` it was measured with.
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
    events: tuple[str, ...] = ()
    allowed: str | None = None
    told: str | None = None
    tolerance: str | None = None
    due_at: datetime
    opened_at: datetime
    closed_at: datetime | None = None
    provisional: bool = False
    """`due_at` was counted through a year whose holidays are not announced."""


class FindingsChangedV1(Contract):
    """`trace.findings_changed.v1`."""

    findings: tuple[Finding, ...]
