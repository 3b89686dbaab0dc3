"""Catering: goods come in, raw batches become a meal batch, samples are kept, meals leave."""

from typing import Any

import pytest

from contracts.identity import batch_code
from contracts.registry import UnitKind
from contracts.trace import Link, Step
from tests.unit.wired import FARM, batches, one_observation, one_record, read

KITCHEN = {"licence": "JY23701120008766"}
KITCHEN_ID = "licence:JY23701120008766"
OF_FARM = batch_code(lot="B1", issuer="uscc:91370181MA3C5X1K0A")
OWN = batch_code(lot="OWN-1", issuer=KITCHEN_ID)
MEAL = batch_code(lot="午-1", issuer=KITCHEN_ID)


def ticket(*lines: Any, **head: Any) -> Any:
    return {"time": "2024-03-15 10:00", "site": KITCHEN, "lines": list(lines), **head}


def dish(*raws: Any) -> Any:
    return ticket(
        {"product": "白菜豆腐", "batch_no": "午-1", "quantity": "300份", "meal": "午餐", "inputs": list(raws)}
    )


@pytest.mark.parametrize(
    ("raw", "batch"),
    [
        ({"trace_code": "T-1", "in_batch": "OWN-1"}, "T-1"),
        ({"in_batch": "OWN-1", "batch_no": "B1", "supplier": FARM}, OWN),
        ({"batch_no": "B1", "supplier": FARM}, OF_FARM),
        ({"batch_no": "OWN-1"}, OWN),
    ],
    ids=["trace code", "own code", "supplier's batch", "no supplier"],
)
def test_raw_goods_are_found_under_the_batch_the_kitchen_holds(raw: Any, batch: str) -> None:
    record = one_record("catering.kitchen_use", dish(raw))
    assert record.step is Step.KITCHEN_USE
    assert batches(record) == ([batch], [MEAL])


def test_what_a_kitchen_uses_links_to_what_it_took_in() -> None:
    line = {"batch_no": "B1", "in_batch": "OWN-1"}
    taken_in = one_record("catering.purchase_inspection", ticket(line, supplier=FARM, inspector="孙老师"))
    used = one_record("catering.kitchen_use", dish({"in_batch": "OWN-1"}))
    assert batches(used)[0] == batches(taken_in)[1]
    assert taken_in.kdes == {"inspector": "孙老师"}


def test_raw_goods_without_a_batch_are_left_out_and_flagged() -> None:
    record = one_record("catering.kitchen_use", dish({"product": "盐"}, {"product": "豆腐", "trace_code": "T-1"}))
    assert batches(record) == (["T-1"], [MEAL])
    [flag] = record.flags
    assert (flag.field, flag.value, flag.rule) == ("inputs[0].batch", "盐", "kde_missing")


def test_dish_without_a_batch_is_refused() -> None:
    [refusal] = read("catering.kitchen_use", ticket({"菜名": "炒饭", "食材": [{"追溯码": "T-1"}]})).refusals
    assert [(error.field, error.rule) for error in refusal.errors] == [("batch_no", "no_batch")]


def test_meal_sample_and_distribution_name_one_batch() -> None:
    cooked = one_record("catering.kitchen_use", dish({"trace_code": "T-1"}))
    sampling = {"kept_until": "2024-03-17 10:00", "sampled_by": "刘芳"}
    sample = {"batch_no": "午-1", "product": "白菜豆腐", "quantity": "150克", **sampling}
    kept = one_record("catering.retained_sample", ticket(sample))
    meal = {"batch_no": "午-1", "quantity": 200, "unit": "份", "consignee": FARM, "diners": 200}
    left = one_record("catering.meal_distribution", ticket(meal))
    assert batches(kept) == ([MEAL], [])
    assert batches(left) == ([MEAL], [MEAL])
    assert batches(cooked)[1] == [MEAL]
    assert kept.kdes == sampling
    assert (left.step, left.kdes) == (Step.SHIPPING, {"diners": "200"})
    assert not kept.flags


def test_each_meal_goes_to_its_own_school() -> None:
    meals = [{"batch_no": "午-1", "consignee": {"uscc": FARM["uscc"], "local_number": number}} for number in ("1", "2")]
    records = read("catering.meal_distribution", ticket(*meals, document_no="PS-1")).records
    assert [record.counterparty and record.counterparty.site for record in records] == [
        "uscc:91370181MA3C5X1K0A:1",
        "uscc:91370181MA3C5X1K0A:2",
    ]
    assert len({record.id for record in records}) == 2


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("学校食堂", UnitKind.SCHOOL_CANTEEN),
        ("幼儿园食堂", UnitKind.SCHOOL_CANTEEN),
        ("集体用餐配送单位", UnitKind.GROUP_MEAL),
        ("中央厨房", UnitKind.CENTRAL_KITCHEN),
        ("central_kitchen", UnitKind.CENTRAL_KITCHEN),
        ("小餐馆", None),
        (None, None),
    ],
)
def test_unit_kind_is_read_from_the_apps_word(word: Any, kind: UnitKind | None) -> None:
    seen = one_observation("catering.unit_sync", {**KITCHEN, "餐饮类型": word, "name": "某单位"})
    assert seen.unit_kind is kind
    assert seen.link is Link.CATERING
