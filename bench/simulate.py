"""A recall simulated to 10,000 holders among 200,000 events: what, where, how much, whom to notify, beside its walk."""

import copy
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Final

from bson import Decimal128
from pydantic_core import from_json

from bench import notes, plain
from bench.bare import DIVISION
from bench.ground import Field, Ground
from bench.hearing import Wrong
from bench.result import Result, Side, measured
from bench.seeding import seed
from chassis import clock
from chassis.asking import answered
from chassis.garbage import collect_seldom
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Link
from services.trace import store
from services.trace.recalls.portions import Fate
from services.trace.recalls.simulation import beginning, simulate
from services.trace.walks import store as walk_store
from services.trace.walks.walk import Walk

EVENTS: Final = 200_000
BATCH: Final = "SL1"
HOLDERS: Final = 10_000
HANDED_TO: Final = 3
"""The maker hands the batch on to three, each of these to three more; everybody keeps a kilogram."""

HANDOFFS: Final = HOLDERS - 1
"""Each told by both sides: two events. The maker's own record is one more."""

TIMES: Final = 3


def recall_simulate(ground: Ground, rounds: int) -> Result:
    """The simulation, encoding apart, through the walk that it stands on."""
    with ground.field(store.COLLECTIONS) as field:
        seed(field, store.EVENTS, documents, EVENTS)
        field.db[store.SITES].insert_many([_site(number) for number in range(HOLDERS)])
        # As the processes that walk do.
        collect_seldom()
        walked = Side("its walk", _times(lambda: _walked(field)), 1 / 3)
        return measured("recall_simulate", "simulations/s", rounds, ours=_times(lambda: _held(field)), limit=walked)


def _times(found: Callable[[], int]) -> Callable[[], float]:
    """A trial: runs per second. Raises Wrong when one did not find every holder."""

    def trial() -> float:
        started = time.monotonic()
        for _ in range(TIMES):
            if (count := found()) != HOLDERS:
                raise Wrong(f"found {count} of {HOLDERS} holders")
        return TIMES / (time.monotonic() - started)

    return trial


def _walked(field: Field) -> int:
    return len(_answered(Walk(beginning([BATCH], clock.recorded())).run(), field).nodes)


def _held(field: Field) -> int:
    """How many hold a kilogram each, with somebody to call, when all that was made is located."""
    found = _answered(simulate(beginning([BATCH], clock.recorded()), clock.now()), field)
    kilogram = Decimal(1)
    held = [each for each in found.portions if each.fate is Fate.HELD and each.amount.quantity == kilogram]
    if found.share != 1 or not all(held.place.contact for held in found.nodes.values()):
        raise Wrong("goods not located, or nobody to call")
    return len(held)


def _answered(steps: Any, field: Field) -> Any:
    def answer(asked: Any) -> list[Any]:
        query = walk_store.query(asked)
        return walk_store.reply(asked, field.db[query.collection].find(query.filter, query.fields))

    return answered(steps, answer)


def documents(numbers: range) -> Iterator[dict[str, Any]]:
    """What was made, both halves of the chain's handoffs, then shipments of other batches."""
    for number in numbers:
        edge, told = divmod(number - 1, 2)
        if number == 0:
            yield _event(number, "harvest", BATCH, 0, 0, HOLDERS)
        elif edge < HANDOFFS:
            step = "receiving" if told else "shipping"
            yield _event(number, step, BATCH, edge // HANDED_TO, edge + 1, _sizes()[edge + 1])
        else:
            yield _event(number, "shipping", f"SL{number}", number, number + 1, 1)


@cache
def _sizes() -> list[int]:
    """How many holders a holder's goods end with, itself included."""
    sizes = [1] * HOLDERS
    for number in range(HOLDERS - 1, 0, -1):
        sizes[(number - 1) // HANDED_TO] += sizes[number]
    return sizes


def _event(number: int, step: str, batch: str, tail: int, head: int, quantity: int) -> dict[str, Any]:
    row = copy.deepcopy(_pattern())
    row["lots"]["inputs"][0] |= {"batch": batch, "quantity": Decimal128(str(quantity)), "unit": "KGM"}
    here, there = (head, tail) if step == "receiving" else (tail, head)
    inputs, outputs = [f"{batch}@{_id(tail)}"], [f"{batch}@{_id(head)}"]
    if step == "harvest":
        inputs, row["lots"] = [], {"inputs": [], "outputs": row["lots"]["inputs"]}
    return row | {
        "_id": f"E{number}",
        "step": step,
        "site": _id(here),
        "there": _id(there) if step != "harvest" else "",
        "inputs": inputs,
        "outputs": outputs,
        "batches": [batch],
        "party": row["party"] | {"name": _name(here)},
        "counterparty": row["counterparty"] | {"site": _id(there), "name": _name(there)},
    }


@cache
def _pattern() -> dict[str, Any]:
    """An event as the one-network app's delivery notes make it."""
    (body,) = notes.bodies(notes.records(1))
    return plain.event(from_json(body)["records"][0], None, notes.SENT)


def _site(number: int) -> dict[str, Any]:
    facts = SiteFacts(
        site=_id(number),
        operator=f"uscc:{number}",
        name=_name(number),
        operator_name=_name(number),
        state=OperatorState.ACTIVATED,
        division=f"{DIVISION[:2]}0105",
        link=Link.CIRCULATION,
        version=1,
        contact_name="王芳",
        contact_phone=f"138{number:08}",
    )
    return {"_id": facts.site, **facts.model_dump(mode="json")}


def _name(number: int) -> str:
    return f"王记蔬菜批发{number}"


def _id(number: int) -> str:
    return f"licence:JY13701{number:09}"
