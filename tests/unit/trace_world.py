"""A small world for trace's unit tests: events and sites in memory, answering a walk as the store would."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from chassis.asking import answered
from contracts.trace import Category, Step
from services.trace.chain import Chain, Direction
from services.trace.lineage import Event, Goods, Place, ends_of
from services.trace.sites import Row, SitesOf
from services.trace.walk import EventsAt, EventsOf, Request, Start, Walk

T = TypeVar("T")
MORNING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """Everything on record."""

    events: tuple[Event, ...]
    sites: tuple[Row, ...] = ()

    def answer(self, request: Request) -> list[Any]:
        match request:
            case EventsOf(batch, sites):
                named = [event for event in self.events if any(goods.batch == batch for goods in event.goods)]
                return [event for event in named if not sites or {event.here.site, event.there.site} & {*sites}]
            case EventsAt(direction, keys):
                side = 0 if direction is Direction.FORWARD else 1
                return [event for event in self.events if {*ends(event)[side]} & {*keys}]
            case SitesOf(sites):
                return [row for row in self.sites if row.site in sites or row.alias_of in sites]

    def drive(self, steps: Generator[Request, Any, T]) -> T:
        """Runs a walk to its end."""
        return answered(steps, self.answer)

    def walk(self, batch: str, direction: Direction, **more: Any) -> Chain:
        return self.drive(Walk(Start(batch, direction, **more)).run())

    def back(self, batch: str, **more: Any) -> Chain:
        return self.walk(batch, Direction.BACKWARD, **more)

    def forward(self, batch: str, **more: Any) -> Chain:
        return self.walk(batch, Direction.FORWARD, **more)


def ends(event: Event) -> tuple[list[str], list[str]]:
    """Nodes an event is found by."""
    inputs, outputs = ([goods.batch for goods in side] for side in (event.inputs, event.outputs))
    return ends_of(event.step, event.here.site, event.there.site, inputs, outputs)


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
    return {(edge.tail, edge.head) for edge in chain.edges}


def gaps(chain: Chain) -> set[tuple[str, str]]:
    return {(gap.kind, gap.node) for gap in chain.gaps}
