"""The probe on stock nameko `@consume`: what our own entrypoint is measured against (ADR 0002)."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402
import signal  # noqa: E402
from typing import Any  # noqa: E402

from kombu import Queue as KombuQueue  # noqa: E402
from nameko.containers import ServiceContainer  # noqa: E402
from nameko.messaging import consume  # noqa: E402
from pymongo import MongoClient  # noqa: E402

from chassis.settings import Settings  # noqa: E402
from chassis.topology import quorum  # noqa: E402
from tests.integration.probe_messages import STOCK  # noqa: E402

SETTINGS = Settings()
DB: Any = MongoClient[dict[str, Any]](SETTINGS.mongo_url).get_default_database()
QUEUE = KombuQueue(STOCK.name, queue_arguments=quorum())


class StockProbe:
    """Stores each message, or fails when told to, as nameko's documentation shows it."""

    name = "stock"

    @consume(QUEUE, requeue_on_error=os.environ.get("REQUEUE") == "1")  # type: ignore[untyped-decorator]
    def note(self, body: dict[str, Any]) -> None:
        DB.tries.insert_one({"id": body["id"]})
        if body.get("fail"):
            raise ValueError("told to fail")
        DB.seen.insert_one({"id": body["id"]})


if __name__ == "__main__":
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    container = ServiceContainer(StockProbe, {"AMQP_URI": SETTINGS.amqp_url})
    container.start()
    while not stopping:
        eventlet.sleep(0.05)
    container.stop()
