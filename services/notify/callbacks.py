"""What providers call back, read strictly: each callback as calls of notify's own api. No I/O."""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final
from xml.etree import ElementTree

from shilian.notify.v1 import notify_pb2 as pb

STOP_WORDS: Final = re.compile(r"\s*(T|TD|R|N|退订|拒收)\s*", re.IGNORECASE)
"""What people answer to an SMS to get no more of them."""


class Unreadable(Exception):
    """A callback that is not what the provider documents."""


def report(part: Mapping[str, Any]) -> tuple[str, Any]:
    told = {"provider_id": _text(part, "biz_id"), "delivery_id": _text(part, "out_id")}
    if not any(told.values()) or not isinstance(part.get("success"), bool):
        raise Unreadable
    error = "" if part["success"] else _text(part, "err_code")
    return "RecordReceipt", _receipt(pb.CHANNEL_SMS, delivered=part["success"], error=error, **told)


def reply(part: Mapping[str, Any]) -> tuple[str, Any] | None:
    if not STOP_WORDS.fullmatch(_text(part, "content")):
        return None
    phone = _text(part, "phone_number")
    id = _once("stop", phone, _text(part, "sequence_id") or _text(part, "send_time"))
    return "RecordStop", pb.RecordStopRequest(request_id=id, channel=pb.CHANNEL_SMS, address=phone)


def event(event: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    kind = event.get("Event")
    if kind == "TEMPLATESENDJOBFINISH":
        if not event.get("MsgID"):
            raise Unreadable
        status = event.get("Status", "")
        error = "" if status == "success" else status
        yield (
            "RecordReceipt",
            _receipt(pb.CHANNEL_WECHAT, provider_id=event["MsgID"], delivered=not error, error=error),
        )
    elif kind == "subscribe_msg_popup_event" and event.get("SubscribeStatusString") == "accept":
        openid, template = event.get("FromUserName", ""), event.get("TemplateId", "")
        id = _once("grant", openid, template, event.get("CreateTime", ""))
        yield "RecordGrant", pb.RecordGrantRequest(request_id=id, openid=openid, template_id=template)


def _receipt(
    channel: pb.Channel.ValueType, *, provider_id: str, delivered: bool, error: str, delivery_id: str = ""
) -> Any:
    id = _once("receipt", str(channel), provider_id, delivery_id, str(delivered), error)
    return pb.RecordReceiptRequest(
        request_id=id,
        channel=channel,
        provider_id=provider_id,
        delivery_id=delivery_id,
        delivered=delivered,
        error=error,
    )


def _once(*parts: str) -> str:
    """The same for the same callback, however often it comes."""
    return sha256("\n".join(parts).encode()).hexdigest()


def array(body: bytes) -> list[Mapping[str, Any]]:
    try:
        parts = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Unreadable
    return parts


def elements(body: bytes) -> dict[str, str]:
    """Every element that holds text, by name; a document type, which may expand without end, is refused."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Unreadable
    return {element.tag: element.text for element in ElementTree.fromstring(body).iter() if element.text}


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
