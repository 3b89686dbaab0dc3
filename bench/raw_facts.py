"""The limit of fact_intake: the fastest loop on pika that makes reporting's writes, with no checks."""

from typing import Any

from bench import facts
from bench.raw_loop import Announcing, Taken, consume
from contracts.topology import REPORTING_FACTS


def _handle(db: Any, _: Announcing, batch: list[Taken]) -> None:
    with db.client.start_session() as session, session.start_transaction():
        for name, operations in facts.operations(taken.body for taken in batch).items():
            if operations:
                db[name].bulk_write(operations, ordered=False, session=session)


if __name__ == "__main__":
    consume({REPORTING_FACTS: _handle}, "reporting")
