"""Docking: canonical records of any step, with identifiers in place of ids."""

from typing import Any

import pytest

from contracts.identity import batch_code
from contracts.trace import Party, Step
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


def test_a_clean_down_names_a_line_and_no_goods() -> None:
    cleaned = one_record("docking.capture", capture("清场", production_line="3号线", certificates=[{"number": "QC-1"}]))
    assert (cleaned.step, cleaned.production_line, batches(cleaned)) == (Step.CLEANING, "3号线", ([], []))
    assert [paper.number for paper in cleaned.documents] == ["QC-1"]
    assert cleaned.flags == ()
    unnamed = one_record("docking.capture", capture("清场"))
    assert [(flag.field, flag.rule) for flag in unnamed.flags] == [("production_line", "kde_missing")]


def test_animals_are_named_by_their_ear_tags() -> None:
    pigs = [
        {
            "batch_no": "P1",
            "ear_tag": "137018100000001",
            "ear_tags": ["１３７０１８１００００００２", "137018100000001", "9"],
        }
    ]
    slaughtered = one_record("docking.capture", capture("屠宰", inputs=pigs, outputs=[{"trace_code": "T-1"}]))
    assert slaughtered.inputs[0].ear_tags == ("137018100000001", "13701810000002", "9")
    doubts = [(flag.field, flag.value) for flag in slaughtered.flags if flag.rule == "ear_tag_format"]
    assert doubts == [("inputs[0].ear_tags", "13701810000002"), ("inputs[0].ear_tags", "9")]


def test_an_animals_ear_tag_is_its_batch_where_there_is_no_other() -> None:
    farmed = one_record("docking.capture", capture("养殖", outputs=[{"ear_tag": "137018100000001"}]))
    assert batches(farmed) == ([], [batch_code(lot="137018100000001", issuer="uscc:91370105MA3F72T8XQ")])


def test_a_key_data_element_may_be_named_in_chinese() -> None:
    oil = [{"batch_no": "B1", "category": "食用油", "specification": "散装"}]
    kdes = {"封签号": "F-1", "容器清洗记录": "QX-1", "车温": "8"}
    papers = [{"kind": "准运证", "number": "ZY-1"}]
    trip = one_record("docking.capture", capture("运输", outputs=oil, kdes=kdes, vehicle="鲁A1", certificates=papers))
    assert trip.kdes == {"seal_no": "F-1", "cleaning_record": "QX-1", "车温": "8"}
    assert trip.flags == ()


def test_a_vehicle_is_told_by_its_plate() -> None:
    shipped = (capture("发货", outputs=GOODS, vehicle=vehicle) for vehicle in ("鲁Ａ·Ｄ1234", "鲁a d1234", "三轮车"))
    assert [one_record("docking.capture", each).vehicle for each in shipped] == ["鲁AD1234", "鲁AD1234", "三轮车"]


def test_goods_from_abroad_owe_import_papers() -> None:
    abroad = {"name": "Viña", "id": "V", "region": "境外", "address": "Chile", "contact": "1"}
    seller = Party(site="docking:V", operator="docking:V", name="Viña", address="Chile", contact="1", abroad=True)
    goods = [{"batch_no": "B1", "product": "车厘子", "category": "水果", "quantity": "5公斤"}]
    bought = one_record("docking.capture", capture("收货", counterparty=abroad, inputs=goods))
    assert bought.counterparty == seller
    assert [flag.field for flag in bought.flags if flag.rule == "kde_missing"] == ["documents.import"]
    papers = [{"kind": "入境货物检验检疫证明", "number": "IM-1"}]
    documented = one_record("docking.capture", capture("收货", counterparty=abroad, inputs=goods, certificates=papers))
    assert documented.counterparty == seller.model_copy(update={"external": True})
    assert documented.flags == ()


def test_key_data_elements_get_names_that_a_store_can_hold() -> None:
    record = one_record("docking.capture", capture("making", outputs=GOODS, kdes={"$where": "1", "炉.温": 180}))
    assert record.kdes == {"_where": "1", "炉_温": "180"}


def test_papers_of_all_goods_are_the_records_own() -> None:
    paper = {"kind": "检疫证明", "number": "Q-1"}
    goods = [{"batch_no": "B1", "certificates": [paper]}, {"batch_no": "B2", "certificates": [paper]}]
    shipment = capture("shipping", outputs=goods, certificates=[{"kind": "合格证", "number": "C-1"}])
    papers = one_record("docking.capture", shipment).documents
    assert [(document.kind, document.number) for document in papers] == [("conformity", "C-1"), ("quarantine", "Q-1")]
