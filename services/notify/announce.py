"""What notify tells others of its deliveries."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from chassis.outgoing import Outgoing, outgoing
from contracts.envelope import Envelope
from contracts.notices import DeliveriesChangedV1, DeliveryFacts

SELF: Final = "notify"


def changed(rows: Iterable[Mapping[str, Any]], parent: Envelope | None = None) -> list[Outgoing]:
    """One message for a batch of deliveries as they stand; none for none."""
    facts = tuple(map(_facts, rows))
    body = DeliveriesChangedV1(deliveries=facts)
    return [outgoing("notify.deliveries_changed.v1", body, source=SELF, parent=parent)] if facts else []


def _facts(row: Mapping[str, Any]) -> DeliveryFacts:
    return DeliveryFacts(
        id=row["_id"],
        cause=row["cause"],
        event=row["event"],
        recipient=row["recipient"],
        channel=row["channel"],
        state=row["state"],
        attempts=row["attempts"],
        version=row["version"],
        created_at=row["created_at"],
        division=row.get("division"),
        error=row.get("error"),
    )
