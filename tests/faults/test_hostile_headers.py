"""What a sender can put beside the body: AMQP headers and properties that pika or py-amqp cannot carry on."""

import struct
from collections.abc import Callable
from typing import Any

import pika
import pika.data
import pytest

from contracts.topology import INGEST, MARKET_INGEST
from tests.bus import Bus
from tests.faults.pipeline import TICKET, ticket
from tests.processes import Process


class Raw(bytes):
    """A header value as its bytes on the wire."""


def nested(depth: int) -> Raw:
    value = b"V"
    for _ in range(depth):
        value = b"A" + struct.pack(">I", len(value)) + value
    return Raw(value)


@pytest.fixture(autouse=True)
def raw_values(monkeypatch: pytest.MonkeyPatch) -> None:
    encode: Callable[[list[bytes], Any], int] = pika.data.encode_value

    def encode_raw(pieces: list[bytes], value: Any) -> int:
        if not isinstance(value, Raw):
            return encode(pieces, value)
        pieces.append(value)
        return len(value)

    monkeypatch.setattr(pika.data, "encode_value", encode_raw)


HOSTILE: dict[str, dict[str, Any]] = {
    "copies": {"headers": {"CC": ["market.copy.v1"]}},
    "blind copies": {"headers": {"BCC": ["market.copy.v1"]}},
    "name of no text": {"headers": {b"\xff\xfe": "x"}},
    "content type of no text": {"content_type": b"\xff"},
    "message id of no text": {"message_id": b"\xff"},
    "time beyond all calendars": {"headers": {"when": Raw(b"T" + b"\x7f" + b"\xff" * 7)}},
    "deep array": {"headers": {"deep": nested(3_000)}},
    "death": {"headers": {"x-death": "often", "x-delivery-count": "many"}},
    "empty": {"headers": {"": ""}},
}


@pytest.mark.parametrize("properties", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_header_or_property_stops_a_consumer(
    bus: Bus, spawn: Callable[..., Process], properties: dict[str, Any]
) -> None:
    adapter = spawn("services.adapters.market", "worker", amqp_url=bus.vhost.url).wait_ready()
    bus.channel.basic_publish(INGEST, TICKET, b"no ticket", pika.BasicProperties(delivery_mode=2, **properties))
    bus.publish(INGEST, TICKET, ticket(1), ce_id="m-1")
    bus.await_message("trace.capture")
    bus.await_message(MARKET_INGEST.dead)
    assert adapter.stop() == 0, adapter.tail()
    assert bus.ready(MARKET_INGEST.name) == 0
