"""The publisher's journal, its messages and the files it reads, without a broker."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from shilian_publisher import Event, SpoolInUseError
from shilian_publisher.message import MAX_BODY, Message, encode
from shilian_publisher.rows import read_events
from shilian_publisher.spool import Spool

SALE = "market.sale_ticket.v1"


def message(number: int) -> Message:
    return Message(str(number), SALE, {"ce-id": str(number)}, b"{}")


def ids(spool: Spool, after: int = 0) -> list[str]:
    return [entry.message.id for entry in spool.after(after, 100)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


def test_spool_keeps_messages_in_order_across_a_restart(path: Path) -> None:
    first = Spool(path)
    first.append([message(1), message(2)])
    first.append([message(3)])
    first.close()
    second = Spool(path)
    assert (ids(second), second.pending) == (["1", "2", "3"], 3)
    assert second.after(0, 1)[0].message == message(1)
    second.close()


def test_spool_forgets_only_what_was_delivered(path: Path) -> None:
    spool = Spool(path)
    spool.append(map(message, range(4)))
    spool.settle([(1, None), (3, None)])
    assert (ids(spool), spool.pending) == (["1", "3"], 2)
    spool.close()


def test_spool_never_gives_a_place_twice(path: Path) -> None:
    """A place below the last one sent would never be sent."""
    spool = Spool(path)
    spool.append([message(1)])
    spool.settle([(1, None)])
    spool.append([message(2)])
    assert ids(spool, after=1) == ["2"]
    spool.close()


def test_unroutable_message_is_set_aside_with_its_reason_until_the_spool_is_opened_again(path: Path) -> None:
    spool = Spool(path)
    spool.append([message(1), message(2)])
    spool.settle([(1, "312 NO_ROUTE")])
    assert (ids(spool), spool.pending) == (["2"], 1)
    assert spool.unroutable() == [("1", SALE, "312 NO_ROUTE")]
    spool.close()
    spool = Spool(path)
    assert (ids(spool), spool.unroutable()) == (["1", "2"], [])
    spool.close()


def test_second_publisher_on_one_spool_is_refused(path: Path) -> None:
    spool = Spool(path)
    with pytest.raises(SpoolInUseError, match=str(path)):
        Spool(path)
    spool.close()


def test_wait_until_empty_says_whether_it_is(path: Path) -> None:
    spool = Spool(path)
    assert spool.wait_until_empty(0)
    spool.append([message(1)])
    assert not spool.wait_until_empty(0)
    spool.close()


def test_event_becomes_a_binary_cloudevent() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=8)))
    sent = encode("market", Event(SALE, {"品名": "菠菜"}, "T-1", noon))
    assert (sent.id, sent.routing_key, sent.body.decode()) == ("T-1", SALE, '{"品名": "菠菜"}')
    assert sent.headers.pop("traceparent").startswith("00-")
    assert sent.headers == {
        "ce-specversion": "1.0",
        "ce-id": "T-1",
        "ce-source": "market",
        "ce-type": SALE,
        "ce-time": "2026-03-01T04:00:00Z",
    }


def test_docked_system_sends_under_its_own_prefix() -> None:
    sent = encode("docking.formula", Event("docking.capture.v1", {}))
    assert (sent.routing_key, sent.headers["ce-type"]) == ("docking.formula.capture.v1", "docking.capture.v1")


def test_bytes_are_sent_as_they_are() -> None:
    raw = "菠菜".encode("gb18030")
    assert encode("market", Event(SALE, raw)).body == raw


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        (Event("catering.unit_sync.v1", {}), "market may only send"),
        (Event("market", {}), "market may only send"),
        (Event(SALE, {}, id=""), "id ''"),
        (Event(SALE, {}, id="号" * 86), "255 bytes"),
        (Event("market." + "x" * 250, {}), "255 bytes"),
        (Event(SALE, b"x" * (MAX_BODY + 1)), "body of"),
    ],
)
def test_event_the_broker_could_never_take_is_refused_at_once(event: Event, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        encode("market", event)


def read(tmp_path: Path, name: str, content: str | bytes, type_: str | None = None) -> list[Event]:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_events(file, type_))


def test_json_line_names_its_type_or_is_of_the_type_given(tmp_path: Path) -> None:
    own = read(tmp_path, "a.jsonl", '{"type": "market.sale_ticket.v1", "单号": "1"}\n\n')
    given = read(tmp_path, "b.jsonl", '{"单号": "1"}', SALE)
    assert own == given
    assert given[0].body == {"单号": "1"}


def test_json_line_may_be_a_cloudevent(tmp_path: Path) -> None:
    line = {"type": SALE, "id": "T-1", "time": "2026-03-01T04:00:00Z", "data": {"单号": "1"}}
    [event] = read(tmp_path, "a.jsonl", json.dumps(line))
    assert event == Event(SALE, {"单号": "1"}, "T-1", datetime(2026, 3, 1, 4, tzinfo=UTC))


def test_file_sent_twice_has_the_same_ids_and_other_content_has_others(tmp_path: Path) -> None:
    first = read(tmp_path, "a.jsonl", '{"a": 1, "b": 2}\n{"a": 2}', SALE)
    again = read(tmp_path, "b.jsonl", '{"b": 2, "a": 1}', SALE)
    assert first[0].id == again[0].id != first[1].id


def test_csv_columns_nest_and_rows_of_one_document_are_one_message(tmp_path: Path) -> None:
    table = "票号,摊位.编号,明细[].品名,明细[].数量\n1,A9,菠菜,12.5\n1,A9,白菜,\n2,A9,菠菜,3\n"
    first, second = read(tmp_path, "a.csv", table, SALE)
    assert first.body == {
        "票号": "1",
        "摊位": {"编号": "A9"},
        "明细": [{"品名": "菠菜", "数量": "12.5"}, {"品名": "白菜"}],
    }
    assert second.body == {"票号": "2", "摊位": {"编号": "A9"}, "明细": [{"品名": "菠菜", "数量": "3"}]}


def test_csv_without_lists_has_a_message_per_row_even_for_equal_rows(tmp_path: Path) -> None:
    events = read(tmp_path, "a.csv", "a,b\n1,2\n1,2\n", SALE)
    assert [event.body for event in events] == [{"a": "1", "b": "2"}] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_may_come_from_a_chinese_spreadsheet(tmp_path: Path, encoding: str) -> None:
    [event] = read(tmp_path, "a.csv", "品名\n鲩鱼\n".encode(encoding), SALE)
    assert event.body == {"品名": "鲩鱼"}


@pytest.mark.parametrize(
    ("name", "content", "type_", "complaint"),
    [
        ("a.jsonl", '{"a": 1}\n{"a', SALE, "line 2"),
        ("a.jsonl", "[1]", SALE, "line 1: not a JSON object"),
        ("a.jsonl", '{"a": 1}', None, "line 1: no type"),
        ("a.jsonl", '{"type": "market.x.v1", "data": 1, "time": "noon"}', None, "line 1"),
        ("a.csv", "a\n1\n", None, "a csv has no types"),
        ("a.csv", "a\n1,2\n", SALE, "more cells than the header"),
    ],
)
def test_line_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: str, type_: str | None, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        read(tmp_path, name, content, type_)


def test_a_spool_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database " * 100)
    for path in (tmp_path / "no/such/folder.db", tmp_path / "notes.txt"):
        with pytest.raises(OSError, match=str(path)):
            Spool(path)
