"""`/metrics`, `/live` and `/ready`, the same words from either runtime."""

import json
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Problems = Callable[[], list[str]]
"""Says what keeps the process from being ready (or alive); an empty list means all is well."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def answer(path: str, ready: Problems, live: Problems = list) -> Answer:
    """Answers one of the three paths; anything else is 404."""
    if path == "/metrics":
        return Answer(200, CONTENT_TYPE_LATEST, generate_latest())
    checks = {"/live": live, "/ready": ready}
    if path not in checks:
        return Answer(404, "text/plain", b"/metrics /live /ready\n")
    problems = checks[path]()
    body = json.dumps({"ok": not problems, "problems": problems}).encode()
    return Answer(503 if problems else 200, "application/json", body)
