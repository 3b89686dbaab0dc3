"""Requests as rows: what a caller may ask for, checked field by field. No I/O."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from typing import Any, Final
from urllib.parse import urlsplit

from shilian.notify.v1 import notify_pb2 as pb

from chassis.api.errors import InvalidArgument
from chassis.caller import Caller
from contracts import rules
from contracts.divisions import known, scope_prefix
from contracts.egress import FieldError
from services.notify.events.events import EVENTS, INFO, NOTICES
from services.notify.grid import Audience
from services.notify.translate import word
from services.notify.writes import receipt_id

PHONE: Final = re.compile(r"1[3-9]\d{9}")
"""A mobile number in the mainland."""

MOST: Final = 500
"""Receipts in one request."""

_LINKS: Final = ("", "production", "circulation", "catering", "special_food")


def subscription(request: pb.CreateSubscriptionRequest, caller: Caller, id: str, now: datetime) -> dict[str, Any]:
    """The row of a new subscription, within the caller's scope. Raises InvalidArgument naming every wrong field."""
    asked = request.subscription
    if wrong := [*_wrong(asked, caller)]:
        raise InvalidArgument(wrong)
    is_operator = caller.role == "operator"
    return {
        "_id": id,
        "name": asked.name,
        "owner": caller.subject,
        "inbox": f"operator:{caller.operator_id}" if is_operator else f"officer:{caller.subject}",
        "division": caller.division or "",
        "events": list(asked.events),
        "divisions": list(asked.divisions),
        "operators": [caller.operator_id] if is_operator else list(asked.operators),
        "categories": list(asked.categories),
        "severity": asked.severity or INFO,
        "audience": word(pb.Audience, asked.audience, "AUDIENCE") or Audience.ADDRESS.value,
        "address": _address(asked.address),
        "channels": [word(pb.Channel, channel, "CHANNEL") for channel in asked.channels],
        "quiet": {"start": asked.quiet.start, "until": asked.quiet.until} if asked.HasField("quiet") else None,
        "digest": asked.digest,
        "created_at": now,
    }


def notice(request: pb.SendNoticeRequest, caller: Caller, id: str, now: datetime) -> dict[str, Any]:
    """The row of what a person sends, within the caller's division. Raises InvalidArgument."""
    wrong = [rules.error(name, None, "required") for name in ("title", "text") if not getattr(request, name)]
    if request.kind not in NOTICES:
        wrong.append(rules.error("kind", request.kind, "invalid_value"))
    if request.link not in _LINKS:
        wrong.append(rules.error("link", request.link, "invalid_value"))
    division = scope_prefix(request.division) if request.division else caller.division or ""
    if not division.startswith(caller.division or ""):
        wrong.append(rules.error("division", request.division, "invalid_value"))
    if wrong:
        raise InvalidArgument(wrong)
    return {
        "_id": id,
        "kind": request.kind,
        "title": request.title,
        "text": request.text,
        "issuer": caller.subject,
        "division": division,
        "link": request.link,
        "sites": list(request.site_ids),
        "at": now,
    }


def receipts(request: pb.RecordReceiptsRequest) -> Sequence[pb.Receipt]:
    """The receipts of a request. Raises InvalidArgument for too many, or one that names no message."""
    if len(request.receipts) > MOST:
        raise InvalidArgument([rules.error("receipts", len(request.receipts), "too_large")])
    if not all(receipt.provider_id or receipt.delivery_id for receipt in request.receipts):
        raise InvalidArgument([rules.error("receipts.provider_id", None, "required")])
    return request.receipts


def receipt(told: pb.Receipt, now: datetime) -> dict[str, Any]:
    """The row of a receipt, to be applied."""
    by = channel(told.channel)
    return {
        "_id": receipt_id(by, told.provider_id, told.delivery_id),
        "channel": by,
        "provider_id": told.provider_id,
        "delivery_id": told.delivery_id,
        "delivered": told.delivered,
        "error": told.error,
        "applied": False,
        "at": now,
        "look_at": now,
    }


def channel(number: int) -> str:
    """A channel that must be named. Raises InvalidArgument."""
    if named := word(pb.Channel, number, "CHANNEL"):
        return named
    raise InvalidArgument([rules.error("channel", None, "required")])


def _wrong(asked: pb.Subscription, caller: Caller) -> Iterator[FieldError]:
    for name in ("name", "events", "channels"):
        if not getattr(asked, name):
            yield rules.error(f"subscription.{name}", None, "required")
    yield from (
        rules.error("subscription.events", name, "invalid_value") for name in asked.events if name not in EVENTS
    )
    for code in asked.divisions:
        if not known(code) or not scope_prefix(code).startswith(caller.division or ""):
            yield rules.error("subscription.divisions", code, "invalid_value")
    if caller.role == "operator" and asked.audience not in (pb.AUDIENCE_UNSPECIFIED, pb.AUDIENCE_ADDRESS):
        yield rules.error("subscription.audience", asked.audience, "invalid_value")
    if asked.HasField("quiet") and not (_is_hour(asked.quiet.start) and _is_hour(asked.quiet.until)):
        yield rules.error("subscription.quiet", asked.quiet.start, "invalid_value")
    yield from _wrong_address(asked.address)


def _wrong_address(address: pb.Address) -> Iterator[FieldError]:
    if address.phone and not PHONE.fullmatch(address.phone):
        yield rules.error("subscription.address.phone", address.phone, "invalid_value")
    if address.webhook_url and urlsplit(address.webhook_url).scheme not in ("http", "https"):
        yield rules.error("subscription.address.webhook_url", address.webhook_url, "invalid_value")
    if address.webhook_url and not address.webhook_secret:
        yield rules.error("subscription.address.webhook_secret", None, "required")


def _address(address: pb.Address) -> dict[str, str]:
    return {field.name: value for field, value in address.ListFields()}


def _is_hour(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True
