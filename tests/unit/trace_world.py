"""A small world for trace's unit tests: events and sites in memory, answering a walk as the store would."""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from bson import Decimal128

from chassis.asking import answered
from contracts.trace import Category, Step
from services.trace.asks import (
    AliasesOf,
    Bounds,
    Cut,
    EventsAt,
    EventsCiting,
    EventsNamed,
    EventsOf,
    EventsOn,
    GoodsAt,
    SalesNaming,
    SitesOf,
)
from services.trace.lineage import Event, Goods, Place, day_of, ends_of, pairs_of
from services.trace.sites import Row
from services.trace.walks.chain import Chain, Direction
from services.trace.walks.start import Start
from services.trace.walks.walk import Request, Walk

T = TypeVar("T")
MORNING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
BEFORE, AFTER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """Everything on record."""

    events: tuple[Event, ...]
    sites: tuple[Row, ...] = ()
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By event."""
    ear_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By batch."""

    def answer(self, request: Request | GoodsAt | SalesNaming) -> list[Any]:
        if isinstance(request, SalesNaming):
            return [{"_id": each.id} for each in self.events if each.id in request.ids and each.there != Place()]
        found = self._found(request)
        most = 0 if isinstance(request, EventsNamed | SitesOf | AliasesOf) else request.most
        return Cut(found[:most]) if 0 < most <= len(found) else found

    def _found(self, request: Request | GoodsAt) -> list[Any]:
        match request:
            case EventsOf(batches, bounds):
                return [raw(each) for each in self._within(bounds) if any(lot.batch in batches for lot in each.goods)]
            case EventsOn(keys, bounds):
                return [row for row in map(raw, self._within(bounds)) if {*row["inputs"], *row["outputs"]} & {*keys}]
            case EventsCiting(reference, bounds):
                cited = [each for each in self._within(bounds) if reference in self.references.get(each.id, ())]
                return [raw(each) | {"lots": self._lots(each)} for each in cited]
            case EventsAt(direction, keys, bounds):
                side = "inputs" if direction is Direction.FORWARD else "outputs"
                return [row for row in map(raw, self._within(bounds)) if {*row[side]} & {*keys}]
            case GoodsAt(keys, bounds):
                moved = [(each, raw(each)) for each in self._within(bounds)]
                sides = ("outputs",) if request.inward else ("inputs", "outputs")
                return [row | stored(each) for each, row in moved if any({*row[side]} & {*keys} for side in sides)]
            case EventsNamed(ids):
                return [each for each in self.events if each.id in ids]
            case SitesOf(sites) | AliasesOf(sites):
                return [row for row in self.sites if row.site in sites or row.alias_of in sites]

    def _lots(self, each: Event) -> dict[str, list[dict[str, Any]]]:
        lots = [{"batch": lot.batch, "ear_tags": self.ear_tags.get(lot.batch, ())} for lot in each.goods]
        return {"inputs": lots}

    def _within(self, bounds: Bounds) -> list[Event]:
        """Events are recorded when they happen."""
        since, until, as_of = bounds.since or BEFORE, bounds.until or AFTER, bounds.as_of or AFTER
        return [each for each in self.events if since <= each.time < until and each.time <= as_of]

    def drive(self, steps: Generator[Any, Any, T]) -> T:
        """Runs a walk to its end."""
        return answered(steps, self.answer)

    def walk(self, batch: str, direction: Direction, **more: Any) -> Chain:
        return self.drive(Walk(Start(batch, direction, **more)).whole())

    def back(self, batch: str, **more: Any) -> Chain:
        return self.walk(batch, Direction.BACKWARD, **more)

    def forward(self, batch: str, **more: Any) -> Chain:
        return self.walk(batch, Direction.FORWARD, **more)


def raw(event: Event) -> dict[str, Any]:
    """An event as the store holds it for a walk."""
    inputs, outputs = ([lot.batch for lot in side] for side in (event.inputs, event.outputs))
    told = event.step, event.here.site, event.there.site, inputs, outputs
    ends = ends_of(*told)
    row = {
        "_id": event.id,
        "inputs": ends[0],
        "outputs": ends[1],
        "day": day_of(event.time),
        "site": event.here.site,
        "batches": list(dict.fromkeys(inputs + outputs)),
        "step": event.step.value,
        "abroad": [place.site for place in (event.here, event.there) if place.external],
    }
    return row | ({"pairs": pairs} if (pairs := pairs_of(*told, ends)) else {})


def stored(event: Event) -> dict[str, Any]:
    """An event as the store holds it, as far as accounts of goods are kept from it."""
    lots = {side: [_lot(lot) for lot in getattr(event, side)] for side in ("inputs", "outputs")}
    if event.inputs == event.outputs:
        del lots["outputs"]
    return {"step": event.step.value, "site": event.here.site, "there": event.there.site, "lots": lots}


def _lot(lot: Goods) -> dict[str, Any]:
    amount = {} if lot.quantity is None else {"quantity": Decimal128(lot.quantity), "unit": lot.unit}
    return {"batch": lot.batch, "category": lot.category.value, "product": lot.product} | amount


def world(*events: Event, sites: Iterable[Row] = ()) -> World:
    return World(events, tuple(sites))


def goods(*batches: str, quantity: str | None = "10", category: Category = Category.OTHER) -> tuple[Goods, ...]:
    amount = None if quantity is None else Decimal(quantity)
    return tuple(Goods(batch, amount, "KGM" if amount is not None else None, category=category) for batch in batches)


def event(
    id: str,
    step: Step,
    here: str | Place,
    inputs: tuple[Goods, ...] = (),
    outputs: tuple[Goods, ...] = (),
    there: str | Place = "",
    hour: int = 0,
) -> Event:
    return Event(id, step, MORNING + timedelta(hours=hour), _place(here), _place(there), inputs, outputs)


def _place(site: str | Place) -> Place:
    return site if isinstance(site, Place) else Place(site)


def ship(id: str, batch: str, here: str | Place, there: str | Place = "", **more: Any) -> Event:
    lots = goods(batch, **more)
    return event(id, Step.SHIPPING, here, lots, lots, there)


def receive(id: str, batch: str, here: str | Place, there: str | Place = "", own: str = "", **more: Any) -> Event:
    return event(id, Step.RECEIVING, here, goods(batch, **more), goods(own or batch, **more), there)


def make(id: str, here: str | Place, of: str = "", into: str = "", **more: Any) -> Event:
    return event(id, Step.MAKING, here, goods(*of.split(), **more), goods(*into.split(), **more))


def harvest(id: str, batch: str, here: str | Place, **more: Any) -> Event:
    return event(id, Step.HARVEST, here, (), goods(batch, **more))


def pairs(chain: Chain) -> set[tuple[str, str]]:
    return {(tail, head) for tail, head, _ in chain.edges}


def gaps(chain: Chain) -> set[tuple[str, str]]:
    return {(gap.kind, gap.node) for gap in chain.gaps}
