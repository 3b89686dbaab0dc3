"""HTTP to providers: urllib3, which is green in a worker, told apart by what a failure leaves open."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
)

from services.notify.deliveries.retries import Refusal, Trouble

CONNECT_S = 3.0
LARGEST_ANSWER = 64 << 10
"""Bytes of an answer that are read; garbage may be endless."""

_NOBODY = (ConnectTimeoutError, NewConnectionError, NameResolutionError, LocationParseError)


class Answer(NamedTuple):
    """What a provider answered; `body` is empty unless it is a JSON object."""

    status: int
    body: dict[str, Any]


class Http:
    """A pool of connections; `at_once` to each host."""

    def __init__(self, timeout_s: float, at_once: int) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_S, read=timeout_s)
        self._pool = urllib3.PoolManager(num_pools=64, maxsize=at_once, timeout=timeout, retries=False)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | Refusal:
        """One attempt: an answer, or the Refusal that no answer means."""
        try:
            response = self._pool.request("POST", url, body=body, headers=dict(headers), preload_content=False)
            try:
                text = response.read(LARGEST_ANSWER)
            finally:
                response.release_conn() if response.length_remaining == 0 else response.close()
        except _NOBODY as error:
            return Refusal(Trouble.AWAY, type(error).__name__)
        except MaxRetryError as error:
            return Refusal(Trouble.AWAY, type(error.reason).__name__)
        except (HTTPError, OSError) as error:
            return Refusal(Trouble.UNCERTAIN, type(error).__name__)
        return _answer(response.status, text)

    def post_json(self, url: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer | Refusal:
        """The same with a JSON body."""
        return self.post(url, as_json(body), {"Content-Type": "application/json", **(headers or {})})


def as_json(body: Any) -> bytes:
    """Compact UTF-8, as WeChat needs it: it shows escapes as they are."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _answer(status: int, text: bytes) -> Answer | Refusal:
    """A status that speaks for itself, or a JSON object; anything else leaves open what became of the message."""
    if status == 429:
        return Refusal(Trouble.THROTTLED, "http_429")
    if status in (500, 503):
        return Refusal(Trouble.AWAY, f"http_{status}")
    if status >= 502:
        return Refusal(Trouble.UNCERTAIN, f"http_{status}")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return Answer(status, {}) if 200 <= status < 300 and not text.strip() else _garbage(status)
    return Answer(status, body)


def _garbage(status: int) -> Refusal:
    return Refusal(Trouble.UNCERTAIN if status < 300 else Trouble.MISCONFIGURED, f"http_{status}_unreadable")
