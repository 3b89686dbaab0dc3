"""The main path under faults. Each ends in: every accepted record one event, announced and answered, queues empty."""

from typing import Any

import pytest

from contracts.topology import INGEST
from tests.faults.pipeline import TICKET, Pipeline, pipeline, ticket
from tests.processes import eventually

__all__ = ["pipeline"]

SOME = range(150)
MORE = range(150, 300)
ALL = range(300)


def recorded_some(pipeline: Pipeline) -> None:
    """Waits until the work is under way."""
    eventually(lambda: pipeline.db.events.estimated_document_count(), lambda count: count > 0)


def test_a_trace_worker_killed_in_mid_batch(pipeline: Pipeline) -> None:
    pipeline.adapter()
    worker = pipeline.trace()
    pipeline.publish(SOME)
    recorded_some(pipeline)
    worker.kill()
    pipeline.publish(MORE)
    worker.restart()
    pipeline.assert_settled(ALL)


def test_an_adapter_killed_in_mid_batch(pipeline: Pipeline) -> None:
    pipeline.trace()
    adapter = pipeline.adapter()
    pipeline.publish(SOME)
    recorded_some(pipeline)
    adapter.kill()
    pipeline.publish(MORE)
    adapter.restart()
    pipeline.assert_settled(ALL)


def test_the_broker_killed_and_restarted_under_load(pipeline: Pipeline) -> None:
    pipeline.adapter()
    pipeline.trace()
    pipeline.publish(SOME)
    recorded_some(pipeline)
    pipeline.bus.close()
    pipeline.infra.broker.kill()
    pipeline.infra.broker.start()
    pipeline.infra.broker.wait_healthy()
    pipeline.bus = pipeline.connect()
    pipeline.publish(MORE)
    pipeline.assert_settled(ALL)


def test_mongod_killed_and_restarted_under_load(pipeline: Pipeline) -> None:
    pipeline.adapter()
    pipeline.trace()
    pipeline.publish(SOME)
    recorded_some(pipeline)
    pipeline.infra.mongod.kill()
    pipeline.publish(MORE)
    pipeline.infra.mongod.start()
    pipeline.infra.mongod.wait_healthy()
    pipeline.assert_settled(ALL)


def test_graceful_stops_under_load_redeliver_nothing(pipeline: Pipeline) -> None:
    workers = [pipeline.adapter(), pipeline.trace()]
    pipeline.publish(SOME)
    recorded_some(pipeline)
    for worker in workers:
        assert worker.stop() == 0, worker.tail()
    pipeline.publish(MORE)
    for worker in workers:
        worker.restart()
    pipeline.assert_settled(ALL)
    assert {verdict["outcome"] for verdict in pipeline.verdicts} == {"accepted"}


def test_two_workers_of_each_kind_share_the_load_and_double_nothing(pipeline: Pipeline) -> None:
    pipeline.publish(SOME)
    for _ in range(2):
        pipeline.adapter()
        pipeline.trace()
    pipeline.publish(MORE)
    pipeline.assert_settled(ALL)
    assert {verdict["outcome"] for verdict in pipeline.verdicts} == {"accepted"}


HOSTILE: list[Any] = [
    b"",
    b"\x00\xff\xfe",
    b"null",
    b"[]",
    b'{"lines": ' + b"[" * 5_000,
    b'{"lines": [{"quantity": NaN}]}',
    ticket(900_001, lines="none"),
    ticket(900_002, lines=[]),
    ticket(900_003, time=10**30),
    ticket(900_004, stall={"id": "\ud800".encode("utf-8", "replace").decode(), "name": "a\x00b"}),
    ticket(900_005, lines=[{"product": "x", "quantity": "9" * 60, "unit": "公斤", "batch_no": "B"}]),
    ticket(900_006, lines=[{"product": "x", "quantity": "1e-999", "unit": "公斤", "batch_no": "B"}]),
    ticket(900_007, lines=[{"product": "x" * 100_000, "quantity": "1", "unit": "公斤", "batch_no": "@ @\n$"}]),
]


HEADERS: list[dict[str, Any]] = [
    {},
    {"x_shilian_attempt": "many", "ce_time": "yesterday", "ce_id": "x" * 300, "ce_type": "market\n"},
    {"ce_id": "食" * 255, "ce_source": "catering", "deep": {"er": [{"est": b"\xff"}]}, "long": "y" * 100_000},
]


@pytest.mark.parametrize("headers", HEADERS, ids=["plain", "wrong", "large"])
def test_nothing_a_sender_writes_stops_a_consumer_or_loses_a_neighbour(
    pipeline: Pipeline, headers: dict[str, Any]
) -> None:
    pipeline.adapter()
    pipeline.trace()
    for number, hostile in enumerate(HOSTILE):
        pipeline.publish([number])
        pipeline.bus.publish(INGEST, TICKET, hostile, **headers)
        pipeline.bus.publish(INGEST, "market.no_such_thing.v1", hostile, **headers)
    wanted = {f"JC2026-{number:06}" for number in range(len(HOSTILE))}
    eventually(
        lambda: {document for document in pipeline.documents() if document in wanted}, lambda seen: seen == wanted
    )
    pipeline.stop()
    assert pipeline.bus.ready("trace.capture") == 0
    assert pipeline.bus.ready("shilian.retry.10s") == 0
    assert pipeline.bus.ready("market.ingest.dead") >= 2 * len(HOSTILE) - 4
