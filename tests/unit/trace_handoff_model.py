"""What is wrong with handoffs, by brute force: every reading of what was said is tried. Shares no code with trace."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import NamedTuple

ABROAD = "abroad"
TODAY = {"old": "s2"}
"""The registry merged two sites."""
PRODUCE = ("A",)
"""Batches of vegetables; the others are dairy."""

Fault = tuple[str, str, str, str]
"""Kind, batch, sender, receiver, of which one may be unnamed."""


class Said(NamedTuple):
    """A handover or a receipt at `here`; `hour` from noon of a day on. "e1:x" tells of "e1" what another app says."""

    id: str
    step: str
    here: str
    there: str
    batch: str
    hour: float
    amount: int | None
    unit: str

    @property
    def shipped(self) -> bool:
        return self.step in ("shipping", "selling", "returning")

    @property
    def tail(self) -> str:
        return self._today(self.here if self.shipped else self.there)

    @property
    def head(self) -> str:
        return self._today(self.there if self.shipped else self.here)

    @property
    def event(self) -> str:
        return self.id.split(":")[0]

    @property
    def day(self) -> int:
        return int((self.hour + 12) // 24)

    def _today(self, site: str) -> str:
        return TODAY.get(site, site)


def _batches(said: Iterable[Said]) -> dict[str, list[Said]]:
    found: dict[str, list[Said]] = {}
    for each in said:
        if each.there != ABROAD and each.tail != each.head:
            found.setdefault(each.batch, []).append(each)
    return found


# Halves that are missing


def lacking(said: Iterable[Said]) -> set[Fault]:
    """One event at a time: pairs what can be paired, and says which edges are left with one half."""
    left: set[Fault] = set()
    for batch, told in _batches(said).items():
        ships, receipts = (_halves(each for each in told if each.shipped is side) for side in (True, False))
        edges = {(t, h) for _, t, h in ships} & {(t, h) for _, t, h in receipts}
        one_sided = {"overdue_shipment": _only(ships, edges), "unknown_source": _only(receipts, edges)}
        _pair(ships, receipts, one_sided["unknown_source"], lambda half, other: half[1] == other[1])
        _pair(receipts, ships, one_sided["overdue_shipment"], lambda half, other: half[2] == other[2])
        for kind, halves, others in (("overdue_shipment", ships, receipts), ("unknown_source", receipts, ships)):
            for half in halves:
                meets = any("" in other and {*other[1:]} != {*half[1:]} for other in others)
                if "" in half and not meets:
                    left.add((kind, batch, half[1], half[2]))
            left |= {(kind, batch, t, h) for t, h in one_sided[kind]}
    return left


Half = tuple[float, str, str]


def _halves(said: Iterable[Said]) -> list[Half]:
    """Of two accounts of one event between the same sites the first is left."""
    first: dict[tuple[str, str, str], float] = {}
    for each in said:
        key = each.event, each.tail, each.head
        first[key] = min(each.hour, first.get(key, each.hour))
    return [(hour, tail, head) for (_, tail, head), hour in first.items()]


def _only(halves: list[Half], both: set[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Edges that name both sides and have no other half, with their first time."""
    found: dict[tuple[str, str], float] = {}
    for hour, tail, head in halves:
        if "" not in (tail, head) and (tail, head) not in both:
            found[tail, head] = min(hour, found.get((tail, head), hour))
    return found


def _pair(
    halves: list[Half],
    others: list[Half],
    one_sided: dict[tuple[str, str], float],
    fits: Callable[[Half, Half], bool],
) -> None:
    """Takes away the halves without a name that the other side's named ones explain, and the edges they answer."""
    own = [half for half in halves if "" not in half]
    for loose in [half for half in halves if "" in half]:
        spare = _spare(own, [other for other in others if "" not in other])
        fitting = [other for other in spare if fits(loose, other)]
        if fitting:
            answered = sorted((one_sided[t, h], t, h) for t, h in one_sided if fits(loose, (0, t, h)))
            _, tail, head = answered[0] if answered else fitting[0]
            one_sided.pop((tail, head), None)
            halves.remove(loose)
            own.append((loose[0], tail, head))


def _spare(own: list[Half], others: list[Half]) -> list[Half]:
    """Accounts of the other side that this side has none to set against."""
    left = [ends for _, *ends in own]
    spare: list[Half] = []
    for other in others:
        if [*other[1:]] in left:
            left.remove([*other[1:]])
        else:
            spare.append(other)
    return spare


# Accounts that do not agree


def disagreeing(said: Iterable[Said]) -> dict[Fault, float]:
    """Faults of handoffs told from both sides, with the hour from which each stands, by trying every hour."""
    told = list(said)
    hours = sorted({each.hour + term for each in told for term in (24, 72)})
    found: dict[Fault, float] = {}
    for hour in hours:
        for fault in _standing(told, hour):
            found.setdefault(fault, hour)
    return found


def _standing(said: Sequence[Said], now: float) -> Iterator[Fault]:
    for batch, told in _batches(said).items():
        for tail, head in sorted({(each.tail, each.head) for each in told}):
            ships = [each for each in told if each.shipped and (each.tail, each.head) == (tail, head)]
            receipts = [each for each in told if not each.shipped and (each.tail, each.head) == (tail, head)]
            if ships and receipts and "" not in (tail, head):
                more_ships = [each for each in told if each.shipped and (each.tail, each.head) == (tail, "")]
                more_receipts = [each for each in told if not each.shipped and (each.tail, each.head) == ("", head)]
                sent_back = [
                    each for each in told if each.step == "returning" and (each.tail, each.head) == (head, tail)
                ]
                if _differ(ships, receipts, more_ships, more_receipts + sent_back, now):
                    yield "quantity_mismatch", batch, tail, head
                if _came_first(ships + more_ships, receipts, now):
                    yield "received_before_shipped", batch, tail, head


def _differ(
    ships: list[Said], receipts: list[Said], more_ships: list[Said], more_receipts: list[Said], now: float
) -> bool:
    """Whether every reading leaves a difference in the same direction."""
    everything = [*ships, *receipts, *more_ships, *more_receipts]
    if any(each.amount is None for each in everything) or len({each.unit for each in everything}) > 1:
        return False
    produce = ships[0].batch in PRODUCE
    share = Decimal(0) if ships[0].unit == "HEA" else Decimal("0.05") if produce else Decimal("0.02")
    went = [*_readings(ships, lambda each: each.hour + (24 if produce else 72) <= now)]
    came = [*_readings(receipts, lambda each: each.hour + 24 <= now)]
    may_have_gone, may_have_come = [*_readings(ships, more=more_ships)], [*_readings(receipts, more=more_receipts)]
    short = all(sent * (1 - share) > taken for sent in went for taken in may_have_come)
    over = all(taken > sent * (1 + share) for taken in came for sent in may_have_gone)
    return short or over


def _readings(
    told: list[Said], counts: Callable[[Said], bool] = lambda _: True, more: Sequence[Said] = ()
) -> Iterator[int]:
    """Sums, when of each event one account is true, of `more` any may belong to it or not, and what was told in two
    steps may be the same goods or not.
    """
    options: dict[str, list[tuple[str, int]]] = {}
    for each in told:
        options.setdefault(each.event, []).append((each.step, (each.amount or 0) if counts(each) else 0))
    for each in more:
        options.setdefault(each.event, [("", 0)]).append((each.step, each.amount or 0))
    for reading in product(*options.values()):
        steps = {step for step, _ in reading}
        yield max(sum(amount for step, amount in reading if step == one) for one in steps)
        yield sum(amount for _, amount in reading)


def _came_first(ships: list[Said], receipts: list[Said], now: float) -> bool:
    """Whether an event brought goods, as all its accounts say, on a day before anything was shipped."""
    events = {each.event for each in receipts}
    return any(
        all(got.day < sent.day and sent.hour - got.hour > 1 / 6 and got.hour + 24 <= now for sent in ships)
        for event in events
        for got in [max((each for each in receipts if each.event == event), key=lambda each: each.hour)]
    )
