"""WeCom group robot: a webhook whose key is its only credential; it signs nothing and answers no receipts."""

from collections.abc import Mapping
from typing import Any, Final

from services.notify.channels.http import Http
from services.notify.deliveries.retries import Accepted, Outcome, Refusal, Trouble
from services.notify.settings import NotifySettings

LONGEST: Final = 4096
"""Bytes of a Markdown message."""

_CODES: Final = {-1: Trouble.AWAY, 45009: Trouble.THROTTLED, 93000: Trouble.REFUSED}


class WeCom:
    """Markdown messages to a group."""

    def __init__(self, settings: NotifySettings, http: Http) -> None:
        self._settings = settings
        self._http = http

    def send(self, row: Mapping[str, Any]) -> Outcome:
        """Sends one message."""
        text = f"**{row['title']}**\n{row['text']}".encode()[:LONGEST].decode(errors="ignore")
        url = f"{self._settings.wecom_url}/cgi-bin/webhook/send?key={row['addresses']['wecom']}"
        answer = self._http.post_json(url, {"msgtype": "markdown", "markdown": {"content": text}})
        if isinstance(answer, Refusal):
            return answer
        code = answer.body.get("errcode")
        if code == 0:
            return Accepted()
        if not isinstance(code, int):
            return Refusal(Trouble.UNCERTAIN, "no_errcode")
        return Refusal(_CODES.get(code, Trouble.MISCONFIGURED), f"errcode_{code}")
