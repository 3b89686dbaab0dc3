"""The envelope: what we write, and what senders write."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import STRUCTURED, Envelope, child_traceparent, parse

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
KEY = "market.sale_ticket.v1"
BODY = '{"单号":"1"}'.encode()


def read(headers: dict[str, Any] | None, body: bytes = BODY, key: str = KEY, **more: Any) -> tuple[Envelope, bytes]:
    """`parse` at `NOW`."""
    return parse(headers, body, key, more.get("message_id"), NOW, more.get("content_type"))


def test_headers_are_read_back_as_they_were_written() -> None:
    parent = Envelope.new("market.sale_ticket.v1", "market", time=NOW)
    child = Envelope.new("trace.capture.v1", "adapters/market", parent=parent, time=NOW, subject="市场")
    assert read(child.to_headers(), key="trace.capture.v1")[0] == child


def test_a_child_joins_its_parents_correlation_and_trace() -> None:
    first = Envelope.new("a.v1", "market")
    second = Envelope.new("b.v1", "adapters/market", parent=first)
    third = Envelope.new("c.v1", "trace", parent=second)
    assert (first.correlation_id, first.causation_id) == (first.id, None)
    assert (third.correlation_id, third.causation_id) == (first.id, second.id)
    assert len({envelope.traceparent and envelope.traceparent[:36] for envelope in (first, second, third)}) == 1
    assert len({envelope.traceparent for envelope in (first, second, third)}) == 3


@pytest.mark.parametrize("parent", [None, "", "garbage", TRACE.upper()])
def test_a_trace_without_a_valid_parent_is_new_and_sampled(parent: str | None) -> None:
    traceparent = child_traceparent(parent)
    assert traceparent.startswith("00-")
    assert traceparent.endswith("-01")
    assert len(traceparent) == 55


def test_a_child_span_keeps_trace_and_sampling() -> None:
    child = child_traceparent(TRACE[:-2] + "00")
    assert child[:36] == TRACE[:36]
    assert child[36:52] != TRACE[36:52]
    assert child.endswith("-00")


@pytest.mark.parametrize("prefix", ["ce-", "cloudEvents:", "cloudEvents_"])
def test_three_prefixes_are_understood(prefix: str) -> None:
    headers = {f"{prefix}id": "7", f"{prefix}time": "2026-01-05T15:00:00+08:00", f"{prefix}type": "x.v1"}
    envelope, body = read(headers | {"traceparent": TRACE, "other": 1})
    assert (envelope.id, envelope.type, envelope.traceparent) == ("7", "x.v1", TRACE)
    assert envelope.time == datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
    assert body == BODY


def test_bare_json_is_known_by_its_routing_key() -> None:
    envelope, body = read(None)
    assert (envelope.type, envelope.source, envelope.time) == (KEY, "market", NOW)
    assert envelope.correlation_id == envelope.id
    assert body == BODY


def test_a_docked_key_carries_the_system_and_the_type_does_not() -> None:
    envelope, _ = read({}, key="docking.formula.capture.v1")
    assert (envelope.type, envelope.source) == ("docking.capture.v1", "docking.formula")


def test_the_id_falls_back_to_the_amqp_message_id_and_then_to_the_body() -> None:
    assert read({}, message_id="m7")[0].id == "m7"
    assert read({})[0].id == read({})[0].id != read({}, b"other")[0].id
    assert len(read({})[0].id) == 32


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_structured_event_is_unwrapped(encoding: str) -> None:
    event = {"specversion": "1.0", "id": 7, "type": "x.v1", "source": "s", "data": {"单号": "1"}}
    body = json.dumps(event, ensure_ascii=False).encode(encoding)
    envelope, data = read({}, body, content_type=f"{STRUCTURED}; charset={encoding}")
    assert (envelope.id, envelope.type, envelope.source) == ("7", "x.v1", "s")
    assert json.loads(data) == {"单号": "1"}


def test_structured_binary_data_is_decoded() -> None:
    body = json.dumps({"id": "7", "data_base64": base64.b64encode(BODY).decode()}).encode()
    assert read({}, body, content_type=STRUCTURED)[1] == BODY


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff\xfe\x00", b'{"data_base64":"%"}', b"[" * 100_000])
def test_a_broken_structured_body_is_handed_on(body: bytes) -> None:
    assert read({}, body, content_type=STRUCTURED)[1] == body


@pytest.mark.parametrize("value", ["", "  ", None, "x" * 256, "a\nb", "a\0b", b"\xff", {"a": 1}, 0])
def test_an_unfit_attribute_counts_as_not_given_or_is_made_printable(value: Any) -> None:
    envelope, _ = read({"ce-id": value, "ce-type": value, "ce-time": value, "traceparent": value})
    assert envelope.id.isprintable()
    assert len(envelope.id) <= 255
    assert (envelope.time, envelope.traceparent) == (NOW, None)


@pytest.mark.parametrize("time", ["2026-01-05 15:00", "yesterday", "0001-01-01T00:00:00+08:00"])
def test_an_unusable_time_is_the_time_of_receipt(time: str) -> None:
    assert read({"ce-time": time})[0].time == NOW


@given(st.dictionaries(st.text(), st.text() | st.binary() | st.integers() | st.none()), st.binary(), st.text())
def test_nothing_a_sender_writes_raises(headers: dict[str, Any], body: bytes, key: str) -> None:
    for content_type in (None, STRUCTURED):
        envelope, _ = read({"ce-id": key, **headers}, body, key, content_type=content_type)
        assert envelope.to_headers()["ce-id"]
