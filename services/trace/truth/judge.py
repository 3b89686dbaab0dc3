"""Judging subjects by all that is on record about them. Pure; driven like `walk`."""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from contracts.fields import day_of
from services.trace.lineage import TAKEOVERS, split
from services.trace.truth import animals, balance, doubles, meat, papers, places, vehicles
from services.trace.truth.asks import (
    Doubted,
    Licensed,
    OnVehicle,
    Request,
    ToldAgain,
    Watched,
)
from services.trace.truth.findings import Judged
from services.trace.truth.reading import Reading, ordered
from services.trace.truth.statements import Doubt, Statement
from services.trace.truth.subjects import Subject, Topic, cited_papers, subjects_of, vehicle_days

Judging = Generator[Request, Any, list[Judged]]


BUSY: Final = 500
"""Events at one node, under one paper, or on one vehicle in a day."""


@dataclass
class Examination:
    """One look at what is on record about subjects."""

    put_off: Collection[Subject] = ()
    """Nodes, papers and vehicles not to be judged now; `waiting` are those of them that should have been."""
    reading: Reading = field(default_factory=Reading)
    waiting: set[Subject] = field(default_factory=set)
    busy: set[Subject] = field(default_factory=set)
    """Those with so many events that not each new one can have all of them read again."""

    def run(self, ids: Iterable[str], more: Iterable[Subject] = ()) -> Judging:
        """Judges all that events have to do with, and further subjects."""
        wanted = set(more)
        told = yield from self.reading.named(ids)
        wanted |= {subject for statement in told for subject in subjects_of(statement)}
        batches = {goods.batch for statement in told for goods in statement.event.goods}
        doubted: list[str] = (yield Doubted(ordered(batches))) if batches else []
        wanted |= {Subject(Topic.MEAT, id) for id in doubted}
        wanted |= yield from self._after([each for each in told if each.declared])
        return (yield from self.judge(wanted))

    def _after(self, declared: Sequence[Statement]) -> Generator[Request, Any, set[Subject]]:
        """Receipts of meat that events declared errors may have explained."""
        nodes, found = meat.went_to(declared), set[Subject]()
        for _ in range(meat.LAST_STEPS):
            onward = yield from self.reading.touching(nodes)
            found |= {Subject(Topic.MEAT, each.event.id) for each in onward if meat.is_receipt(each)}
            nodes = meat.went_to(onward)
        return found

    def judge(self, wanted: set[Subject]) -> Judging:
        """Judges subjects; also papers of what moved at nodes among them, and vehicles on which animals set out."""
        keys: dict[Topic, set[str]] = defaultdict(set)
        for subject in wanted:
            keys[subject.topic].add(subject.key)
        found = yield from self._nodes(keys[Topic.NODE], keys[Topic.PAPER])
        found += yield from self._events(keys[Topic.EVENT])
        found += yield from self._papers(keys[Topic.PAPER], keys[Topic.VEHICLE])
        found += yield from self._vehicles(keys[Topic.VEHICLE])
        found += yield from self._animals(keys[Topic.ANIMAL])
        found += yield from self._meat(keys[Topic.MEAT])
        found += yield from self._doubles(keys[Topic.DOUBLE])
        return found

    def _nodes(self, nodes: set[str], cited: set[str]) -> Judging:
        yield from self.reading.sites.resolve((), *(split(node)[1] for node in nodes))
        today = self._now(Topic.NODE, {self.reading.names(node)[0] for node in nodes})
        statements = yield from self.reading.touching(today)
        cited.update(key for each in statements for key in cited_papers(each))
        by_node = self.reading.by_node(statements)
        crowded = set(filter(self.reading.is_crowded, today))
        self.busy |= {Subject(Topic.NODE, node) for node in today if node in crowded or len(by_node[node]) > BUSY}
        return [
            _judged(
                Topic.NODE,
                node,
                balance.unbalanced(node, self.reading.at(node, by_node)),
                self.reading.names(node),
            )
            for node in sorted(today - crowded)
        ]

    def _now(self, topic: Topic, keys: Iterable[str]) -> set[str]:
        """The keys of a topic but for what is put off."""
        wanted = {Subject(topic, key) for key in keys}
        self.waiting |= wanted.intersection(self.put_off)
        return {subject.key for subject in wanted - self.waiting}

    def _events(self, ids: set[str]) -> Judging:
        statements = yield from self.reading.named(ids)
        licences = yield from self._licences(statements)
        return [_judged(Topic.EVENT, each.event.id, _of_event(each, licences)) for each in statements]

    def _licences(self, statements: Sequence[Statement]) -> Generator[Request, Any, Mapping[str, date]]:
        bought = [each for each in statements if each.event.step in TAKEOVERS and each.event.there.site]
        if not bought:
            return {}
        sites = {each.event.there.site for each in bought}
        doubted = {each.event.there.site for each in bought if each.licensed_until}
        before = max(day_of(each.event.time) for each in bought)
        licences: Mapping[str, date] = yield Licensed(ordered(sites), before, ordered(doubted))
        return licences

    def _papers(self, keys: set[str], days: set[str]) -> Judging:
        """By the events that cite a paper, and those that touch the nodes of these. Most papers tell no quantity."""
        keys = self._now(Topic.PAPER, keys)
        watched: list[str] = (yield Watched(ordered(keys))) if keys else []
        keys = set(watched)
        citing: dict[str, list[Statement]] = {key: [] for key in sorted(keys)}
        for statement in (yield from self.reading.citing(keys)):
            for key in {paper.key for paper in statement.papers} & keys:
                citing[key].append(statement)
                days.update(vehicle_days(statement) if animals.sets_out(statement, key) else ())
        crowded = keys & self.reading.crowded
        self.busy |= {Subject(Topic.PAPER, key) for key, told in citing.items() if key in crowded or len(told) > BUSY}
        nodes = {key: {flow.node for each in told for flow in self.reading.moves(each)} for key, told in citing.items()}
        around = self.reading.by_node((yield from self.reading.touching(set[str]().union(*nodes.values()))))
        return [
            _judged(Topic.PAPER, key, _of_paper(key, [*told, *_among(nodes[key], around).values()]))
            for key, told in citing.items()
            if key not in crowded and not any(map(self.reading.is_crowded, nodes[key]))
        ]

    def _vehicles(self, keys: set[str]) -> Judging:
        keys = self._now(Topic.VEHICLE, keys)
        days = [(plate, date.fromisoformat(day)) for plate, _, day in (key.rpartition("|") for key in sorted(keys))]
        seen: dict[str, list[Statement]] = {key: [] for key in sorted(keys)}
        numbers: dict[str, set[str]] = defaultdict(set)
        for each in (yield from self.reading.read(OnVehicle(tuple(days)))):
            for key in vehicle_days(each):
                seen[key].append(each)
                numbers[key] |= {paper.key for paper in each.papers if animals.is_of_animals(each, paper)}
        self.busy |= {Subject(Topic.VEHICLE, key) for key, told in seen.items() if len(told) > BUSY}
        several = {number for told in numbers.values() if len(told) > 1 for number in told}
        doubtful = [each for key, told in seen.items() if len(numbers[key]) > 1 for each in told]
        arrivals = yield from self.reading.citing(several)
        arrivals += yield from self.reading.touching(meat.went_to(doubtful))
        return [
            _judged(Topic.VEHICLE, key, _of_vehicle(told, arrivals))
            for key, told in seen.items()
            if len(numbers[key]) < 2 or not self._lost(numbers[key], told)
        ]

    def _lost(self, numbers: set[str], told: Iterable[Statement]) -> bool:
        """Whether where some animals went has too many events to be read."""
        return bool(numbers & self.reading.crowded) or any(map(self.reading.is_crowded, meat.went_to(told)))

    def _animals(self, tags: set[str]) -> Judging:
        seen: dict[str, list[Statement]] = {tag: [] for tag in sorted(tags)}
        for statement in (yield from self.reading.citing(tags)):
            for tag in set(statement.tags) & tags:
                seen[tag].append(statement)
        return [_judged(Topic.ANIMAL, tag, [places.animal_apart(told)]) for tag, told in seen.items()]

    def _meat(self, ids: set[str]) -> Judging:
        """Only receipts that tell nothing themselves have the steps before them read."""
        receipts = yield from self.reading.named(ids)
        led: dict[str, dict[str, Statement]] = {each.event.id: {} for each in receipts}
        nodes = {each.event.id: meat.ends_of(each) for each in receipts}
        lost = set[str]()
        for _ in range(meat.LAST_STEPS):
            led_to = self.reading.by_node((yield from self.reading.leading_to(set[str]().union(*nodes.values()))), True)
            lost |= {id for id, told in nodes.items() if any(map(self.reading.is_crowded, told))}
            for id, told in nodes.items():
                before = _among(told, led_to)
                led[id] |= before
                nodes[id] = meat.came_from(before.values())
        judged = (each for each in receipts if each.event.id not in lost)
        return [_judged(Topic.MEAT, each.event.id, [_of_meat(each, led[each.event.id])]) for each in judged]

    def _doubles(self, origins: set[str]) -> Judging:
        told: dict[str, list[Statement]] = {origin: [] for origin in sorted(origins)}
        for statement in (yield from self.reading.read(ToldAgain(ordered(origins)))):
            told[statement.origin].append(statement)
        return [_judged(Topic.DOUBLE, origin, [doubles.doubles(statements)]) for origin, statements in told.items()]


def _judged(topic: Topic, key: str, doubts: Iterable[Doubt | None], names: tuple[str, ...] = ()) -> Judged:
    return Judged(Subject(topic, key), names or (key,), tuple(doubt for doubt in doubts if doubt))


def _of_event(statement: Statement, licences: Mapping[str, date]) -> Iterator[Doubt | None]:
    if not statement.declared:
        yield balance.out_of_yield(statement.event)
        yield papers.expired(statement)
        yield papers.unlicensed(statement, licences.get(statement.event.there.site))


def _of_paper(key: str, statements: Sequence[Statement]) -> Iterator[Doubt | None]:
    yield papers.overused(key, statements)
    yield animals.misled(key, statements)


def _of_vehicle(statements: Sequence[Statement], arrivals: Sequence[Statement]) -> Iterator[Doubt | None]:
    yield vehicles.two_certificates(statements, arrivals)
    yield places.vehicle_apart(statements)


def _of_meat(receipt: Statement, led_to_it: Mapping[str, Statement]) -> Doubt | None:
    if receipt.declared or not meat.is_receipt(receipt):
        return None
    return meat.without_papers(receipt, [each for id, each in led_to_it.items() if id != receipt.event.id])


def _among(nodes: Iterable[str], by_node: Mapping[str, Mapping[str, Statement]]) -> dict[str, Statement]:
    """The events at some nodes, by id."""
    return {id: each for node in nodes for id, each in by_node.get(node, {}).items()}
