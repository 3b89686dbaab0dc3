"""Signed webhook, as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature`."""

import time
from collections.abc import Mapping
from typing import Any

from services.notify.channels.http import Http, as_json
from services.notify.deliveries.retries import Accepted, Outcome, Refusal, Trouble
from services.notify.signing import webhook_signature


class Webhook:
    """The event as JSON, under the delivery's id, which a receiver is to take once."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def send(self, row: Mapping[str, Any]) -> Outcome:
        """Sends one message; any 2xx is taken as received."""
        told = {name: row[name] for name in ("cause", "event", "title", "text", "facts", "division")}
        body, now = as_json({"id": row["_id"], **told}), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": row["_id"],
            "webhook-timestamp": str(now),
            "webhook-signature": webhook_signature(row["secret"] or "", row["_id"], now, body),
        }
        answer = self._http.post(row["addresses"]["webhook"], body, headers)
        if isinstance(answer, Refusal):
            return answer
        if 200 <= answer.status < 300:
            return Accepted()
        return Refusal(Trouble.REFUSED, f"http_{answer.status}")
