"""Who only saw goods pass, at a checkpoint or on a lorry, does not hold them."""

import pytest

from chassis.caller import Caller
from contracts.trace import Step
from services.trace import privacy
from services.trace.lineage import Event, Place
from services.trace.walks.chain import Direction
from services.trace.walks.holders import holders
from services.trace.walks.page import shown, touched
from services.trace.walks.start import Start
from services.trace.walks.walk import Walk
from tests.unit.trace_world import event, gaps, goods, harvest, receive, ship, world

FARM = Place("farm", operator="o:farm", division="370126")
ROAD = Place("road", operator="o:road", division="370214")
WORKS = Place("works", operator="o:works", division="370211")


def passing(step: Step = Step.CHECKPOINT, here: Place = ROAD) -> Event:
    return event("e3", step, here, goods("P"))


CHAIN = (
    harvest("e1", "P", FARM),
    ship("e2", "P", FARM, WORKS),
    passing(),
    receive("e4", "P", WORKS, FARM),
)


@pytest.mark.parametrize("step", [Step.CHECKPOINT, Step.TRANSPORT])
def test_no_gap_and_no_holder_where_goods_passed(step: Step) -> None:
    told = world(*CHAIN[:2], passing(step), CHAIN[3])
    back, forward = told.back("P"), told.forward("P")
    assert (set(back.nodes), gaps(back)) == ({"P@farm", "P@works"}, set())
    assert set(forward.nodes) == set(back.nodes)
    _, found = told.drive(holders(Start("P", Direction.FORWARD)))
    assert [holder.node for holder in found] == ["P@works"]


def test_what_was_seen_passing_belongs_to_what_is_told_of_the_chain() -> None:
    chain = world(*CHAIN).back("P")
    assert (chain.witnesses, "e3" in chain.events, "e3" in chain.told) == ({"P@road": "e3"}, True, True)


def test_who_saw_goods_pass_has_to_do_with_their_chain() -> None:
    told = world(*CHAIN)
    regulator = Caller("r", "regulator", division="370214")
    walk = Walk(Start("P", Direction.BACKWARD))
    told.drive(walk.run())
    assert told.drive(touched(walk, regulator))
    assert privacy.touches(told.back("P"), regulator)
    assert not privacy.touches(told.back("P"), Caller("r", "regulator", division="371302"))


@pytest.mark.parametrize(("who", "own"), [("o:farm", False), ("o:works", False), ("o:road", True)])
def test_an_operator_is_not_told_who_else_saw_the_goods(who: str, own: bool) -> None:
    caller = Caller("o", privacy.OPERATOR, operator_id=who)
    walk = Walk(Start("P", Direction.BACKWARD, passes=privacy.passes(caller)))
    page = world(*CHAIN).drive(shown(walk, caller, "", 10))
    assert page
    assert ("e3" in page.events) is own


def test_goods_known_from_the_road_alone_are_found_there() -> None:
    assert set(world(passing()).back("P").nodes) == {"P@road"}
    assert set(world(*CHAIN).back("P", site="road").nodes) == {"P@road"}


def test_who_carries_what_it_holds_holds_it() -> None:
    chain = world(*CHAIN[:2], passing(Step.TRANSPORT, WORKS), CHAIN[3]).forward("P")
    assert (set(chain.nodes), chain.witnesses) == ({"P@farm", "P@works"}, {})
