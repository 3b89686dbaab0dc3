"""Every rule of the table is met by a message that somebody can really send."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shilian.registry.v1 import registry_pb2

from chassis.api.errors import InvalidArgument
from chassis.caller import Caller
from contracts import identity, inspection
from contracts.envelope import Envelope
from contracts.rules import RULES
from contracts.trace import Record
from contracts.wire import MAX_LINES
from services.adapters.adapt import adapt
from services.adapters.check import FORMATS
from services.registry.claims import claimed
from services.registry.requests import registration
from tests.processes import ROOT
from tests.unit.wired import SHOP

NOW = datetime.now(UTC)
YESTERDAY = (NOW - timedelta(hours=20)).isoformat()
LONG_AGO = (NOW - timedelta(days=9)).isoformat()
GOODS = {"product": "白菜", "category": "蔬菜", "quantity": "1", "unit": "公斤", "batch_no": "B1"}
SALE = {"time": YESTERDAY, "stall": SHOP, "buyer": SHOP, "lines": [GOODS]}
LICENCE = "SC11644200000389"
"""With its check digit right."""

Json = dict[str, Any]
Sent = tuple[str, str, Any]
"""Source, type, and body (or the bytes of one)."""


def sale(head: Json | None = None, **goods: Any) -> Sent:
    return "market", "market.sale_ticket.v1", {**SALE, **(head or {}), "lines": [{**GOODS, **goods}]}


def record(head: Json | None = None, step: str = "making", **goods: Any) -> Sent:
    line = {"step": step, "time": YESTERDAY, "site": SHOP, "outputs": [{**GOODS, **goods}], **(head or {})}
    return "docking.formula", "docking.capture.v1", {"lines": [line]}


def stall(**codes: Any) -> Sent:
    return sale({"stall": {**SHOP, **codes}})


def party(**codes: Any) -> Sent:
    return "market", "market.operator_sync.v1", {"lines": [{"name": "王记", "id": "A09", **codes}]}


def receipt(supplier: Json, **head: Any) -> Sent:
    body = {"time": YESTERDAY, "stall": SHOP, "supplier": supplier, "lines": [GOODS], **head}
    return "market", "market.entry_ticket.v1", body


def sample(quantity: str = "125", **kept: Any) -> Sent:
    body = {"time": YESTERDAY, "site": SHOP, "lines": [{**GOODS, "quantity": quantity, "unit": "克", **kept}]}
    return "catering", "catering.retained_sample.v1", body


EXPIRED = {"licence_valid_until": "2024-01-01"}
MESSAGES: dict[str, Sent] = {
    "unreadable": ("market", "market.sale_ticket.v1", b"{"),
    "too_large": ("market", "market.sale_ticket.v1", {**SALE, "lines": [GOODS] * (MAX_LINES + 1)}),
    "unknown_kind": ("market", "market.rumour.v1", SALE),
    "unknown_version": ("market", "market.sale_ticket.v9", SALE),
    "required": ("market", "market.sale_ticket.v1", {"stall": SHOP, "lines": [GOODS]}),
    "invalid_value": ("market", "market.sale_ticket.v1", {**SALE, "lines": [3]}),
    "no_site": sale({"stall": {"name": "张三"}}),
    "no_batch": sale(batch_no=None),
    "unknown_step": record(step="飞行"),
    "quantity_negative": sale(quantity="-3"),
    "quantity_not_a_number": sale(quantity="许多"),
    "time_unreadable": sale({"time": "前天"}),
    "time_future": sale({"time": (NOW + timedelta(days=2)).isoformat()}),
    "kde_missing": receipt({"name": "某农场", "uscc": "91370181MA3C5X1K0A"}),
    "unit_not_convertible": sale(unit="筐"),
    "unknown_counterparty": sale({"buyer": {"name": "某食堂"}}),
    "uscc_length": stall(uscc="91370105MA3F72T8"),
    "uscc_alphabet": stall(uscc="91370105MA3F72T8IO"),
    "uscc_check_digit": stall(uscc="91350100M000100Y44"),
    "uscc_organisation_check_digit": stall(uscc="91350100M000100031"),
    "id_number_format": party(id_number="1234567890"),
    "id_number_check_digit": party(id_number="110105194912310021"),
    "id_number_birth_date": party(id_number="110105194913310021"),
    "licence_length": stall(licence="SC116442000003"),
    "licence_check_digit": stall(licence="SC11644200000388"),
    "gtin_length": record(gtin="69012345"[:7]),
    "gtin_check_digit": record(gtin="6901234567890"),
    "ear_tag_format": record(ear_tag="437010512345678"),
    "trace_code_check_digit": sale(trace_code="SL00000000000000000"),
    "unknown_division": stall(division="999999"),
    "time_order": record(produced_on="2099-01-01"),
    "date_unreadable": record(produced_on="不知何时"),
    "late_upload": sale({"time": LONG_AGO}),
    "licence_expired": stall(**EXPIRED),
    "document_expired": sale(certificates=[{"kind": "承诺达标合格证", "number": "1", "valid_until": "2024-01-01"}]),
    "supplier_unlicensed": receipt({**SHOP, "licence": LICENCE, **EXPIRED}),
    "sample_too_small": sample("50"),
    "sample_kept_too_short": sample(kept_until=NOW.isoformat()),
}


def met(sent: Sent) -> set[str]:
    """Rules that a message of an adapter meets."""
    source, type, body = sent
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    adapted = adapt(FORMATS[source.partition(".")[0]], Envelope("m-1", source, type, NOW), raw, source, NOW)
    told = [fault.rule for verdict in adapted.refusals for fault in verdict.errors]
    found: list[Record | inspection.TestResult] = [*adapted.records, *adapted.tests]
    told += [fault.rule for part in found for fault in part.flags]
    # What a source tells of an operator is flagged by the registry, which takes it in.
    told += [str(flag["rule"]) for seen in adapted.observations for flag in claimed(seen)["flags"]]
    return {*told}


@pytest.mark.parametrize("rule", MESSAGES)
def test_a_message_meets_the_rule(rule: str) -> None:
    assert rule in met(MESSAGES[rule])


def refused_registration() -> Iterator[str]:
    site = registry_pb2.NewSite(division="370105")
    request = registry_pb2.RegisterOperatorRequest(request_id="1", name="王记", sites=[site])
    with pytest.raises(InvalidArgument) as refused:
        registration(request, Caller("o", "regulator", "37"), NOW)
    return (fault.rule for fault in refused.value.fields)


CALLS: dict[str, Callable[[], Iterator[str]]] = {"no_operator": refused_registration}
"""Rules that only a call of an api can meet: whatever names a site in a message names an operator too."""


@pytest.mark.parametrize("rule", CALLS)
def test_a_call_meets_the_rule(rule: str) -> None:
    assert rule in CALLS[rule]()


@given(st.tuples(*[st.sampled_from([None, "JY13701050012345", "91370105MA3F72T8XQ", "A09"])] * 4))
def test_whatever_names_a_site_names_an_operator(codes: tuple[str | None, ...]) -> None:
    licence, uscc, id_number, source_id = codes
    given = {"licence": licence, "uscc": uscc, "id_number": id_number, "source": "market", "source_id": source_id}
    assert not identity.site_id(**given) or identity.operator_id(**given)


JUDGED_WITH_STATE = {
    "id_reused": "tests/integration/test_trace_service.py",
    "operator_unregistered": "tests/unit/test_trace_capture.py",
    "operator_suspended": "tests/unit/test_trace_capture.py",
    "operator_revoked": "tests/unit/test_trace_capture.py",
    "unshipped_receipt": "tests/integration/test_trace_service.py",
    "possible_duplicate": "tests/unit/test_trace_capture.py",
    "not_own_event": "tests/unit/test_trace_declarations.py",
    "unknown_event": "tests/unit/test_trace_declarations.py",
    "too_many_sites": "tests/unit/test_registry_limits.py",
}
"""Rules that registry and trace judge by what is on record, and the tests that meet them."""


@pytest.mark.parametrize("rule", JUDGED_WITH_STATE)
def test_a_rule_judged_with_state_is_met_by_its_services_test(rule: str) -> None:
    assert f'"{rule}"' in (ROOT / JUDGED_WITH_STATE[rule]).read_text()


def test_no_rule_is_without_a_message() -> None:
    assert {*MESSAGES, *CALLS, *JUDGED_WITH_STATE} == {*RULES}
