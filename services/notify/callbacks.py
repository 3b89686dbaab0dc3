"""What providers call back, read strictly: each callback as calls of notify's own api. No I/O."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from xml.etree import ElementTree

from shilian.notify.v1 import notify_pb2 as pb

Call = tuple[str, Any]
"""An RPC of `NotifyService` by its name, and its request."""

MOST: Final = 500
"""Receipts in one call."""

STOP_WORDS: Final = re.compile(r"\s*(T|TD|R|N|退订|拒收)\s*", re.IGNORECASE)
"""What people answer to an SMS to get no more of them."""


class Unreadable(Exception):
    """A callback that is not what the provider documents."""


def reports(body: bytes) -> list[Call]:
    """Alibaba's SmsReport: an array of receipts, told in one call or a few."""
    receipts = [_report(part) for part in _array(body)]
    pages = [receipts[begin : begin + MOST] for begin in range(0, len(receipts), MOST)]
    return [_receipts(page) for page in pages]


def replies(body: bytes) -> list[Call]:
    """Alibaba's SmsUp: an array of what people answered, of which only a STOP matters here."""
    return [_stop(part) for part in _array(body) if STOP_WORDS.fullmatch(_text(part, "content"))]


def events(body: bytes) -> list[Call]:
    """WeChat's event: TEMPLATESENDJOBFINISH is a receipt, an accepted subscription a grant."""
    event = _elements(body)
    kind = event.get("Event")
    if kind == "TEMPLATESENDJOBFINISH":
        return [_receipts([_finished(event)])]
    if kind == "subscribe_msg_popup_event" and event.get("SubscribeStatusString") == "accept":
        return [_grant(event)]
    return []


def _report(part: Mapping[str, Any]) -> pb.Receipt:
    delivered, ids = part.get("success"), (_text(part, "biz_id"), _text(part, "out_id"))
    if not any(ids) or not isinstance(delivered, bool):
        raise Unreadable
    error = "" if delivered else _text(part, "err_code")
    return pb.Receipt(channel=pb.CHANNEL_SMS, provider_id=ids[0], delivery_id=ids[1], delivered=delivered, error=error)


def _finished(event: Mapping[str, str]) -> pb.Receipt:
    id, status = event.get("MsgID"), event.get("Status", "")
    if not id:
        raise Unreadable
    delivered = status == "success"
    error = "" if delivered else status
    return pb.Receipt(channel=pb.CHANNEL_WECHAT, provider_id=id, delivered=delivered, error=error)


def _receipts(receipts: list[pb.Receipt]) -> Call:
    id = _once("receipts", *(receipt.SerializeToString(deterministic=True).hex() for receipt in receipts))
    return "RecordReceipts", pb.RecordReceiptsRequest(request_id=id, receipts=receipts)


def _stop(part: Mapping[str, Any]) -> Call:
    phone = _text(part, "phone_number")
    id = _once("stop", phone, _text(part, "sequence_id") or _text(part, "send_time"))
    return "RecordStop", pb.RecordStopRequest(request_id=id, channel=pb.CHANNEL_SMS, address=phone)


def _grant(event: Mapping[str, str]) -> Call:
    openid, template = event.get("FromUserName", ""), event.get("TemplateId", "")
    id = _once("grant", openid, template, event.get("CreateTime", ""))
    return "RecordGrant", pb.RecordGrantRequest(request_id=id, openid=openid, template_id=template)


def _once(*parts: str) -> str:
    """The same for the same callback, however often it comes."""
    return sha256("\n".join(parts).encode()).hexdigest()


def _array(body: bytes) -> list[Mapping[str, Any]]:
    try:
        parts = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Unreadable
    return parts


def _elements(body: bytes) -> dict[str, str]:
    """Every element that holds text, by name; a document type, which may expand without end, is refused."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Unreadable
    try:
        elements = ElementTree.fromstring(body).iter()
    except ElementTree.ParseError as error:
        raise Unreadable from error
    return {element.tag: element.text for element in elements if element.text}


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
