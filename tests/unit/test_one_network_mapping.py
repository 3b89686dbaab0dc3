"""One-network: 送货单 ships, 收货单 receives, 退货单 returns."""

from typing import Any

import pytest

from contracts.identity import batch_code
from contracts.trace import Link, Step
from tests.unit.wired import FARM, SHOP, batches, one_observation, one_record

FARM_ID = "uscc:91370181MA3C5X1K0A"
OF_FARM = batch_code(lot="B1", issuer=FARM_ID)
OWN = batch_code(lot="OWN-1", issuer="uscc:91370105MA3F72T8XQ")
NOTE: Any = {"time": "2024-03-15 05:00"}


def test_delivery_and_its_receipt_name_the_same_batch_at_the_same_site() -> None:
    delivery = {**NOTE, "shipper": FARM, "consignee": SHOP, "lines": [{"batch_no": "B1"}]}
    receipt = {**NOTE, "receiver": SHOP, "supplier": FARM, "lines": [{"batch_no": "B1"}]}
    sent, received = one_record("one_network.delivery_note", delivery), one_record("one_network.receipt", receipt)
    assert (sent.step, received.step) == (Step.SHIPPING, Step.RECEIVING)
    assert batches(sent)[1] == batches(received)[0] == [OF_FARM]
    assert sent.counterparty is not None
    assert sent.counterparty.site == received.site.site == "licence:JY13701050012345"


def test_batch_is_the_same_whether_papers_name_the_supplier_by_licence_too() -> None:
    maker = {"uscc": "91370124761874300D"}
    shipper = {**maker, "licence": "SC10537012400316"}
    shipped = {**NOTE, "shipper": shipper, "lines": [{"batch_no": "B1"}]}
    received = {**NOTE, "receiver": SHOP, "supplier": maker, "lines": [{"batch_no": "B1"}]}
    assert (
        batches(one_record("one_network.delivery_note", shipped))[1]
        == batches(one_record("one_network.receipt", received))[0]
    )


def test_same_paper_from_two_apps_is_one_event() -> None:
    paper = {**NOTE, "document_no": "P-20240315-1", "supplier": FARM, "lines": [{"batch_no": "B1"}]}
    here = one_record("one_network.receipt", {**paper, "receiver": SHOP})
    there = one_record("market.entry_ticket", {**paper, "stall": SHOP})
    assert here.id == there.id
    assert (here.source, there.source) == ("one_network", "market")


@pytest.mark.parametrize(
    ("line", "batch"), [({"batch_no": "B1"}, OF_FARM), ({"batch_no": "B1", "in_batch": "OWN-1"}, OWN)]
)
def test_goods_are_returned_under_the_batch_they_were_held_under(line: Any, batch: str) -> None:
    note = {**NOTE, "site": SHOP, "supplier": FARM, "reason": "破损", "lines": [line]}
    record = one_record("one_network.return_note", note)
    assert record.step is Step.RETURNING
    assert batches(record) == ([batch], [batch])
    assert record.counterparty is not None
    assert record.counterparty.site == FARM_ID
    assert record.kdes == {"reason": "破损"}


def test_receipt_keeps_the_number_of_the_delivery_note_and_the_origin() -> None:
    line = {"batch_no": "B1", "origin": "章丘"}
    note = {**NOTE, "receiver": SHOP, "supplier": FARM, "delivery_no": "S-9", "origin": "济南", "lines": [line]}
    assert one_record("one_network.receipt", note).kdes == {"delivery_no": "S-9", "origin": "章丘"}


@pytest.mark.parametrize(
    ("word", "link"),
    [
        ("生产", Link.PRODUCTION),
        ("食品流通", Link.CIRCULATION),
        ("餐饮服务", Link.CATERING),
        ("特殊食品", Link.SPECIAL_FOOD),
        ("special_food", Link.SPECIAL_FOOD),
        ("其他", None),
        (None, None),
    ],
)
def test_link_is_read_from_its_chinese_or_english_word(word: Any, link: Link | None) -> None:
    assert one_observation("one_network.operator_sync", {**FARM, "name": "某社", "link": word}).link is link


def test_contact_joins_person_and_phone() -> None:
    supplier = {**FARM, "contact": "李建国", "phone": 13800000001}
    record = one_record(
        "one_network.receipt", {**NOTE, "receiver": SHOP, "supplier": supplier, "lines": [{"batch_no": "1"}]}
    )
    assert record.counterparty is not None
    assert record.counterparty.contact == "李建国 13800000001"
