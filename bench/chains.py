"""Chains of handoffs between numbered sites, as the documents that trace keeps of them."""

from functools import cache
from typing import Any

from pydantic_core import from_json

from bench import notes, plain
from bench.bare import DIVISION
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Link

Document = dict[str, Any]


def handoff(number: int, batch: str, tail: int, head: int, received: bool, **goods: Any) -> Document:
    """An event: a batch goes from one site to another, as either of them tells it; `goods` say more of its lot."""
    row = _pattern()
    here, there = (head, tail) if received else (tail, head)
    return row | {
        "_id": f"E{number}",
        "step": "receiving" if received else "shipping",
        "site": site(here),
        "there": site(there),
        "inputs": [node(batch, tail)],
        "outputs": [node(batch, head)],
        "batches": [batch],
        "lots": {"inputs": [row["lots"]["inputs"][0] | {"batch": batch, **goods}]},
        "party": row["party"] | {"name": _name(here)},
        "counterparty": row["counterparty"] | {"site": site(there), "name": _name(there)},
    }


@cache
def _pattern() -> Document:
    """An event as the one-network app's delivery notes make it."""
    (body,) = notes.bodies(notes.records(1))
    return plain.event(from_json(body)["records"][0], None, notes.SENT)


def facts(number: int, **more: str) -> Document:
    """What the registry told of a site."""
    told = SiteFacts(
        site=site(number),
        operator=f"uscc:{number}",
        name=_name(number),
        operator_name=_name(number),
        state=OperatorState.ACTIVATED,
        division=f"{DIVISION[:2]}0105",
        link=Link.CIRCULATION,
        version=1,
        **more,
    )
    return {"_id": told.site, **told.model_dump(mode="json")}


def node(batch: str, number: int) -> str:
    """A batch at a site."""
    return f"{batch}@{site(number)}"


def site(number: int) -> str:
    """A site of the chain, the first of them its beginning."""
    return f"licence:JY13701{number:09}"


def _name(number: int) -> str:
    return f"王记蔬菜批发{number}"
