"""What an adapter sends on for a batch: bundles, answers per source, dead letters."""

import json
from typing import Any

import pytest

from chassis.message import ERRORS, FIELD_KEPT, MAX_ERRORS, MESSAGE_ID, REASON, RECORDS, ROUTING_KEY, RawMessage
from chassis.outgoing import Outgoing
from contracts.envelope import Envelope
from contracts.topology import COMMANDS, DEAD, DOCKING_INGEST, EGRESS, MARKET_INGEST
from services.adapters import bundles as module
from services.adapters.bundles import bundles
from services.adapters.check import FORMATS
from tests.unit.wired import FARM, NOON, SHOP

GOOD = {"product": "白菜", "category": "蔬菜", "quantity": "1公斤", "batch_no": "B1"}
BAD = {**GOOD, "quantity": "-1"}


def raw(id: str, name: str, body: Any, key: str | None = None) -> RawMessage:
    envelope = Envelope(id, "claimed", name, NOON, correlation_id=f"c-{id}")
    encoded = json.dumps(body, ensure_ascii=False).encode()
    return RawMessage(envelope, encoded, key or name, {"ce-id": id, "x-other": 1})


def sale(id: str, *lines: Any) -> RawMessage:
    return raw(id, "market.sale_ticket.v1", {"time": "2024-03-15 05:00", "stall": SHOP, "lines": lines})


def sent(*messages: RawMessage) -> list[Outgoing]:
    return bundles(MARKET_INGEST, FORMATS["market"], messages, NOON)


def body(message: Outgoing) -> Any:
    return json.loads(message.body)


def test_one_bundle_carries_the_records_of_all_messages() -> None:
    [bundle] = sent(sale("m-1", GOOD, GOOD), sale("m-2", GOOD))
    assert (bundle.exchange, bundle.key) == (COMMANDS, "trace.capture.v1")
    records = body(bundle)["records"]
    assert [(record["message_id"], record["line"]) for record in records] == [("m-1", 1), ("m-1", 2), ("m-2", 1)]


def test_bundle_continues_the_first_messages_trace() -> None:
    [bundle] = sent(sale("m-1", GOOD), sale("m-2", GOOD))
    assert (bundle.headers["ce-correlationid"], bundle.headers["ce-causationid"]) == ("c-m-1", "m-1")
    assert bundle.headers["ce-source"] == "market.ingest"


def test_observations_go_to_the_registry() -> None:
    sync = raw("m-1", "market.operator_sync.v1", {"lines": [{"id": "1", "name": "甲", **FARM}]})
    [observed, captured] = sorted(sent(sync, sale("m-2", GOOD)), key=lambda message: message.key)
    assert (observed.key, captured.key) == ("registry.observe.v1", "trace.capture.v1")
    assert [seen["name"] for seen in body(observed)["observations"]] == ["甲"]


def test_refused_record_is_answered_and_its_message_kept() -> None:
    first, second, dead = sent(sale("m-1", GOOD, BAD, BAD), sale("m-2", GOOD))
    assert len(body(first)["records"]) == 2
    assert (second.exchange, second.key) == (EGRESS, "market")
    assert [verdict["record"] for verdict in body(second)["verdicts"]] == [2, 3]
    assert (dead.exchange, dead.key, dead.body) == (DEAD, "market.ingest", sale("m-1", GOOD, BAD, BAD).body)
    assert (dead.headers[REASON], dead.headers[RECORDS], dead.headers[MESSAGE_ID]) == ("quantity_negative", 2, "m-1")
    assert (dead.headers[ROUTING_KEY], dead.headers["x-other"]) == ("market.sale_ticket.v1", 1)


def test_each_source_is_answered_by_itself() -> None:
    messages = [raw(f"m-{n}", "docking.capture.v1", {}, f"docking.{n}.capture.v1") for n in ("a", "b", "a")]
    told = [
        message for message in bundles(DOCKING_INGEST, FORMATS["docking"], messages, NOON) if message.exchange == EGRESS
    ]
    assert {message.key: len(body(message)["verdicts"]) for message in told} == {"docking.a": 2, "docking.b": 1}
    assert all(body(message)["source"] == message.key for message in told)


def test_bundle_too_large_is_sent_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sale("m-1", *[GOOD] * 10)
    [one] = sent(whole)
    monkeypatch.setattr(module, "MAX_BYTES", len(one.body) // 2)
    by_size = sent(whole)
    monkeypatch.setattr(module, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(module, "MAX_ITEMS", 3)
    by_count = sent(whole)
    for parts in (by_size, by_count):
        assert len(parts) > 1
        assert [record["line"] for part in parts for record in body(part)["records"]] == list(range(1, 11))
    assert max(len(body(part)["records"]) for part in by_count) <= 3


def test_dead_letter_quotes_errors_that_fit_into_its_headers() -> None:
    _, dead = sent(sale("m-1", *[BAD] * 900))
    assert dead.headers[RECORDS] == 900
    assert len(json.loads(str(dead.headers[ERRORS]))) == MAX_ERRORS
    assert len(str(dead.headers[ERRORS]).encode()) < 64 << 10


def test_dead_letter_shortens_the_names_that_a_sender_gave_its_fields() -> None:
    line = {"time": "2024-03-15 05:00", "step": "收货", "site": FARM, "kdes": {"x" * 200_000: [1]}}
    message = raw("m-1", "docking.capture.v1", {"lines": [line]}, "docking.formula.capture.v1")
    [_, dead] = bundles(DOCKING_INGEST, FORMATS["docking"], [message], NOON)
    fields = [told["field"] for told in json.loads(str(dead.headers[ERRORS]))]
    assert fields[0].startswith("kdes.xxx")
    assert max(map(len, fields)) == FIELD_KEPT


def test_identical_bad_messages_keep_one_dead_letter_id() -> None:
    ids = [message.id for message in sent(sale("m-1", BAD), sale("m-1", BAD)) if message.exchange == DEAD]
    assert ids[0] == ids[1]
