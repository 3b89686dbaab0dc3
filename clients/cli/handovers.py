"""What all events between two nodes of a chain say together: which steps, how often, how much."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from clients.cli.words import STEPS, amount, zh

Json = dict[str, Any]

GIVEN: Final = ("shipping", "selling", "returning")
TAKEN: Final = ("receiving", "purchase")


def steps(edges: Sequence[Json]) -> str:
    """Steps in the order of time, and how often goods went: `发货→收货 ×3`."""
    often = Counter(edge["step"] for edge in edges)
    times = max(often.values(), default=0)
    return "→".join(zh(STEPS, step) for step in often) + (f" ×{times}" if times > 1 else "")


def goods(edges: Sequence[Json]) -> str:
    """How much: one amount where both sides of a handover agree, else what was given and what was taken.

    A side's amount is the sum of a step's events; of what it tells as two steps (sold and shipped) the larger counts.
    An event without a quantity leaves its step out.
    """
    given = [edge for edge in edges if edge["step"] in GIVEN]
    taken = [edge for edge in edges if edge["step"] in TAKEN]
    rest = [edge for edge in edges if edge["step"] not in (*GIVEN, *TAKEN)]
    return "→".join(dict.fromkeys(filter(None, map(_told, (given, taken, rest)))))


def _told(side: Iterable[Json]) -> str:
    by_step: dict[str, list[Json]] = defaultdict(list)
    for edge in side:
        by_step[edge["step"]].append(edge)
    totals = [_total(edges) for edges in by_step.values() if all(edge["quantity"] for edge in edges)]
    return max(totals, default=(Decimal(0), ""))[1]


def _total(edges: Iterable[Json]) -> tuple[Decimal, str]:
    """A number to compare by, and the sum in words; units that cannot be added stand side by side."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for edge in edges:
        sums[edge["unit"]] += Decimal(edge["quantity"])
    return sum(sums.values(), Decimal(0)), "、".join(amount(f"{total:f}", unit) for unit, total in sums.items())
