"""The bulletin as JSON: everything that is stored of a version, cut to a division. Pure."""

import json

from services.reporting.bulletin.composing import cut
from services.reporting.bulletin.table import Document


def render(stored: Document, division: str) -> bytes:
    """UTF-8; the same version gives the same bytes."""
    head = {name: stored[name] for name in ("month", "version", "reason", "inputs")}
    frozen_at = stored["frozen_at"].isoformat()
    body = {**head, "frozen_at": frozen_at, "division": division, **cut(stored["figures"], division)}
    return json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True).encode()
