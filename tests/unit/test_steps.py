"""The steps of a chain under the names that others give them."""

import pytest

from clients.cli import words
from contracts.docking import RecordIn
from contracts.steps import STEPS, EventType
from contracts.trace import Step
from services.reporting.bulletin import words as bulletin_words
from services.trace.lineage import TRANSFORMS

CBV = """
accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting decommissioning
departing destroying disassembling dispensing encoding entering_exiting holding inspecting installing killing loading
other packing picking receiving removing repackaging repairing replacing reserving retail_selling sampling
sensor_reporting shipping staging_outbound stock_taking stocking storing transforming transporting unloading unpacking
void_shipping
"""
"""The business steps of CBV 2.0, section 7.1."""


@pytest.mark.parametrize("step", Step)
def test_a_step_is_one_of_cbvs_and_is_called_the_same_wherever_it_is_read(step: Step) -> None:
    name = STEPS[step]
    assert name.biz_step in CBV.split()
    assert words.STEPS[step] == bulletin_words.STEPS[step] == name.zh


BIZ_STEPS = {
    "commissioning": {Step.FARMING},
    "creating_class_instance": {Step.HARVEST},
    "accepting": {Step.PURCHASE},
    "storing": {Step.STORING},
    "transporting": {Step.TRANSPORT},
    "transforming": {Step.SLAUGHTER, Step.MAKING, Step.KITCHEN_USE},
    "other": {Step.CLEANING},
    "unpacking": {Step.UNPACKING},
    "packing": {Step.PACKING},
    "shipping": {Step.SHIPPING, Step.RETURNING},
    "receiving": {Step.RECEIVING},
    "inspecting": {Step.CHECKPOINT},
    "retail_selling": {Step.SELLING},
    "sampling": {Step.RETAINED_SAMPLE},
    "destroying": {Step.DESTROYING},
}
"""What others exchange: another name for a step is another major version."""


def test_a_step_keeps_its_business_step() -> None:
    found: dict[str, set[Step]] = {}
    for step, name in STEPS.items():
        found.setdefault(name.biz_step, set()).add(step)
    assert found == BIZ_STEPS


@pytest.mark.parametrize("step", Step)
def test_a_step_is_understood_by_each_of_its_words(step: Step) -> None:
    """None of them is caught by a word of another step that is searched before it."""
    for word in (STEPS[step].zh, step.value, *STEPS[step].words):
        read = RecordIn.model_validate({"time": "2026-03-01 08:00", "site": {"id": "1"}, "step": word})
        assert read.step is step


def test_what_transforms_goods_is_a_transformation_and_a_clean_down_has_no_event() -> None:
    kinds = {step: name.event for step, name in STEPS.items()}
    assert {step for step, kind in kinds.items() if kind is EventType.TRANSFORMATION} == TRANSFORMS
    assert {step for step, kind in kinds.items() if kind is None} == {Step.CLEANING}
