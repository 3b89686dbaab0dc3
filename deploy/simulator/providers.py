"""Alibaba Cloud SMS, WeChat official account, WeCom robot and a webhook's receiver, as they answer over HTTP."""

import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deploy.simulator.faults import Behaviour, Conduct, Fault, instead
from deploy.simulator.receipts import Receipts
from deploy.simulator.sent import Outbox, Sent
from deploy.simulator.settings import SimulatorSettings
from services.notify.events.templates import words
from services.notify.hours import shown
from services.notify.signing import acs3_authorization, same, webhook_signature

PROVIDERS: Final = ("sms", "wechat", "wecom", "webhook")
TOKEN_S: Final = 7200

_SMS_BODIES: Final = {entry.sms_code: entry.sms_body for entry in words().values()}
"""The texts filed for approval, by template code."""


class Simulator:
    """All providers of one process, with one outbox."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self.outbox = Outbox()
        self.conduct = {name: Conduct() for name in PROVIDERS}
        self.receipts = Receipts(settings)
        self.tokens_fetched = 0
        self._token = ""
        self._counts: Counter[tuple[str, ...]] = Counter()

    def order(self, provider: str, orders: Behaviour) -> None:
        """Tells one provider how to behave."""
        self.conduct[provider].order(orders)

    def forget(self) -> None:
        """Nothing was sent, and nothing counted."""
        self.outbox.clear()
        self._counts.clear()

    async def sms(self, request: Request) -> Response:
        """Dysmsapi: SendSms and QuerySendDetails, once the signature is right."""
        query, body = dict(request.query_params), await request.body()
        if not self._is_signed(request, query, body):
            return self._refused(
                "sms", "SignatureDoesNotMatch", {"Code": "SignatureDoesNotMatch", "Message": "签名不符"}, 400
            )
        action = request.headers.get("x-acs-action")
        if action == "QuerySendDetails":
            return self._sms_details(query)
        return await self._sms_send(query) if action == "SendSms" else _sms_code("InvalidAction.NotFound", 404)

    async def wechat_token(self, request: Request) -> Response:
        """stable_token: the same token until it ends, unless a new one is forced."""
        asked = _object(await request.body())
        if (asked.get("appid"), asked.get("secret")) != (self.settings.wechat_app_id, self.settings.wechat_secret):
            return JSONResponse({"errcode": 40013, "errmsg": "invalid appid"})
        if not self._token or asked.get("force_refresh"):
            self.withdraw_token()
            self._token = secrets.token_hex(32)
        self.tokens_fetched += 1
        return JSONResponse({"access_token": self._token, "expires_in": TOKEN_S})

    async def wechat(self, request: Request) -> Response:
        """message/template/send, which takes one message per openid and client_msg_id."""
        asked = _object(await request.body())
        if not self._token or request.query_params.get("access_token") != self._token:
            return self._refused("wechat", "errcode_40001", {"errcode": 40001, "errmsg": "invalid credential"})
        text = "，".join(str(field.get("value")) for field in asked.get("data", {}).values())
        to, key = str(asked.get("touser")), str(asked.get("client_msg_id"))
        conduct, fault = self._begin("wechat")
        if conduct.throttles():
            return self._refused(
                "wechat", "errcode_45009", {"errcode": 45009, "errmsg": "reach max api daily quota limit"}
            )
        if fault is Fault.REFUSE:
            code = int(conduct.orders.code or 43004)
            return self._refused("wechat", f"errcode_{code}", {"errcode": code, "errmsg": "require subscribe"})
        await conduct.delay()
        if fault is not Fault.ERROR:
            message = self.outbox.known("wechat", to, key) or self._take("wechat", to, "模板消息", text, key)
        return await instead(fault) or JSONResponse({"errcode": 0, "errmsg": "ok", "msgid": int(message.id, 16)})

    async def wecom(self, request: Request) -> Response:
        """webhook/send of a group robot."""
        asked = _object(await request.body())
        conduct, fault = self._begin("wecom")
        if conduct.throttles():
            return self._refused("wecom", "errcode_45009", {"errcode": 45009, "errmsg": "api freq out of limit"})
        if fault is Fault.REFUSE:
            return self._refused("wecom", "errcode_93000", {"errcode": 93000, "errmsg": "invalid webhook url"})
        await conduct.delay()
        if fault is not Fault.ERROR:
            told = str(asked.get("markdown", {}).get("content", ""))
            title, _, text = told.partition("\n")
            self._take("wecom", request.query_params.get("key", ""), title.strip("*"), text, "")
        return await instead(fault) or JSONResponse({"errcode": 0, "errmsg": "ok"})

    async def webhook(self, request: Request) -> Response:
        """A receiver that checks the signature and takes an id once."""
        body, headers = await request.body(), request.headers
        id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
        signed = webhook_signature(self.settings.webhook_secret, id, int(stamp), body)
        if not same(signed, headers.get("webhook-signature", "")) or abs(time.time() - int(stamp)) > 300:
            return self._refused("webhook", "signature", {"error": "signature"}, 401)
        conduct, fault = self._begin("webhook")
        if conduct.throttles():
            return self._refused("webhook", "throttled", {"error": "throttled"}, 429)
        if fault is Fault.REFUSE:
            return self._refused("webhook", "gone", {"error": "gone"}, 410)
        await conduct.delay()
        told = _object(body)
        if fault is not Fault.ERROR and not self.outbox.known("webhook", request.url.path, id):
            self._take("webhook", request.url.path, str(told.get("title")), str(told.get("text")), id)
        return await instead(fault) or JSONResponse({"ok": True})

    def withdraw_token(self) -> None:
        """Every access_token given out so far is invalid from now on."""
        self._token = ""

    async def _sms_send(self, query: Mapping[str, str]) -> Response:
        conduct, fault = self._begin("sms")
        if conduct.throttles():
            return self._refused("sms", "Throttling.User", {"Code": "Throttling.User", "Message": "流控"}, 400)
        if fault is Fault.REFUSE or not re.fullmatch(r"1\d{10}", query.get("PhoneNumbers", "")):
            code = conduct.orders.code or "isv.MOBILE_NUMBER_ILLEGAL"
            return self._refused("sms", code, {"Code": code, "Message": code})
        counted = (query["SignName"], query["TemplateCode"], query["PhoneNumbers"])
        if self._counts[counted] >= self.settings.sms_limit:
            return self._refused("sms", "limit", {"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发天级流控"})
        await conduct.delay()
        if fault is not Fault.ERROR:
            self._counts[counted] += 1
            message = self._take("sms", query["PhoneNumbers"], "短信", _sms_text(query), query.get("OutId", ""))
        return await instead(fault) or _sms_code("OK", BizId=message.id)

    def _sms_details(self, query: Mapping[str, str]) -> Response:
        found = self.outbox.to("sms", query.get("PhoneNumber", ""))
        details = [
            {
                "PhoneNum": each.to,
                "OutId": each.key,
                "SendStatus": 2 if each.receipt == "失败" else 3 if each.receipt else 1,
                "Content": each.text,
                "SendDate": shown(each.at),
                "ErrCode": "UNDELIV" if each.receipt == "失败" else "DELIVERED",
            }
            for each in found
        ]
        return _sms_code("OK", TotalCount=str(len(details)), SmsSendDetailDTOs={"SmsSendDetailDTO": details})

    def _begin(self, provider: str) -> tuple[Conduct, Fault]:
        self.outbox.calls[provider] += 1
        conduct = self.conduct[provider]
        return conduct, conduct.fault()

    def _take(self, provider: str, to: str, title: str, text: str, key: str) -> Sent:
        message = self.outbox.add(Sent(provider, to, title, text, key))
        self.receipts.later(message, self.conduct[provider].orders)
        return message

    def _refused(self, provider: str, reason: str, body: Mapping[str, Any], status: int = 200) -> Response:
        self.outbox.refused[f"{provider}: {reason}"] += 1
        return JSONResponse(dict(body), status)

    def _is_signed(self, request: Request, query: Mapping[str, str], body: bytes) -> bool:
        """Signs what arrived, as the provider would, and compares."""
        told = request.headers.get("authorization", "")
        names = re.search(r"SignedHeaders=([^,]+)", told)
        if not names or request.headers.get("x-acs-content-sha256") != sha256(body).hexdigest():
            return False
        headers = {name: request.headers.get(name, "") for name in names[1].split(";")}
        key = (self.settings.sms_key_id, self.settings.sms_key_secret)
        return same(told, acs3_authorization(request.method, request.url.path, query, headers, body, *key))


def _sms_code(code: str, status: int = 200, **more: Any) -> Response:
    return JSONResponse({"Code": code, "Message": code, "RequestId": secrets.token_hex(8), **more}, status)


def _sms_text(query: Mapping[str, str]) -> str:
    """The filed text with its variables, as the phone shows it."""
    params = json.loads(query.get("TemplateParam") or "{}")
    body = _SMS_BODIES.get(query["TemplateCode"], f"【{query['SignName']}】{query['TemplateCode']}：${{all}}")
    return re.sub(r"\$\{(\w+)\}", lambda found: str(params.get(found[1], params)), body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
