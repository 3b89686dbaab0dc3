"""Alibaba Cloud SMS (Dysmsapi 2017-05-25): SendSms, and QuerySendDetails to ask what became of one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from typing import Any, Final
from urllib.parse import urlsplit

from services.notify.channels.http import Answer, Http, as_json
from services.notify.deliveries.quotas import sms_template
from services.notify.deliveries.retries import Accepted, Outcome, Refusal, Trouble
from services.notify.events.templates import render
from services.notify.hours import wall
from services.notify.settings import NotifySettings
from services.notify.signing import acs3_authorization, canonical_query

VERSION: Final = "2017-05-25"

_CODES: Final = {
    "isv.BUSINESS_LIMIT_CONTROL": Trouble.REFUSED,
    "isv.DAY_LIMIT_CONTROL": Trouble.MISCONFIGURED,
    "isv.MOBILE_NUMBER_ILLEGAL": Trouble.REFUSED,
    "isv.BLACK_KEY_CONTROL_LIMIT": Trouble.REFUSED,
    "isv.PARAM_LENGTH_LIMIT": Trouble.REFUSED,
    "isp.SYSTEM_ERROR": Trouble.AWAY,
    "isp.GATEWAY_ERROR": Trouble.UNCERTAIN,
    "ServiceUnavailable": Trouble.AWAY,
    "InternalError": Trouble.AWAY,
}
"""What the provider's codes mean; those that say nothing of the recipient mean the account."""

DELIVERED, UNDELIVERED = 3, 2
"""SendStatus of QuerySendDetails; 1 waits for the carrier."""


class Sms:
    """One phone at a time, so that each has an OutId of its own."""

    def __init__(self, settings: NotifySettings, http: Http) -> None:
        self._settings = settings
        self._http = http

    def send(self, row: Mapping[str, Any]) -> Outcome:
        """Sends one message, under the delivery's id as OutId."""
        query = {
            "PhoneNumbers": row["addresses"]["sms"],
            "SignName": self._settings.sms_sign_name,
            "TemplateCode": sms_template(self._settings, row["event"]),
            "TemplateParam": as_json(render(row["event"], row["facts"]).sms).decode(),
            "OutId": row["_id"],
        }
        answer = self._call("SendSms", query)
        return answer if isinstance(answer, Refusal) else _outcome(answer, answer.body.get("BizId"))

    def ask(self, row: Mapping[str, Any]) -> Outcome | None:
        """What became of a message: Accepted, refused by the carrier, or None when the provider has none of this id."""
        day = wall(row["first_at"]).strftime("%Y%m%d")
        query = {"PhoneNumber": row["addresses"]["sms"], "SendDate": day, "PageSize": "50", "CurrentPage": "1"}
        answer = self._call("QuerySendDetails", query)
        if isinstance(answer, Refusal):
            return answer
        if answer.body.get("Code") != "OK":
            return _outcome(answer, None)
        return _found(answer.body, row["_id"])

    def _call(self, action: str, query: Mapping[str, str]) -> Answer | Refusal:
        url = urlsplit(self._settings.sms_url)
        headers = {
            "host": url.netloc,
            "x-acs-action": action,
            "x-acs-content-sha256": sha256(b"").hexdigest(),
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": token_hex(16),
            "x-acs-version": VERSION,
        }
        secret = self._settings.sms_key_secret.get_secret_value()
        signed = acs3_authorization("POST", "/", query, headers, b"", self._settings.sms_key_id, secret)
        target = f"{self._settings.sms_url}/?{canonical_query(query)}"
        return self._http.post(target, b"", {**headers, "Authorization": signed, "Accept": "application/json"})


def _outcome(answer: Answer, provider_id: str | None) -> Outcome:
    code = str(answer.body.get("Code") or f"http_{answer.status}_without_code")
    if code == "OK":
        return Accepted(provider_id)
    if code.startswith("Throttling"):
        return Refusal(Trouble.THROTTLED, code)
    if answer.status == 200 and "Code" not in answer.body:
        return Refusal(Trouble.UNCERTAIN, code)
    return Refusal(_CODES.get(code, Trouble.MISCONFIGURED), code)


def _found(body: Mapping[str, Any], out_id: str) -> Outcome | None:
    listed = body.get("SmsSendDetailDTOs")
    details = listed.get("SmsSendDetailDTO") if isinstance(listed, dict) else None
    mine = [each for each in details or () if isinstance(each, dict) and each.get("OutId") == out_id]
    if not mine:
        return None
    if all(each.get("SendStatus") == UNDELIVERED for each in mine):
        return Refusal(Trouble.REFUSED, str(mine[0].get("ErrCode")))
    return Accepted()
