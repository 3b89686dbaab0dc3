"""An operator's document stays below MongoDB's 16 MB, whatever the sources send."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import bson
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.calls import Call, set_current
from chassis.api.errors import Aborted
from chassis.caller import Caller
from contracts.egress import Outcome
from contracts.registry import Observation
from services.registry import domain
from services.registry.api import RegistryServicer
from services.registry.claims import MOST_CLAIMS, MOST_IDS, claimed, kept, listed
from services.registry.decision import By
from services.registry.documents import Claim, Operator
from services.registry.reading import Sight
from services.registry.roster import roster
from services.registry.standing import NOTHING

NOON = datetime(2022, 7, 1, 4, tzinfo=UTC)
USCC = "91350100M000100Y43"
CLERK = By("clerk", "regulator", "roster")
LARGEST = 16 << 20
"""Bytes of a document in MongoDB."""


def sight(number: int, site: str = "licence:JY23501110153674") -> Observation:
    return Observation(
        id=f"o{number}",
        source="catering",
        source_id=f"made-up-{number}",
        message_id="m",
        observed_at=NOON + timedelta(seconds=number),
        site=site,
        operator=f"uscc:{USCC}",
        name="济南市某餐饮管理有限公司",
        site_name="济南市某餐饮管理有限公司历下区第一分公司",
        uscc=USCC,
        licence="JY23501110153674",
        address="山东省济南市历下区经十路一万七千七百零三号华特广场一层",
        contact="王秀兰",
        phone="13800000000",
        division="370102",
    )


def told(claims: int) -> list[Claim]:
    return [claimed(sight(number)) for number in range(claims)]


def size(operator: Operator) -> int:
    return len(bson.encode(dict(operator)))


def test_50000_ids_that_a_source_made_up_for_one_site_leave_a_document_of_the_latest() -> None:
    claims = told(50_000)
    decision = domain.register([], claims[:MOST_CLAIMS], CLERK, NOON)
    for start in range(MOST_CLAIMS, len(claims), MOST_CLAIMS - MOST_IDS):
        decision = domain.register(
            [*decision.after.values()], claims[start : start + MOST_CLAIMS - MOST_IDS], CLERK, NOON
        )
    [operator] = decision.after.values()
    assert len(operator["claims"]) == MOST_IDS
    assert {claim["source_id"] for claim in operator["claims"]} == {f"made-up-{n}" for n in range(49_500, 50_000)}
    assert size(operator) < LARGEST / 8


def test_what_is_forgotten_does_not_depend_on_the_order() -> None:
    claims = told(MOST_IDS + 200)
    shuffled = Random(1).sample(claims, len(claims))
    stepwise = kept([*kept(shuffled[:400]), *shuffled[400:]])
    assert {claim["source_id"] for claim in stepwise} == {claim["source_id"] for claim in kept(claims)}
    assert len(stepwise) == MOST_IDS


@pytest.fixture(scope="module")
def full() -> Operator:
    """An operator with as many sites as it may have."""
    claims = [claimed(sight(number, f"licence:{number:016}")) for number in range(MOST_CLAIMS)]
    [operator] = domain.register([], claims, CLERK, NOON).after.values()
    return operator


def test_document_of_the_most_sites_fits(full: Operator) -> None:
    assert len(full["sites"]) == MOST_CLAIMS
    assert LARGEST / 4 < size(full) < LARGEST


def test_a_site_too_many_is_refused_by_name_and_a_known_one_still_changes(full: Operator) -> None:
    more = [sight(MOST_CLAIMS, "licence:one-too-many"), sight(0, "licence:" + "0" * 16)]
    known = more[1].model_copy(update={"id": "again", "observed_at": NOON + timedelta(days=1), "phone": "13900000000"})
    decision, verdicts = domain.observe([full], (), [more[0], known], NOON)
    refused, accepted = verdicts["catering"]
    assert (refused.outcome, refused.errors[0].rule) == (Outcome.REJECTED, "too_many_sites")
    assert accepted.outcome is Outcome.ACCEPTED
    [after] = decision.after.values()
    assert (len(after["claims"]), after["phone"]) == (MOST_CLAIMS, "13900000000")
    assert [row["kind"] for row in decision.changes] == ["observed"]
    with pytest.raises(domain.Full, match="no more are taken"):
        domain.register([full], [claimed(more[0])], CLERK, NOON)
    entry = listed(more[0], None, {"kind": "licence", "since": None, "until": None})
    assert roster.take([full], [entry], CLERK, NOON)[1:] == (0, 1)


def test_update_decided_on_an_older_sight_is_refused_even_when_it_changed_between_two_reads() -> None:
    [older] = domain.register([], told(1), CLERK, NOON).after.values()
    newer: Operator = {**older, "version": older["version"] + 1, "phone": "13900000000"}

    class Racing(RegistryServicer):
        """Somebody else's update comes between looking up the operator and reading what is decided on."""

        async def _visible(self, id: str) -> Operator:
            return older

        async def _sight(self, *keys: Any, **more: Any) -> Sight:
            return Sight([newer], NOTHING)

    def update(version: int) -> Any:
        set_current(Call("/", "", "c", None, Caller("o", "regulator", "37")))
        new = pb.Operator(operator_id=older["_id"], contact="李四", version=version)
        request = pb.UpdateOperatorRequest(operator=new, update_mask=FieldMask(paths=["contact"]))
        return asyncio.run(object.__new__(Racing)._update(request))

    with pytest.raises(Aborted, match="version is 2 now"):
        update(older["version"])
    answer, _ = update(newer["version"])
    assert (answer.operator.contact, answer.operator.phone) == ("李四", "13800000000")
