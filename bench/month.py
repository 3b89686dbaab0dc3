"""What there is to report of a month: sites of a province, what they did, and broken chains."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from bench.facts import CATEGORIES
from bench.ground import Field
from bench.seeding import seed
from contracts import divisions
from contracts.findings import Finding, FindingKind
from contracts.registry import OperatorState, SiteFacts
from contracts.trace import Link
from services.reporting import months, store

MARKS_PER_SITE: Final = 10
STATIONS, DAYS = 8, 28
COUNTIES: Final = tuple(
    code for number in range(1, 1_799) if divisions.current(code := f"37{number:04}") == code and number % 100
)
"""Those of Shandong: what lies in no division counts nowhere."""

BROKEN_EVERY: Final = 50
"""One site in so many has a broken chain."""


class Month(NamedTuple):
    """The month that was frozen last, and when it was due."""

    name: str
    due_at: datetime

    @classmethod
    def last(cls, now: datetime) -> "Month":
        """The latest that may be frozen by now."""
        due_at = months.next_freeze(now - timedelta(days=62))
        while (following := months.next_freeze(due_at)) <= now:
            due_at = following
        return cls(months.month_to_freeze(due_at) or "", due_at)


def fill(field: Field, sites: int) -> None:
    """Stores sites, ten marks of each, and a broken chain now and then."""
    for collection, making in ((store.SITES, site_rows), (store.MARKS, mark_rows), (store.FINDINGS, finding_rows)):
        seed(field, collection, making, sites)


def site_rows(numbers: range) -> Iterator[dict[str, Any]]:
    """Sites as the registry told of them: activated, each with two obligations."""
    since = datetime.now(UTC) - timedelta(days=365)
    for number in numbers:
        division = _division(number)
        facts = SiteFacts(
            site=_site(number),
            operator=f"uscc:{number:018}",
            name=f"食品店{number}",
            operator_name=f"食品公司{number}",
            state=OperatorState.ACTIVATED,
            division=division,
            link=Link.CATERING if number % 3 else Link.CIRCULATION,
            version=1,
            listed=True,
            activated_at=since,
            obligations=(CATEGORIES[number % 4], CATEGORIES[(number + 1) % 4]),
            station=f"st{division}{number // len(COUNTIES) % STATIONS}",
        )
        yield {"_id": facts.site, **facts.model_dump()}


def mark_rows(numbers: range) -> Iterator[dict[str, Any]]:
    """What each site did on ten days of the month."""
    first = months.window(Month.last(datetime.now(UTC)).name).first
    for number in numbers:
        for turn in range(MARKS_PER_SITE):
            day = (first + timedelta(days=(number + 3 * turn) % DAYS)).isoformat()
            category, kind = CATEGORIES[(number + turn) % 4], "shipping" if turn % 3 else "receiving"
            handed = [_event(number, turn, each) for each in range(2)]
            row = {"site": _site(number), "day": day, "kinds": [kind], "linked": [category]}
            yield {"_id": f"{row['site']}@{day}", **row, "handoffs": {category: handed}}


def finding_rows(numbers: range) -> Iterator[dict[str, Any]]:
    """Shipments of the month that nobody received."""
    start = months.window(Month.last(datetime.now(UTC)).name).start
    for number in numbers[::BROKEN_EVERY]:
        finding = Finding(
            id=f"F{number:031}",
            kind=FindingKind.OVERDUE_SHIPMENT,
            open=True,
            version=1,
            site=_site(number + 1),
            division=_division(number + 1),
            counterparty=_site(number),
            event_id=_event(number, 0, 0),
            due_at=start + timedelta(days=2),
            opened_at=start + timedelta(days=2),
        )
        yield {"_id": finding.id, **finding.model_dump()}


def _site(number: int) -> str:
    return f"licence:JY23701{number:09}"


def _division(number: int) -> str:
    return COUNTIES[number % len(COUNTIES)]


def _event(number: int, turn: int, each: int) -> str:
    return f"E{number:020}{turn:06}{each:05}"
