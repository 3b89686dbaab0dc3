"""The duty ledger (履职台账): who, when, where, evidence, outcome. Rows are only ever inserted."""

from collections.abc import Iterator
from datetime import datetime

from services.inspection.documents import LedgerRow, Placed
from services.inspection.domain import Act


def lines(
    subject: str, version: int, where: Placed, action: str, act: Act, outcome: str, recorded_at: datetime
) -> Iterator[LedgerRow]:
    """A line for each officer who was there; the id makes each step one line, however often it is told.

    `recorded_at` is later than the act for what fired late.
    """
    for officer in act.present:
        yield {
            "_id": f"{subject}:{version}:{officer}",
            "at": act.at,
            "recorded_at": recorded_at,
            "officer": officer,
            "role": act.role,
            "action": action,
            "subject": subject,
            "site": where["site"],
            "site_name": where["site_name"],
            "division": where["division"],
            "areas": where["areas"],
            "location": act.location,
            "evidence": list(act.evidence),
            "outcome": outcome,
            "note": "；".join(act.items) or act.note,
        }
