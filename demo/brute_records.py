"""The raw records of a month, read from each service's own store: what `brute` counts. Nothing of reporting's counting.

Reporting's store is asked only for what nobody else has: declarations of self-built systems, thresholds and weights.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from contracts import divisions
from contracts.fields import SHANGHAI

Json = dict[str, Any]
Databases = Mapping[str, Any]
"""Databases by service, as pymongo gives them, with aware times."""

ENDED: Final = ("revoked", "deregistered")
OF_EVENTS: Final = ("source", "step", "time", "sent_at", "site", "categories", "counterparty.external")
ON_TIME: Final = timedelta(hours=24)


class Span(NamedTuple):
    """A month: its first day, the day after its last, and the same as aware times in UTC."""

    month: str
    first: date
    after: date

    @classmethod
    def of(cls, month: str) -> "Span":
        """The span of `2026-10`."""
        first = date.fromisoformat(f"{month}-01")
        return cls(month, first, first + timedelta(days=monthrange(first.year, first.month)[1]))

    @property
    def start(self) -> datetime:
        """Midnight in Shanghai, UTC."""
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        """Midnight in Shanghai after the last day, UTC."""
        return midnight(self.after)

    @property
    def days(self) -> int:
        """How many."""
        return (self.after - self.first).days


class Site(NamedTuple):
    """A site as the registry has it; `ids` are all that mean it, `owed` its categories of the 10+3."""

    id: str
    ids: frozenset[str]
    name: str
    division: str
    station: str
    link: str
    listed: bool
    registered: bool
    activated: bool
    suspended: bool
    owed: frozenset[str]


class Event(NamedTuple):
    """An event of the month; `external`: its other side is documented outside the province."""

    id: str
    source: str
    step: str
    day: date
    site: str
    categories: tuple[str, ...]
    external: bool
    on_time: bool


class Records(NamedTuple):
    """Everything there is to count."""

    span: Span
    sites: list[Site]
    events: list[Event]
    findings: Sequence[Json] = ()
    tasks: Sequence[Json] = ()
    cases: Sequence[Json] = ()
    tests: Sequence[Json] = ()
    deliveries: Sequence[Json] = ()
    declarations: Sequence[Json] = ()
    standards: Sequence[Json] = ()
    stations: Mapping[str, str] = MappingProxyType({})
    earlier: Sequence[tuple[str, Sequence[Json]]] = ()
    """Lines of the months before, as published, the latest month first."""


def read(databases: Databases, month: str, on: date, earlier: Sequence[tuple[str, Sequence[Json]]]) -> Records:
    """All records of a month as they stand now; what rosters and phases say, they say of the day `on`."""
    span = Span.of(month)
    registry, trace, inspection = (databases[name] for name in ("registry", "trace", "inspection"))
    phases, cells = [*registry.phases.find()], [*registry.cells.find()]
    stations = {cell["_id"]: cell["station"] for cell in cells}
    return Records(
        span,
        [_site(each, by, phases, stations, span, on) for by in registry.operators.find() for each in by["sites"]],
        [_event(row) for row in trace.events.find({"time": {"$gte": span.start, "$lt": span.end}}, OF_EVENTS)],
        _placed(trace.findings.find()),
        _placed(inspection.tasks.find()),
        _placed(inspection.cases.find()),
        _placed(inspection.tests.find()),
        _placed(databases["notify"].deliveries.find()),
        [*databases["reporting"].declarations.find({"month": month})],
        [*databases["reporting"].standards.find()],
        {cell["station"]: cell["station_name"] or cell["station"] for cell in cells},
        earlier,
    )


def _site(
    site: Json, operator: Json, phases: Iterable[Json], stations: Mapping[str, str], span: Span, on: date
) -> Site:
    own = [claim for claim in operator["claims"] if claim["site"] in site["ids"]]
    registered = any("listing" not in claim for claim in own)
    since, state = operator.get("activated_at"), operator["state"]
    return Site(
        site["site"],
        frozenset(site["ids"]),
        site["name"],
        _placed_in(site["division"]),
        stations.get(site["cell"] or "", ""),
        site["link"] or "",
        any(_holds(claim["listing"]["since"], claim["listing"]["until"], on) for claim in own if "listing" in claim),
        registered,
        registered and since is not None and since < span.end and state not in ENDED,
        state == "suspended",
        frozenset() if state in ENDED else _owed(site, phases, on),
    )


def _placed_in(division: str | None) -> str:
    """Today's number; empty, so that it counts nowhere, for none and for one that never was a division."""
    return divisions.today(division) if division and divisions.name(division) else ""


def _placed(rows: Iterable[Json]) -> list[Json]:
    """Rows with today's number of a division that was abolished or renumbered."""
    return [{**row, "division": row.get("division") and divisions.today(row["division"])} for row in rows]


def _owed(site: Json, phases: Iterable[Json], on: date) -> frozenset[str]:
    """Categories that the phases in force oblige it to: the three kinds of unit all, others those they deal in."""
    owed: set[str] = set()
    for phase in phases:
        there = not phase["areas"] or set(phase["areas"]) & set(site["areas"])
        if there and _holds(phase["starts"], phase["ends"], on):
            all_of_them = site["unit_kind"] in phase["unit_kinds"]
            owed |= {each for each in phase["categories"] if all_of_them or each in site["categories"]}
    return frozenset(owed)


def _holds(since: str | None, until: str | None, on: date) -> bool:
    day = on.isoformat()
    return (since is None or since <= day) and (until is None or day <= until)


def _event(row: Json) -> Event:
    return Event(
        row["_id"],
        row["source"],
        row["step"],
        day_of(row["time"]),
        row["site"],
        tuple(row["categories"]),
        bool(row.get("counterparty", {}).get("external")),
        row["sent_at"] - row["time"] <= ON_TIME,
    )


def day_of(moment: datetime) -> date:
    """The day in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """When a day begins in Shanghai, UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
