"""The peer of ingest: stock nameko as its documentation shows it. A message: one event, one block, one announcement."""

# ruff: noqa: E402 - the standard library must be green before anything else imports it.
import eventlet

eventlet.monkey_patch()

from datetime import UTC, datetime
from typing import Any

from kombu import Exchange, Queue
from nameko.containers import ServiceContainer
from nameko.dependency_providers import Config
from nameko.messaging import Publisher, consume
from pymongo import MongoClient

from bench import halves, plain
from bench.chain import Chain
from chassis.settings import Settings
from chassis.topology import consumed_arguments
from contracts.topology import EVENTS, TRACE_CAPTURE
from services.trace.evidence.sealing import BLOCKS
from services.trace.store import EVENTS as COLLECTION

SETTINGS = Settings()
DB: Any = MongoClient[dict[str, Any]](SETTINGS.mongo_url, w="majority").get_default_database()
CHAIN = Chain()


class StockTrace:
    """Capture on stock nameko, its settings left as they are."""

    name = "stock"
    config = Config()
    announce = Publisher(exchange=Exchange(EVENTS, "topic"), declare=[])

    @consume(Queue(TRACE_CAPTURE.name, queue_arguments=consumed_arguments(TRACE_CAPTURE)))  # type: ignore[untyped-decorator]
    def capture(self, body: dict[str, Any]) -> None:
        """Stores, seals and announces each event of a message."""
        for record in body["records"]:
            row = plain.event(record, record["message_id"], datetime.now(UTC))
            [document], block = CHAIN.seal([row], row["recorded_at"])
            DB[COLLECTION].insert_one(document)
            DB[BLOCKS].insert_one(block)
            halves.upsert(DB, [row])
            self.announce({"events": [plain.announced(row, record)]}, routing_key="trace.events_recorded.v1")


if __name__ == "__main__":
    container = ServiceContainer(StockTrace, {"AMQP_URI": SETTINGS.amqp_url})
    container.start()
    container.wait()
