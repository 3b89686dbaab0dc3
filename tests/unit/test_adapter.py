"""What an adapter does with whatever a sender writes: every record is recorded or refused, and nothing raises."""

import json
from collections.abc import Sized
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.egress import Outcome, Verdict
from contracts.envelope import Envelope
from contracts.rules import RULES, Effect
from contracts.wire import MAX_LINES
from contracts.words import words
from services.adapters.adapt import MAX_BYTES, Adapted, adapt
from services.adapters.check import FORMATS, dry_run
from tests.contracts.golden import GOLDEN, Golden
from tests.unit.wired import NOON, SHOP, read

LINE = {"product": "白菜", "category": "蔬菜", "quantity": "1公斤", "batch_no": "B1"}
SALE = {"time": "2024-03-15 05:00", "stall": SHOP, "lines": [LINE]}


def sale(*lines: Any, **head: Any) -> dict[str, Any]:
    return {**SALE, "lines": list(lines), **head}


def refused(adapted: Adapted) -> list[tuple[int, str, str]]:
    """Record, field and rule of every error."""
    return [(verdict.record, error.field, error.rule) for verdict in adapted.refusals for error in verdict.errors]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "unreadable"),
        (b"{", "unreadable"),
        (b"[]", "unreadable"),
        (b"null", "unreadable"),
        (b'"text"', "unreadable"),
        (b"\xff\xfe\x00\x01", "unreadable"),
        (b"\x00", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b'{"lines":' * 5_000, "unreadable"),
        (b'{"stall": "\\ud800"}', "unreadable"),
        (b'{"time": ' + b"9" * 10_000 + b"}", "unreadable"),
        (b'{"lines": []}', "required"),
        (b"{}", "required"),
        (b'{"lines": null, "lines": 3}', "required"),
        (json.dumps({"lines": [0] * (MAX_LINES + 1)}).encode(), "too_large"),
        (b'{"lines": [' + b"0," * 1_000_000 + b"0]}", "too_large"),
        (b'{"x": "' + b"x" * MAX_BYTES + b'"}', "too_large"),
    ],
    ids=range(17),
)
def test_message_that_is_none_is_refused_as_one_record(body: bytes, rule: str) -> None:
    adapted = read("market.sale_ticket", body)
    [verdict] = adapted.refusals
    assert adapted.refused == 1
    assert (verdict.record, verdict.message_id, verdict.outcome) == (0, "m-1", Outcome.REJECTED)
    assert rule in [error.rule for error in verdict.errors]


@pytest.mark.parametrize(
    ("type", "rule"),
    [
        ("market.receipt.v1", "unknown_kind"),
        ("one_network.receipt.v1", "unknown_kind"),
        ("market", "unknown_kind"),
        ("market.sale_ticket.v2", "unknown_version"),
    ],
)
def test_unknown_kind_and_version_are_refused(type: str, rule: str) -> None:
    envelope = Envelope("m-1", "market", type, NOON)
    adapted = adapt(FORMATS["market"], envelope, json.dumps(SALE).encode(), "market", NOON)
    assert refused(adapted) == [(0, "type", rule)]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"quantity": "abc"}, "quantity", "quantity_not_a_number"),
        ({"quantity": float("nan")}, "quantity", "quantity_not_a_number"),
        ({"quantity": float("inf")}, "quantity", "quantity_not_a_number"),
        ({"quantity": int("9" * 40)}, "quantity", "quantity_not_a_number"),
        ({"quantity": int("9" * 4_000)}, "quantity", "invalid_value"),
        ({"quantity": "1e99"}, "quantity", "quantity_not_a_number"),
        ({"quantity": -1}, "quantity", "quantity_negative"),
        ({"quantity": ""}, "", ""),
        ({"batch_no": None}, "batch_no", "no_batch"),
        ({"batch_no": "———"}, "batch_no", "no_batch"),
        ({"batch_no": ["B1"]}, "batch_no", "invalid_value"),
        ({"product": "x" * 2_000}, "product", "invalid_value"),
        ({"product": {"a": 1}}, "product", "invalid_value"),
        ({"certificates": "C-1"}, "certificates", "invalid_value"),
        ({"certificates": [{}] * 501}, "certificates", "invalid_value"),
        ({"certificates": [{"kind": []}]}, "certificates.0.kind", "invalid_value"),
        ({"product": "a\x00b", "batch_no": "B\u00001"}, "", ""),
    ],
    ids=range(17),
)
def test_wrong_line_is_refused_alone_with_its_place(change: Any, field: str, rule: str) -> None:
    adapted = read("market.sale_ticket", sale(LINE, {**LINE, **change}, LINE))
    assert refused(adapted) == ([(2, field, rule)] if rule else [])
    assert [record.line for record in adapted.records] == ([1, 3] if rule else [1, 2, 3])


def test_null_bytes_do_not_reach_the_record() -> None:
    [record] = read("market.sale_ticket", sale({**LINE, "product": "a\x00b"})).records
    assert record.outputs[0].product == "a b"


@pytest.mark.parametrize(
    ("head", "field", "rule"),
    [
        ({"time": "昨天"}, "time", "time_unreadable"),
        ({"time": "9999-12-31T23:59:59-08:00"}, "time", "time_unreadable"),
        ({"time": None}, "time", "required"),
        ({"stall": None}, "stall", "required"),
        ({"stall": "A-17"}, "stall", "invalid_value"),
        ({"stall": {"name": "路边"}}, "stall", "no_site"),
        ({"stall": {"id": "无"}}, "stall", "no_site"),
        ({"time": "2024-03-15 12:11"}, "time", "time_future"),
        ({"buyer": 7}, "buyer", "invalid_value"),
    ],
)
def test_wrong_head_refuses_every_record_of_the_message(head: Any, field: str, rule: str) -> None:
    adapted = read("market.sale_ticket", sale(LINE, LINE, **head))
    assert refused(adapted) == [(1, field, rule), (2, field, rule)]
    assert not adapted.records


def test_clock_ten_minutes_ahead_is_forgiven() -> None:
    assert read("market.sale_ticket", sale(LINE, time="2024-03-15 12:09")).records
    assert read("market.sale_ticket", sale(LINE, time="2024-03-15 12:11"), at=NOON + timedelta(minutes=2)).records


def test_wrong_head_and_wrong_lines_count_each_record_once() -> None:
    adapted = read("market.sale_ticket", sale(LINE, 3, {**LINE, "quantity": "?"}, time="昨天"))
    assert sorted(verdict.record for verdict in adapted.refusals) == [1, 2, 3]


def test_error_names_the_senders_own_field_and_value() -> None:
    message = {"时间": "2024-03-15 13:00", "摊位": SHOP, "明细": [{"品名": "白菜", "批号": "无"}]}
    [verdict] = read("market.sale_ticket", message).refusals
    assert [(error.field, error.value, error.rule) for error in verdict.errors] == [
        ("时间", "2024-03-15 13:00", "time_future"),
        ("批号", "无", "no_batch"),
    ]


def test_last_of_repeated_keys_counts() -> None:
    body = json.dumps(SALE).replace('"lines"', '"lines": 7, "lines"').encode()
    assert len(read("market.sale_ticket", body).records) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_is_read_in_utf_8_or_gb18030(encoding: str) -> None:
    body = json.dumps(sale({**LINE, "product": "大白菜㐂"}), ensure_ascii=False).encode(encoding)
    [record] = read("market.sale_ticket", body).records
    assert record.outputs[0].product == "大白菜㐂"


def test_source_is_never_taken_from_the_body() -> None:
    [record] = read("market.sale_ticket", {**SALE, "source": "catering", "lines": [{**LINE, "source": "x"}]}).records
    assert record.source == "market"


def test_flags_come_with_the_record() -> None:
    [record] = read("market.sale_ticket", sale({**LINE, "quantity": "3筐"}, time="2024-03-13 05:00")).records
    assert {flag.rule for flag in record.flags} == {"late_upload", "unit_not_convertible"}


def test_record_as_large_as_the_limits_allow_is_still_a_document() -> None:
    raw = {"product": "ﷺ" * 55, "specification": "ﷺ" * 55, "trace_code": "T1", "quantity": "1" + "箱" * 100}
    dish = {"batch_no": "M1", "inputs": [raw] * 450}
    [record] = read("catering.kitchen_use", {"time": "2024-03-15", "site": SHOP, "lines": [dish]}).records
    assert len(record.model_dump_json()) < 16 << 20


KINDS = ("records", "observations", "tests", "declarations")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(golden=st.sampled_from(GOLDEN), value=json_values, data=st.data())
def test_no_value_in_any_place_raises_and_every_record_counts(golden: Golden, value: Any, data: st.DataObject) -> None:
    encoding = "gb18030" if golden.name.endswith(".gb18030") else "utf-8"
    message = json.loads(golden.body.decode(encoding))
    changed = replaced(message, data.draw(st.sampled_from(list(places(message)))), value)
    adapted = read(golden.type.removesuffix(".v1"), json.dumps(changed).encode())
    lines = next((changed[word] for word in words("lines") if changed.get(word)), None)
    parts: tuple[Sized, ...] = (adapted.records, adapted.observations, adapted.tests, adapted.declarations)
    total = sum(map(len, parts)) + adapted.refused
    assert total == (len(lines) if isinstance(lines, list) else 1)
    assert all(verdict.errors for verdict in adapted.refusals)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted({golden.type for golden in GOLDEN})), body=st.binary(max_size=200))
def test_no_bytes_raise(name: str, body: bytes) -> None:
    assert read(name.removesuffix(".v1"), body).refused == 1


def places(part: Any, path: tuple[Any, ...] = ()) -> Any:
    """Every path into a message."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def replaced(message: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The message with another value in one place."""
    changed = deepcopy(message)
    part = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return changed


def check(*lines: Any, source: str = "market", type: str | None = "market.sale_ticket.v1") -> list[Verdict]:
    told = [line if isinstance(line, str | bytes) else json.dumps(line, ensure_ascii=False) for line in lines]
    return list(dry_run(source, told, type))


def test_observation_is_never_later_than_its_arrival() -> None:
    [seen] = read("market.operator_sync", {"lines": [SHOP]}, NOON - timedelta(days=1)).observations
    assert seen.observed_at == NOON - timedelta(days=1)


def test_last_day_of_a_licence_reaches_the_registry() -> None:
    [seen] = read("market.operator_sync", {"lines": [{**SHOP, "licence_valid_until": "2027.6.30"}]}).observations
    assert seen.licence_valid_until == date(2027, 6, 30)


def test_dry_run_gives_a_verdict_on_every_record() -> None:
    verdicts = check(sale(LINE, {"quantity": "-1"}, document_no="YPT-000001"), "not json", "", SALE)
    assert [(verdict.record, verdict.outcome) for verdict in verdicts] == [
        (1, Outcome.ACCEPTED),
        (2, Outcome.REJECTED),
        (0, Outcome.REJECTED),
        (1, Outcome.ACCEPTED),
    ]
    assert verdicts[0].batches
    assert verdicts[0].event_id


def test_dry_run_reads_types_ids_and_data_from_the_lines() -> None:
    event = {"type": "market.sale_ticket.v1", "id": "T-1", "data": SALE}
    [bare] = check({"type": "market.sale_ticket.v1", **SALE}, type=None)
    [wrapped] = check(event, type=None)
    [nothing] = check(SALE, type=None)
    assert bare.outcome is Outcome.ACCEPTED
    assert (wrapped.message_id, wrapped.outcome) == ("T-1", Outcome.ACCEPTED)
    assert nothing.errors[0].rule == "unknown_kind"


def test_dry_run_tells_a_repeated_record() -> None:
    ticket = sale(LINE, document_no="YPT-000001")
    assert [verdict.outcome for verdict in check(ticket, ticket)] == [Outcome.ACCEPTED, Outcome.DUPLICATE]


def test_dry_run_knows_only_systems_there_are() -> None:
    with pytest.raises(KeyError):
        check(SALE, source="elsewhere")


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: f"{golden.type}/{golden.name}")
def test_dry_run_tells_what_the_adapter_does(golden: Golden) -> None:
    source = golden.type.partition(".")[0]
    told = [verdict.outcome for verdict in check(golden.body.replace(b"\n", b" "), source=source, type=golden.type)]
    expected = golden.expected
    assert told.count(Outcome.ACCEPTED) == sum(len(expected[kind]) for kind in KINDS)
    assert told.count(Outcome.REJECTED) == len(expected["refusals"])


def test_only_rules_of_the_table_that_refuse_are_in_refusals() -> None:
    for golden in GOLDEN:
        for refusal in golden.expected["refusals"]:
            assert all(RULES[error["rule"]].effect is Effect.REFUSE for error in refusal["errors"])
