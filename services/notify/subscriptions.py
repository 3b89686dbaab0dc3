"""Who wants to be told what: matching, and the set every installation starts with. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from contracts.divisions import scope_prefix
from services.notify.events.events import EVENTS, INFO, Occurrence
from services.notify.grid import Audience

Subscription = Mapping[str, Any]
"""A row of the collection `subscriptions`."""

NIGHT: Final = {"start": "22:00", "until": "07:00"}

PUSHED: Final = ("wechat", "sms", "in_app")


def _default(
    id: str,
    name: str,
    events: Sequence[str],
    audience: Audience,
    channels: Sequence[str] = PUSHED,
    quiet: Mapping[str, str] | None = NIGHT,
    digest: bool = False,
) -> dict[str, Any]:
    return {
        "_id": f"default:{id}",
        "name": name,
        "owner": "",
        "inbox": "",
        "division": "",
        "events": list(events),
        "divisions": [],
        "operators": [],
        "categories": [],
        "severity": INFO,
        "audience": audience.value,
        "address": {},
        "channels": list(channels),
        "quiet": dict(quiet) if quiet else None,
        "digest": digest,
    }


DEFAULTS: Final = (
    # Recalls and statutory orders first: they reach whoever must act, at any hour.
    _default(
        "statutory:site",
        "召回和责令：场所专人",
        ["recall", "order", "recall_proposed", "task_rectify"],
        Audience.SITE_PERSON,
        quiet=None,
    ),
    _default("statutory:station", "召回和责令：监管所", ["recall", "order"], Audience.STATION, ["in_app"], None),
    _default("recall_proposed:station", "召回建议：监管所", ["recall_proposed"], Audience.STATION, quiet=None),
    _default("test_failed:station", "检测不合格：监管所", ["test_failed", "case_opened"], Audience.STATION, quiet=None),
    _default("finding:station", "断链预警：监管所", ["finding_opened"], Audience.STATION, quiet=None),
    _default("finding:officer", "断链预警：网格员", ["finding_opened"], Audience.CELL_OFFICER, ["in_app"]),
    _default("quarantine:station", "检疫预警：监管所", ["quarantine_alert"], Audience.STATION, quiet=None),
    _default("doubt:station", "真实性预警：监管所", ["doubt_opened"], Audience.STATION, ["in_app"]),
    _default("doubt:officer", "真实性预警：网格员", ["doubt_opened"], Audience.CELL_OFFICER, ["in_app"]),
    _default("task:officers", "检查任务：检查人员", ["task_opened", "task_overdue"], Audience.OFFICERS),
    _default("overdue:station", "任务逾期：监管所", ["task_overdue"], Audience.STATION),
    _default("notice:site", "通知：场所专人", ["notice"], Audience.SITE_PERSON),
    _default(
        "closed:station",
        "办结：监管所",
        ["finding_closed", "doubt_closed", "task_closed", "case_closed"],
        Audience.STATION,
        ["in_app"],
    ),
    # What is to be done of it was said when the recall was opened.
    _default("recall_changed:site", "召回数量变更：场所专人", ["recall_changed"], Audience.SITE_PERSON, ["in_app"]),
    _default("recall_changed:station", "召回数量变更：监管所", ["recall_changed"], Audience.STATION, ["in_app"]),
    _default("bulletin:station", "月度通报：监管所", ["bulletin"], Audience.STATION, ["in_app"]),
)
"""A row of the same id in the store stands over a default, be it changed or deleted."""


def in_force(stored: Iterable[Subscription]) -> list[Subscription]:
    """The stored ones and the defaults they leave standing."""
    rows = {row["_id"]: row for row in (*DEFAULTS, *stored)}
    return [row for row in rows.values() if not row.get("deleted")]


def heard_as(event: str) -> set[str]:
    """Names of events whose subscribers are told of this one: its own, and that of what it ends."""
    return {event, EVENTS[event].ends} - {""}


def wants(subscription: Subscription, occurrence: Occurrence, division: str | None) -> bool:
    """Whether a subscription means what happened; `division` is where, and an empty filter lets all through."""
    names = heard_as(occurrence.event)
    return (
        not names.isdisjoint(subscription["events"])
        and max(EVENTS[name].severity for name in names) >= subscription["severity"]
        and _inside(subscription, division or "")
        and _shares(subscription["operators"], [occurrence.operator])
        and _shares(subscription["categories"], occurrence.categories)
    )


def _inside(subscription: Subscription, division: str) -> bool:
    wanted = [scope_prefix(code) for code in subscription["divisions"]]
    return division.startswith(subscription["division"]) and (not wanted or division.startswith(tuple(wanted)))


def _shares(wanted: Sequence[str], told: Sequence[str | None]) -> bool:
    return not wanted or not {*wanted}.isdisjoint(told)
