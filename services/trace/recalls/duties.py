"""What a recall asks of whom: sums to bring back and operators to notify, by division, as protobuf messages."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from shilian.trace.v1 import recall_pb2 as pb

from services.trace.lineage import split
from services.trace.recalls.portions import THERE, TO_BRING_BACK, Portion
from services.trace.recalls.simulation import Simulation
from services.trace.stock.amounts import Amount
from services.trace.translate import number


def amounts(told: Iterable[Amount]) -> list[pb.Amount]:
    """Amounts as messages."""
    return [pb.Amount(quantity=number(each.quantity), unit=each.unit or "") for each in told]


class Sums(NamedTuple):
    """Amounts, one to a unit, and of how many portions they are."""

    amounts: list[Amount]
    summed: int


def sums_of(portions: Iterable[Portion]) -> Sums:
    """Sums of what is known, and for the caller's eyes."""
    known = [portion.amount for portion in portions if portion.amount]
    by_unit: dict[str | None, Amount] = {}
    for each in known:
        before = by_unit.get(each.unit)
        by_unit[each.unit] = Amount(before.quantity + each.quantity, each.unit) if before else each
    return Sums([*by_unit.values()], len(known))


def divisions(told: Simulation) -> list[pb.DivisionPart]:
    """What is to be brought back and whom to notify, by division."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for key, held in told.nodes.items():
        if not held.place.external:
            nodes[held.place.division or ""].append(key)
    portions: dict[str, list[Portion]] = defaultdict(list)
    for portion in told.portions:
        if portion.fate in TO_BRING_BACK:
            portions[portion.node].append(portion)
    return [_division(division, keys, told, portions) for division, keys in sorted(nodes.items())]


def _division(
    division: str, keys: Collection[str], told: Simulation, portions: Mapping[str, list[Portion]]
) -> pb.DivisionPart:
    left = [portion for key in keys for portion in portions.get(key, ())]
    sums = sums_of(left)
    by_operator: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_operator[told.nodes[key].place.operator or told.nodes[key].place.site].append(key)
    return pb.DivisionPart(
        division=division,
        sites=len({split(key)[1] for key in keys}),
        to_bring_back=amounts(sums.amounts),
        unsummed=len(left) - sums.summed,
        operators=[_notified(own, told, portions) for _, own in sorted(by_operator.items())],
    )


def _notified(keys: Collection[str], told: Simulation, portions: Mapping[str, list[Portion]]) -> pb.Notified:
    places = {held.place.site: held.place for held in (told.nodes[key] for key in keys)}
    first = next(iter(places.values()))
    return pb.Notified(
        operator_id=first.operator or "",
        operator_name=first.operator_name or "",
        division=first.division or "",
        site_ids=[*places],
        site_names=[place.name or "" for place in places.values()],
        contact=next((place.contact for place in places.values() if place.contact), ""),
        has_goods=any(portion.fate in THERE for key in keys for portion in portions.get(key, ())),
    )
