"""Docking: canonical records of any step, with identifiers in place of ids."""

from typing import Any

import pytest

from contracts.identity import batch_code
from contracts.trace import Step
from tests.unit.wired import FARM, SHOP, batches, one_record, read

OF_FARM = batch_code(lot="B1", issuer="uscc:91370181MA3C5X1K0A")
OF_SHOP = batch_code(lot="B1", issuer="uscc:91370105MA3F72T8XQ")
GOODS = [{"batch_no": "B1"}]


def capture(step: Any, **fields: Any) -> Any:
    return {"lines": [{"time": "2024-03-15 05:00", "step": step, "site": SHOP, **fields}]}


@pytest.mark.parametrize(
    ("word", "step"),
    [
        ("种植", Step.FARMING),
        ("采收", Step.HARVEST),
        ("收购", Step.PURCHASE),
        ("冷库储存", Step.STORING),
        ("运输", Step.TRANSPORT),
        ("生产加工", Step.MAKING),
        ("屠宰加工", Step.SLAUGHTER),
        ("分装", Step.PACKING),
        ("拆包装", Step.UNPACKING),
        ("分拆", Step.UNPACKING),
        ("动物卫生监督道口检查", Step.CHECKPOINT),
        ("查验", Step.CHECKPOINT),
        ("进货查验", Step.RECEIVING),
        ("生产线清场", Step.CLEANING),
        ("清洁", Step.CLEANING),
        ("捕捞", Step.HARVEST),
        ("烹饪", Step.KITCHEN_USE),
        ("发货", Step.SHIPPING),
        ("收货验收", Step.RECEIVING),
        ("销售", Step.SELLING),
        ("留样", Step.RETAINED_SAMPLE),
        ("退货", Step.RETURNING),
        ("无害化处理", Step.DESTROYING),
        (" Making ", Step.MAKING),
        ("KITCHEN_USE", Step.KITCHEN_USE),
    ],
)
def test_step_is_read_from_its_chinese_or_english_word(word: str, step: Step) -> None:
    assert one_record("docking.capture", capture(word, inputs=GOODS, outputs=GOODS)).step is step


@pytest.mark.parametrize(
    ("word", "rule"),
    [("发射", "unknown_step"), (7, "unknown_step"), ("", "required"), (None, "required"), (["x"], "invalid_value")],
)
def test_step_that_is_none_is_refused(word: Any, rule: str) -> None:
    [refusal] = read("docking.capture", capture(word, outputs=GOODS)).refusals
    assert [(error.field, error.rule) for error in refusal.errors] == [("step", rule)]


@pytest.mark.parametrize(
    ("step", "inputs", "outputs", "expected"),
    [
        ("shipping", [], GOODS, ([OF_SHOP], [OF_SHOP])),
        ("storing", GOODS, [], ([OF_SHOP], [OF_SHOP])),
        ("receiving", GOODS, [], ([OF_FARM], [OF_FARM])),
        ("receiving", GOODS, GOODS, ([OF_FARM], [OF_SHOP])),
        ("making", GOODS, [{"trace_code": "T-1"}], ([OF_SHOP], ["T-1"])),
        ("harvest", [], GOODS, ([], [OF_SHOP])),
        ("destroying", GOODS, [], ([OF_SHOP], [])),
        ("making", [{"batch_no": "B1", "issuer": FARM}], [{"trace_code": "T-1"}], ([OF_FARM], ["T-1"])),
    ],
)
def test_batches_count_as_given_by_who_had_them(step: str, inputs: Any, outputs: Any, expected: Any) -> None:
    record = one_record("docking.capture", capture(step, counterparty=FARM, inputs=inputs, outputs=outputs))
    assert batches(record) == expected


def test_record_without_goods_has_no_batch() -> None:
    [refusal] = read("docking.capture", capture("making")).refusals
    assert [error.rule for error in refusal.errors] == ["no_batch"]


def test_key_data_elements_get_names_that_a_store_can_hold() -> None:
    record = one_record("docking.capture", capture("making", outputs=GOODS, kdes={"$where": "1", "炉.温": 180}))
    assert record.kdes == {"_where": "1", "炉_温": "180"}


def test_papers_of_all_goods_are_the_records_own() -> None:
    paper = {"kind": "检疫证明", "number": "Q-1"}
    goods = [{"batch_no": "B1", "certificates": [paper]}, {"batch_no": "B2", "certificates": [paper]}]
    shipment = capture("shipping", outputs=goods, certificates=[{"kind": "合格证", "number": "C-1"}])
    papers = one_record("docking.capture", shipment).documents
    assert [(document.kind, document.number) for document in papers] == [("conformity", "C-1"), ("quarantine", "Q-1")]
