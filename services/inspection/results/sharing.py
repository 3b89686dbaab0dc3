"""Shared results (检测信息共享): what is still valid of a batch and item, asked before sampling. Pure."""

from datetime import datetime, timedelta
from typing import Final

from contracts.inspection import TestKind

VALID: Final = {
    TestKind.RESIDUE_QUICK: timedelta(days=3),
    TestKind.CLENBUTEROL_QUICK: timedelta(days=3),
    TestKind.LABORATORY: timedelta(days=180),
}
"""⚠ No law says for how long; the platform's opening values: a quick test lasts as long as produce is on sale."""

LONGEST: Final = max(VALID.values())


def valid_until(kind: str, tested_at: datetime) -> datetime:
    """Until when a result spares another test of the same batch and item."""
    return tested_at + VALID[TestKind(kind)]
