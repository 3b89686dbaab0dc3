"""What does not look true about recorded events (domain: "Truth checks that peers lack"). Pure.

Each check is a definition in a `truth_*` file of its topic and none is a refusal: what it finds comes with its
evidence, the events, the two figures that do not agree and the tolerance they were measured with. A check is judged by
all that is on record about its subject, so neither order nor repetition matters. Of one event that two apps told
differently only the first account counts, until a person declares one of them an error.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from contracts import codes
from contracts.fields import SHANGHAI, day_of, is_day_only
from contracts.findings import FindingKind
from services.trace.lineage import Event
from services.trace.stock.amounts import Amount

TOLERANCE: Final = Decimal("0.05")
"""⚠ Scales and losses: by how much, relative, quantities may differ. Animals and pieces are counted, not weighed."""

COUNTED: Final = frozenset({"HEA", "H87", "PTN"})
"""Units of what is counted: head, piece, portion."""

CLOCKS: Final = timedelta(minutes=10)
"""What two clocks may differ by (domain: "time more than 10 minutes in the future")."""

QUARANTINE: Final = "quarantine"

MOST_EVENTS: Final = 100
"""Events told as evidence of one finding, the first ones."""


class Paper(NamedTuple):
    """A paper that travels with goods, as one event tells it (`contracts.trace.Document`)."""

    kind: str
    number: str
    form: str | None = None
    issuer: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    quantity: Decimal | None = None
    unit: str | None = None

    @property
    def key(self) -> str:
        """The number as it is compared."""
        return codes.compact(self.number)


class Statement(NamedTuple):
    """An event with what checks need beyond a walk: papers, vehicle, ear tags, what it tells of the supplier's licence.

    `barred`: the registry had told that the supplier's licence is revoked. `declared`: it was declared an error.
    """

    event: Event
    papers: tuple[Paper, ...] = ()
    vehicle: str | None = None
    tags: tuple[str, ...] = ()
    licensed_until: date | None = None
    barred: bool = False
    declared: bool = False

    @property
    def origin(self) -> str:
        """The id of the event that this one tells of too, perhaps; its own where it is nobody's second report."""
        return self.event.id.partition(":")[0]

    @property
    def live(self) -> bool:
        """Whether it moves animals that are counted or tagged."""
        return bool(self.tags) or any(goods.unit == "HEA" for goods in self.event.goods)


class Doubt(NamedTuple):
    """What does not look true: its kind, the event it is laid to, those that show it, and what they say.

    What may still be put right counts from the time `until` on; else it counts at once.
    """

    kind: FindingKind
    event: Event
    events: tuple[str, ...]
    allowed: str
    told: str
    tolerance: str | None = None
    document: str | None = None
    site: str | None = None
    """Whom it is laid to, where that is not the event's own site."""
    batches: tuple[str, ...] | None = None
    """What it is about, where that is not the event's goods."""
    until: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """When it should have been put right, or happened."""
        return self.until or self.event.time

    def counts(self, now: datetime) -> bool:
        """Whether it may not be put right any more without being found."""
        return self.until is None or self.until <= now


def once(statements: Iterable[Statement]) -> list[Statement]:
    """What counts, in order of time: nothing declared an error, and each event once though two apps tell it."""
    standing = sorted((each for each in statements if not each.declared), key=lambda each: by_time(each.event))
    told: dict[str, Statement] = {}
    for each in standing:
        if each.origin not in told or each.event.id == each.origin:
            told[each.origin] = each
    return sorted(told.values(), key=lambda each: by_time(each.event))


def slack(unit: str | None) -> Decimal:
    """The tolerance of quantities in a unit, relative."""
    return Decimal(0) if unit in COUNTED else TOLERANCE


def percent(unit: str | None) -> str:
    """That tolerance as people read it."""
    return f"{slack(unit):.0%}"


def shown(amount: Amount) -> str:
    """A quantity as people read it."""
    return f"{amount.quantity.normalize():f} {amount.unit or ''}".strip()


def moment(at: datetime) -> str:
    """A time as people read it."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def is_before(first: datetime, second: datetime) -> bool:
    """Whether one time is surely before another: clocks aside, and by days where one of them is only a day."""
    if is_day_only(first) or is_day_only(second):
        return day_of(first) < day_of(second)
    return first + CLOCKS < second


def by_time(event: Event) -> tuple[datetime, str]:
    """Sorts events, those of one time by id."""
    return event.time, event.id


def ids(events: Iterable[Event]) -> tuple[str, ...]:
    """The events as evidence: once each, the earliest first."""
    told = {event.id: event for event in events}
    return tuple(event.id for event in sorted(told.values(), key=by_time))[:MOST_EVENTS]


def last(events: Sequence[Event]) -> Event:
    """The latest of some events."""
    return max(events, key=by_time)
