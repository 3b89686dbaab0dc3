"""Market: 进场登记 becomes a receipt, 一票通 a shipment or a sale, stalls and operators become observations."""

from decimal import Decimal
from typing import Any

import pytest

from contracts.identity import batch_code
from contracts.trace import Link, Step
from tests.unit.wired import FARM, SHOP, batches, one_observation, one_record

OF_FARM = batch_code(lot="B1", issuer="uscc:91370181MA3C5X1K0A")
OF_SHOP = batch_code(lot="B1", issuer="uscc:91370105MA3F72T8XQ")
OWN = batch_code(lot="OWN-1", issuer="uscc:91370105MA3F72T8XQ")
CONFORMITY = {"kind": "承诺达标合格证", "number": "C-1"}


def entry(line: Any, **head: Any) -> Any:
    return {"time": "2024-03-15 04:00", "stall": SHOP, "supplier": FARM, "lines": [line], **head}


def sale(line: Any, **head: Any) -> Any:
    return {"time": "2024-03-15 05:00", "stall": SHOP, "lines": [line], **head}


@pytest.mark.parametrize(
    ("line", "supplier", "inputs", "outputs"),
    [
        ({"batch_no": "B1"}, FARM, [OF_FARM], [OF_FARM]),
        ({"batch_no": "B1", "in_batch": "OWN-1"}, FARM, [OF_FARM], [OWN]),
        ({"in_batch": "OWN-1"}, FARM, [], [OWN]),
        ({"trace_code": "T-1", "batch_no": "B1"}, FARM, ["T-1"], ["T-1"]),
        ({"batch_no": "B1"}, {"name": "路边农户"}, [OF_SHOP], [OF_SHOP]),
        ({"batch_no": "B1"}, None, [OF_SHOP], [OF_SHOP]),
        ({"batch_no": "L9", "gtin": "6901234567892"}, FARM, *[["01/06901234567892/10/L9"]] * 2),
    ],
    ids=["supplier's", "both", "own", "trace code", "supplier unknown", "no supplier", "gtin"],
)
def test_entry_names_the_suppliers_and_the_own_batch(line: Any, supplier: Any, inputs: Any, outputs: Any) -> None:
    record = one_record("market.entry_ticket", entry(line, supplier=supplier))
    assert record.step is Step.RECEIVING
    assert batches(record) == (inputs, outputs)


@pytest.mark.parametrize(
    ("buyer", "step"),
    [({"name": "历下区实验小学"}, Step.SHIPPING), (None, Step.SELLING), ({"name": " "}, Step.SELLING)],
)
def test_sale_to_a_named_buyer_is_a_shipment(buyer: Any, step: Step) -> None:
    record = one_record("market.sale_ticket", sale({"batch_no": "B1"}, buyer=buyer))
    assert record.step is step
    assert batches(record) == ([OF_SHOP], [OF_SHOP])


def test_what_a_stall_sells_links_to_what_it_took_in_under_its_own_batch() -> None:
    taken_in = one_record("market.entry_ticket", entry({"batch_no": "B1", "in_batch": "OWN-1"}))
    sold = one_record("market.sale_ticket", sale({"batch_no": "OWN-1"}))
    assert batches(sold)[0] == batches(taken_in)[1]


@pytest.mark.parametrize(
    ("supplier", "certificates", "external"),
    [
        ({"name": "怀来果业", "division": "130724"}, [CONFORMITY], True),
        ({"name": "怀来果业", "division": "130724"}, [], False),
        ({"name": "怀来果业", "region": "省外"}, [CONFORMITY], True),
        ({"name": "某国果业", "region": "境外"}, [{"kind": "进口报关单", "number": "I-1"}], True),
        ({"name": "章丘绿源", "division": "370114"}, [CONFORMITY], False),
        ({"name": "章丘绿源", "region": "省内", "division": "130724"}, [CONFORMITY], False),
        ({"name": "怀来果业", "region": "省外"}, [{"kind": "承诺达标合格证"}], False),
    ],
)
def test_supplier_outside_the_province_is_external_when_documented(
    supplier: Any, certificates: Any, external: bool
) -> None:
    record = one_record(
        "market.entry_ticket", entry({"in_batch": "OWN-1"}, supplier=supplier, certificates=certificates)
    )
    assert record.counterparty is not None
    assert record.counterparty.external is external


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("承诺达标合格证", "conformity"),
        ("合格证", "conformity"),
        ("动物检疫合格证明", "quarantine"),
        ("检验报告", "inspection"),
        ("出厂检验合格证", "inspection"),
        ("入境货物检验检疫证明", "import"),
        ("村委会证明", "村委会证明"),
    ],
)
def test_certificates_are_told_by_their_name(name: str, kind: str) -> None:
    line = {"in_batch": "OWN-1", "certificates": [{"kind": name, "number": "N-1"}]}
    [document] = one_record("market.entry_ticket", entry(line)).documents
    assert document.kind == kind


@pytest.mark.parametrize(
    ("line", "quantity", "unit", "text"),
    [
        ({"quantity": "１２．５", "unit": "公斤"}, Decimal("12.5"), "KGM", "12.5公斤"),
        ({"quantity": "1,200 斤"}, Decimal(600), "KGM", "1,200 斤"),
        ({"quantity": 30, "unit": "筐"}, None, None, "30筐"),
        ({}, None, None, None),
    ],
)
def test_quantities_are_converted_or_kept_as_text(line: Any, quantity: Any, unit: Any, text: Any) -> None:
    [lot] = one_record("market.entry_ticket", entry({"in_batch": "OWN-1", **line})).outputs
    assert (lot.quantity, lot.unit, lot.quantity_text) == (quantity, unit, text)


@pytest.mark.parametrize(
    ("words", "days"),
    [("7天", 7), ("12个月", 360), ("１８个月", 540), ("2年", 730), (30, 30), ("见包装", None), ("99999999天", None)],
)
def test_shelf_life_is_read_in_days(words: Any, days: int | None) -> None:
    [lot] = one_record("market.entry_ticket", entry({"in_batch": "OWN-1", "shelf_life": words})).outputs
    assert lot.shelf_life_days == days


def test_stall_without_licence_is_known_by_its_number_and_its_operator_by_name_and_code() -> None:
    stall = {"id": "A-17", "name": "王记", "operator": {"name": "王秀兰", "uscc": "91370105MA3F72T8XQ", "phone": "138"}}
    seen = one_observation("market.stall_sync", stall)
    assert (seen.site, seen.operator) == ("market:A-17", "uscc:91370105MA3F72T8XQ")
    assert (seen.name, seen.site_name, seen.source_id, seen.phone) == ("王秀兰", "王记", "A-17", "138")
    assert seen.link is Link.CIRCULATION


def test_individual_is_known_by_a_pseudonym_of_the_id_number() -> None:
    seen = one_observation("market.operator_sync", {"id": "J-1", "name": "张铁柱", "id_number": "370105197804121214"})
    assert seen.operator.startswith("person:")
    assert "370105197804121214" not in seen.operator
    assert seen.site == "market:J-1"
