"""What providers let through to one address. No I/O."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne

from services.notify.domain import Channel
from services.notify.events.templates import words
from services.notify.settings import NotifySettings
from services.notify.writes import counted, quota_key, taken_once

DAY: Final = timedelta(hours=24)


class Quota(NamedTuple):
    """A row of the ledger; without a `limit` every message needs a grant of its own."""

    key: str
    limit: int | None

    def take(self, delivery: str, now: datetime) -> UpdateOne:
        """Takes one for a delivery, if there is one left; its entry then names the delivery."""
        if self.limit is None:
            return taken_once(self.key, delivery, now)
        return counted(self.key, delivery, self.limit, DAY, now)

    def left(self, row: Mapping[str, Any] | None, now: datetime) -> int:
        """How many are left of a ledger's row."""
        if self.limit is None:
            return int((row or {}).get("left", 0))
        recent = [entry for entry in (row or {}).get("entries", ()) if entry["at"] > now - DAY]
        return max(0, self.limit - len(recent))


def quota(settings: NotifySettings, channel: str, event: str, address: str) -> Quota | None:
    """The ledger's row that a message counts in; None where the provider sets no limit per address."""
    if channel == Channel.SMS:
        parts = (settings.sms_sign_name, sms_template(settings, event), address)
        return Quota(quota_key(channel, *parts), settings.sms_notices)
    if channel == Channel.WECHAT and settings.wechat_one_time:
        return Quota(quota_key(channel, settings.wechat_template, address), None)
    return None


def sms_template(settings: NotifySettings, event: str) -> str:
    """The account's template code for an event."""
    return settings.sms_codes.get(event) or words()[event].sms_code
