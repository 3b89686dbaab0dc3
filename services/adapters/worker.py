"""The one adapter service, made for each source system: its queue in, canonical bundles and answers out."""

from collections.abc import Mapping
from datetime import UTC, datetime

from chassis.message import RawMessage
from chassis.worker.consumer import consume
from chassis.worker.publisher import Bus
from contracts.topology import Queue
from services.adapters.adapt import Format
from services.adapters.bundles import bundles


def adapter(queue: Queue, formats: Mapping[str, Format]) -> type:
    """The nameko service that consumes `queue` and reads `formats`."""

    class AdapterWorker:
        name = f"adapters.{queue.name.partition('.')[0]}"
        bus = Bus()

        @consume(queue)
        def ingest(self, messages: list[RawMessage]) -> None:
            self.bus.publish(bundles(queue, formats, messages, datetime.now(UTC)))

    return AdapterWorker
