"""What each step does to goods: every step of the table makes edges, leaves goods where they are, or ends them."""

import pytest

from contracts.trace import Step
from services.trace.lineage import HANDOFFS, STAYS, TRANSFORMS, edges, ends_of, flows
from tests.unit.trace_world import event, goods


def test_every_step_has_one_lineage() -> None:
    kinds = [HANDOFFS, TRANSFORMS, STAYS, {Step.DESTROYING}]
    assert sorted(step for kind in kinds for step in kind) == sorted(Step)


@pytest.mark.parametrize("step", [Step.SLAUGHTER, Step.UNPACKING])
def test_slaughter_and_unpacking_lead_from_what_went_in_to_what_came_out(step: Step) -> None:
    done = event("E1", step, "abattoir", goods("PIGS"), goods("HALVES", "OFFAL"))
    assert edges(done) == [("PIGS@abattoir", "HALVES@abattoir"), ("PIGS@abattoir", "OFFAL@abattoir")]
    told = [(flow.node, flow.inward, flow.consumed) for flow in flows(done)]
    assert told == [
        ("PIGS@abattoir", False, False),
        ("HALVES@abattoir", True, False),
        ("OFFAL@abattoir", True, False),
    ]


@pytest.mark.parametrize("step", [Step.CHECKPOINT, Step.CLEANING])
def test_a_checkpoint_and_a_clean_down_move_nothing(step: Step) -> None:
    passed = event("E1", step, "road", goods("PIGS"), goods("PIGS"))
    assert edges(passed) == []
    assert list(flows(passed)) == []


def test_a_clean_down_without_goods_is_found_by_no_node() -> None:
    assert ends_of(Step.CLEANING, "works", "", [], []) == ([], [])
