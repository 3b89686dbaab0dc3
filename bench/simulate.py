"""A recall simulated to 10,000 holders among 200,000 events: what, where, how much, whom to notify, beside its walk."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Final

from bson import Decimal128

from bench import chains
from bench.ground import Field, Ground
from bench.hearing import Wrong
from bench.result import Result, Side, measured
from bench.seeding import seed
from chassis import clock, memory
from chassis.asking import answered
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
        memory.economise(memory.API)
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
        found = field.db[query.collection].find(query.filter, query.fields, limit=query.most)
        return walk_store.reply(asked, found.to_list())

    return answered(steps, answer)


def documents(numbers: range) -> Iterator[dict[str, Any]]:
    """What was made, both halves of the chain's handoffs, then shipments of other batches."""
    for number in numbers:
        edge, told = divmod(number - 1, 2)
        if number == 0:
            yield _made()
        elif edge < HANDOFFS:
            yield _handoff(number, BATCH, edge // HANDED_TO, edge + 1, bool(told), _sizes()[edge + 1])
        else:
            yield _handoff(number, f"SL{number}", number, number + 1, False, 1)


@cache
def _sizes() -> list[int]:
    """How many holders a holder's goods end with, itself included."""
    sizes = [1] * HOLDERS
    for number in range(HOLDERS - 1, 0, -1):
        sizes[(number - 1) // HANDED_TO] += sizes[number]
    return sizes


def _made() -> dict[str, Any]:
    row = _handoff(0, BATCH, 0, 0, False, HOLDERS)
    return row | {
        "step": "harvest",
        "there": "",
        "inputs": [],
        "lots": {"inputs": [], "outputs": row["lots"]["inputs"]},
    }


def _handoff(number: int, batch: str, tail: int, head: int, received: bool, quantity: int) -> dict[str, Any]:
    kilograms = Decimal128(str(quantity))
    return chains.handoff(number, batch, tail, head, received, quantity=kilograms, unit="KGM")


def _site(number: int) -> dict[str, Any]:
    return chains.facts(number, contact_name="王芳", contact_phone=f"138{number:08}")
