"""WeChat official account: template messages, under an access_token that all workers share."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from services.notify.channels.http import Http
from services.notify.deliveries.retries import Accepted, Outcome, Refusal, Trouble
from services.notify.events.templates import render
from services.notify.settings import NotifySettings

_CODES: Final = {
    -1: Trouble.AWAY,
    40003: Trouble.REFUSED,  # openid unknown
    43004: Trouble.REFUSED,  # does not follow the account
    43019: Trouble.REFUSED,  # blocked the account
    43101: Trouble.REFUSED,  # refused the subscription
    45009: Trouble.THROTTLED,  # calls used up
    45011: Trouble.THROTTLED,  # too fast
}
STALE: Final = frozenset({40001, 40014, 42001})
"""The access_token is not, or no longer, valid."""

REFRESH_LEASE: Final = timedelta(seconds=15)
EARLY: Final = timedelta(minutes=5)
"""How long before its end a token is replaced."""
WAIT_S: Final = 0.1


class Tokens:
    """The access_token in the store: fetched by one worker at a time, whoever else needs it waits for that one."""

    def __init__(self, settings: NotifySettings, http: Http, rows: "Collection[dict[str, Any]]") -> None:
        self._settings = settings
        self._http = http
        self._rows = rows

    def get(self, stale: str | None = None) -> str | Refusal:
        """A token other than the `stale` one."""
        give_up = time.monotonic() + REFRESH_LEASE.total_seconds()
        while time.monotonic() < give_up:
            row = self._rows.find_one({"_id": self._settings.wechat_app_id}) or {}
            if row.get("token") not in (None, stale) and row["expires_at"] > datetime.now(UTC) + EARLY:
                return str(row["token"])
            if self._claim(row.get("token")):
                return self._fetch(forced=stale is not None)
            time.sleep(WAIT_S)
        return Refusal(Trouble.AWAY, "access_token")

    def _claim(self, seen: str | None) -> bool:
        """Whether this caller is the one to fetch: a lease that stands is a duplicate key, and so is a token that
        somebody else has fetched since it was looked at. A second fetching would withdraw the first one's.
        """
        now = datetime.now(UTC)
        free = {"_id": self._settings.wechat_app_id, "lease_until": {"$not": {"$gt": now}}, "token": seen}
        try:
            self._rows.update_one(free, {"$set": {"lease_until": now + REFRESH_LEASE}}, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    def _fetch(self, forced: bool) -> str | Refusal:
        """`stable_token` gives the same token until it ends, so nobody's is withdrawn by another's fetching."""
        body = {
            "grant_type": "client_credential",
            "appid": self._settings.wechat_app_id,
            "secret": self._settings.wechat_secret.get_secret_value(),
            "force_refresh": forced,
        }
        answer = self._http.post_json(f"{self._settings.wechat_url}/cgi-bin/stable_token", body)
        if isinstance(answer, Refusal):
            self._keep({})
            return Refusal(Trouble.AWAY, f"access_token: {answer.code}")
        token, lasts = answer.body.get("access_token"), answer.body.get("expires_in")
        if not isinstance(token, str) or not isinstance(lasts, int):
            self._keep({})
            return Refusal(Trouble.MISCONFIGURED, f"access_token: {answer.body.get('errcode')}")
        self._keep({"token": token, "expires_at": datetime.now(UTC) + timedelta(seconds=lasts)})
        return token

    def _keep(self, told: Mapping[str, Any]) -> None:
        free = {"lease_until": datetime.fromtimestamp(0, UTC)}
        self._rows.update_one({"_id": self._settings.wechat_app_id}, {"$set": {**told, **free}})


class WeChat:
    """Template messages, under the delivery's id as `client_msg_id`."""

    def __init__(self, settings: NotifySettings, http: Http, token: Callable[..., str | Refusal]) -> None:
        self._settings = settings
        self._http = http
        self._token = token

    def send(self, row: Mapping[str, Any]) -> Outcome:
        """Sends one message; a token that went stale is replaced once."""
        token = self._token()
        if isinstance(token, Refusal):
            return token
        outcome = self._post(row, token)
        if isinstance(outcome, Refusal) and outcome.code in {f"errcode_{code}" for code in STALE}:
            fresh = self._token(token)
            return fresh if isinstance(fresh, Refusal) else self._post(row, fresh)
        return outcome

    def _post(self, row: Mapping[str, Any], token: str) -> Outcome:
        words = render(row["event"], row["facts"]).wechat
        body = {
            "touser": row["addresses"]["wechat"],
            "template_id": self._settings.wechat_template,
            "client_msg_id": row["_id"],
            "data": {name: {"value": value} for name, value in words.items()},
        }
        url = f"{self._settings.wechat_url}/cgi-bin/message/template/send?access_token={token}"
        answer = self._http.post_json(url, body)
        if isinstance(answer, Refusal):
            return answer
        code = answer.body.get("errcode")
        if code == 0:
            return Accepted(str(answer.body.get("msgid")))
        if not isinstance(code, int):
            return Refusal(Trouble.UNCERTAIN, "no_errcode")
        return Refusal(_CODES.get(code, Trouble.MISCONFIGURED), f"errcode_{code}")
