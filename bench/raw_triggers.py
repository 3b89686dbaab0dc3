"""The limit of trigger_intake: the fastest loop on pika that makes inspection's writes and announcements, with no
checks; what the registry told of the sites is read once."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from bench import triggers
from bench.raw_loop import Announcing, Taken, consume
from contracts.registry import SiteFacts
from contracts.topology import EVENTS, INSPECTION_EVENTS
from services.inspection.store import SITES

KEY: Final = "inspection.tasks_changed.v1"


@cache
def _places(db: Any) -> triggers.Places:
    return triggers.places(map(SiteFacts.model_validate, db[SITES].find({})))


def _handle(db: Any, announcing: Announcing, batch: list[Taken]) -> None:
    written, told = triggers.decided((taken.body for taken in batch), _places(db), datetime.now(UTC))
    with db.client.start_session() as session, session.start_transaction():
        for name, operations in written.items():
            db[name].bulk_write(operations, ordered=False, session=session)
    announcing.publish(EVENTS, KEY, KEY, told)


if __name__ == "__main__":
    consume({INSPECTION_EVENTS: _handle}, "inspection")
