"""The count that must close, and what publishers are given and tell."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clients.cli.letters import Letter
from demo.counting import Count, by_reason, count, elsewhere, latency
from demo.files import Sent, read_messages, write_messages
from demo.generator import Message

AT = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def _sent(id: str, records: int = 1, duplicates: int = 0, after: float = 0) -> Sent:
    return Sent(id, AT + timedelta(seconds=after), records, duplicates)


def _letter(id: str, reason: str, records: int, queue: str = "market.ingest") -> Letter:
    return Letter(id, queue, "market.sale_ticket.v1", "market.sale_ticket.v1", reason, records, ())


def test_a_count_that_closes_has_lost_nothing() -> None:
    found = count([_sent("a", 3), _sent("a", 3, 3), _sent("b", 2)], 4, [_letter("b", "no_batch", 1)])
    assert found == Count(published=8, recorded=4, duplicates=3, rejected=1)
    assert found.lost == 0


def test_what_nobody_accounts_for_is_lost() -> None:
    assert Count(10, 7, 1, 1).lost == 1


def test_the_last_line_reads_as_the_issue_asks() -> None:
    told = "demo: published 10 = recorded 7 + duplicates 1 + rejected 1; lost 1"
    assert str(Count(10, 7, 1, 1)) == told


def test_rejected_records_are_summed_by_rule_most_first() -> None:
    dead = [_letter("a", "no_site", 1), _letter("b", "no_batch", 2), _letter("c", "no_site", 3)]
    assert list(by_reason(dead).items()) == [("no_site", 4), ("no_batch", 2)]


def test_what_dies_between_our_services_is_no_senders_fault() -> None:
    refused = [_letter("a", "no_site", 1), _letter("b", "id_reused", 1, "trace.capture")]
    poison = _letter("c", "poison", 1, "inspection.events")
    unreadable = _letter("d", "invalid_value", 1, "reporting.facts")
    assert elsewhere([*refused, poison, unreadable]) == [poison, unreadable]


def test_latency_counts_from_the_first_sending() -> None:
    sent = [_sent("a"), _sent("a", after=5), _sent("b", after=1)]
    recorded = [("a", AT + timedelta(seconds=2)), ("b", AT + timedelta(seconds=2)), ("other", AT)]
    found = latency(sent, recorded)
    assert found.median == pytest.approx(2)
    assert found.p99 == pytest.approx(2)


@pytest.mark.parametrize("data", ['{"品名": "白菜"}'.encode(), '{"品名": "白菜"}'.encode("gb18030")])
def test_a_body_comes_out_of_the_file_as_it_went_in(tmp_path: Path, data: bytes) -> None:
    message = Message("market", "market.sale_ticket.v1", "m-1", AT, AT, data, 1)
    write_messages(tmp_path / "market.jsonl", [message])
    (row,) = read_messages(tmp_path / "market.jsonl")
    assert (row["id"], row["type"], row["body"]) == ("m-1", "market.sale_ticket.v1", data)
