"""What there is to examine about events just recorded, or declared errors: subjects, each judged as a whole. Pure."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from contracts import codes
from contracts.fields import day_of
from contracts.findings import FindingKind
from services.trace.lineage import UNNAMED, flows, split
from services.trace.truth.animals import is_of_animals
from services.trace.truth.meat import is_receipt
from services.trace.truth.statements import Paper, Statement

SHORTEST_NUMBER: Final = 6
"""Characters of a paper's number; a shorter one starts again every day (as in `contracts.identity`)."""


class Topic(StrEnum):
    """What a subject is: an event, a node, a paper's number, a vehicle's day, an ear tag, a receipt of meat, an event
    that two apps tell.
    """

    EVENT = "event"
    NODE = "node"
    PAPER = "paper"
    VEHICLE = "vehicle"
    ANIMAL = "animal"
    MEAT = "meat"
    DOUBLE = "double"


KINDS: Final = {
    Topic.EVENT: (FindingKind.YIELD_OUT_OF_RANGE, FindingKind.CERTIFICATE_EXPIRED, FindingKind.SUPPLIER_UNLICENSED),
    Topic.NODE: (FindingKind.MORE_OUT_THAN_IN, FindingKind.IMPOSSIBLE_TIME),
    Topic.PAPER: (
        FindingKind.CERTIFICATE_OVERUSED,
        FindingKind.HEAD_COUNT_MISMATCH,
        FindingKind.ANIMALS_NOT_ARRIVED,
    ),
    Topic.VEHICLE: (FindingKind.VEHICLE_WITH_TWO_CERTIFICATES, FindingKind.IMPOSSIBLE_PLACE),
    Topic.ANIMAL: (FindingKind.IMPOSSIBLE_PLACE,),
    Topic.MEAT: (FindingKind.MEAT_WITHOUT_PAPERS,),
    Topic.DOUBLE: (FindingKind.POSSIBLE_DUPLICATE,),
}
"""What may be found about a subject, each kind once."""

TRUTH: Final = tuple(dict.fromkeys(kind for kinds in KINDS.values() for kind in kinds))


class Subject(NamedTuple):
    """Something to examine, by its topic and key: an id, a node, a number as codes are compared, `plate|day`."""

    topic: Topic
    key: str

    @property
    def id(self) -> str:
        """As one string."""
        return f"{self.topic}|{self.key}"

    @classmethod
    def named(cls, id: str) -> "Subject":
        """The subject of an `id`."""
        topic, _, key = id.partition("|")
        return cls(Topic(topic), key)


def subjects_of(statement: Statement) -> set[Subject]:
    """What an event has to do with."""
    return {Subject(topic, key) for topic, keys in _KEYS.items() for key in keys(statement)}


def _nodes(statement: Statement) -> Iterator[str]:
    return (flow.node for flow in flows(statement.event) if split(flow.node)[1] != UNNAMED)


def cited_papers(statement: Statement) -> Iterator[str]:
    """Numbers of the papers an event cites, as codes are compared."""
    return (paper.key for paper in statement.papers if len(paper.key) >= SHORTEST_NUMBER)


def is_watched(statement: Statement, paper: Paper) -> bool:
    """Whether a paper's uses are added up for this event: it tells how much is certified, or moves animals."""
    return paper.quantity is not None or is_of_animals(statement, paper)


def vehicle_days(statement: Statement) -> tuple[str, ...]:
    """Key of its vehicle's day in Shanghai, `plate|day`; none without a vehicle that can be told from others."""
    plate = statement.vehicle
    return (f"{plate}|{day_of(statement.event.time).isoformat()}",) if plate and codes.is_plate(plate) else ()


_KEYS: Final[dict[Topic, Callable[[Statement], Iterable[str]]]] = {
    Topic.EVENT: lambda statement: (statement.event.id,),
    Topic.NODE: _nodes,
    Topic.PAPER: cited_papers,
    Topic.VEHICLE: vehicle_days,
    Topic.ANIMAL: lambda statement: map(codes.compact, statement.tags),
    Topic.MEAT: lambda statement: (statement.event.id,) if is_receipt(statement) else (),
    Topic.DOUBLE: lambda statement: (
        (statement.origin,) if statement.event.id != statement.origin or statement.declared else ()
    ),
}
