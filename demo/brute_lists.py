"""The lists of the bulletin and what was found, inspected, tested and told, counted by brute force; and all of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from demo import brute
from demo.brute_records import Json, Records, day_of

PER_COUNTY: Final = 20
"""Rows that a list has of each county."""

TREND_MONTHS: Final = 12
GATES: Final = ("cause_not_found", "people_not_punished", "lesson_not_given", "measures_not_carried_out")
"""Four not-let-go (S2)."""


def count(records: Records, division: str) -> Json:
    """All figures of a division's bulletin, under the names its JSON gives them."""
    found = brute.lines(records)
    did = brute.doings(records)
    idle = [site.id for site in records.sites if site.activated and not site.suspended and not did[site.id].steps]
    figures = {
        "lines": [line for line in found if (line["county"] or line["code"]).startswith(division)],
        "silent": _findings(records, ("silent_site",)),
        "broken": _findings(records, brute.BROKEN),
        "cases": _cases(records),
        "unregistered": _named(records, [site.id for site in records.sites if site.listed and not site.registered]),
        "inactive": _named(records, idle),
        "systems": brute.systems(records),
    }
    lists = [name for name in figures if name != "lines"]
    return {
        **figures,
        **{name: [row for row in figures[name] if (row["division"] or "").startswith(division)] for name in lists},
        "work": {code: row for code, row in _work(records).items() if code.startswith(division)},
        "trend": {code: row for code, row in _trend(found, records).items() if code.startswith(division)},
        "sites": len(records.sites),
        "unplaced": sum(not site.division for site in records.sites),
    }


def _open_at_end(row: Json, records: Records) -> bool:
    closed = row.get("closed_at")
    return bool(row["opened_at"] < records.span.end and (closed is None or closed >= records.span.end))


def _concerns(row: Json, records: Records) -> bool:
    """Whether it was open at any time of the month."""
    closed = row.get("closed_at")
    return bool(row["opened_at"] < records.span.end and (closed is None or closed >= records.span.start))


def _findings(records: Records, kinds: Iterable[str]) -> list[Json]:
    names = {id: site.name for site in records.sites for id in site.ids}
    found = [row for row in records.findings if row["kind"] in kinds and _open_at_end(row, records)]
    return [_finding(row, names) for row in _oldest(found, "due_at")]


def _cases(records: Records) -> list[Json]:
    return [_case(row) for row in _oldest([row for row in records.cases if _concerns(row, records)], "opened_at")]


def _oldest(rows: Iterable[Json], by: str) -> list[Json]:
    """The oldest of each county."""
    counties: dict[str, list[Json]] = {}
    for row in sorted(rows, key=lambda row: (row[by], row["_id"])):
        counties.setdefault((row["division"] or "")[:6], []).append(row)
    return [row for there in counties.values() for row in there[:PER_COUNTY]]


def _finding(row: Json, names: Mapping[str, str]) -> Json:
    told = {name: row.get(name) for name in ("kind", "site", "division", "counterparty", "event_id", "batches")}
    known = {f"{side}_name": names.get(row.get(side) or "") for side in ("site", "counterparty")}
    return {**told, **known, "id": row["_id"], "since": day_of(row["due_at"]).isoformat()}


def _case(row: Json) -> Json:
    told = {name: row.get(name) for name in ("state", "title", "site", "site_name", "division")}
    missing = [gate for gate in GATES if gate not in row["gates"]] if row["state"] == "open" else []
    return {**told, "id": row["_id"], "missing": missing, "since": day_of(row["opened_at"]).isoformat()}


def _named(records: Records, lacking: Iterable[str]) -> list[Json]:
    """The first sites of each county, by id."""
    wanted, named = set(lacking), Counter[str]()
    rows: list[Json] = []
    for site in sorted((site for site in records.sites if site.id in wanted), key=lambda site: site.id):
        named[site.division[:6]] += 1
        if named[site.division[:6]] <= PER_COUNTY:
            station = records.stations.get(site.station, site.station)
            rows.append({"site": site.id, "name": site.name, "division": site.division, "station": station})
    return rows


def _work(records: Records) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {}

    def add(row: Json, *names: str) -> None:
        counted.setdefault((row.get("division") or "-")[:6], Counter()).update(names)

    courses = [(row["kind"], row) for row in records.findings]
    courses += [("tasks", row) for row in records.tasks] + [("cases", row) for row in records.cases]
    for what, row in courses:
        if _concerns(row, records):
            add(row, *(f"{what}_{name}" for name in _course(row, records)))
            add(row, *["tasks_escalated"] * bool(what == "tasks" and row["escalations"]))
    for test in records.tests:
        # A re-test decides what the first test was worth.
        if _happened(test["tested_at"], records) and not test["retest_of"]:
            names = "tests", f"tests_{test['kind']}"
            good = test["qualified"] or test["standing"] == "overturned"
            add(test, *names, *(() if good else ("tests_unqualified", f"{names[1]}_unqualified")))
    for sent in records.deliveries:
        if _happened(sent["created_at"], records):
            add(sent, f"deliveries_{sent['channel']}_{sent['state']}")
    return {county: dict(counter) for county, counter in counted.items()}


def _course(row: Json, records: Records) -> list[str]:
    closed = row.get("closed_at")
    names = {
        "opened": _happened(row["opened_at"], records),
        "closed": closed is not None and _happened(closed, records),
        "open": _open_at_end(row, records),
    }
    return [name for name, counts in names.items() if counts]


def _happened(at: Any, records: Records) -> bool:
    return bool(records.span.start <= at < records.span.end)


def _trend(found: Iterable[Json], records: Records) -> dict[str, list[Json]]:
    """Score and rates of up to twelve months, the oldest first, of every place but stations."""
    months = [(records.span.month, found), *records.earlier][:TREND_MONTHS]
    trend: dict[str, list[Json]] = {}
    for month, rows in reversed(months):
        for line in rows:
            if line["level"] != "station" and not line["link"]:
                gist = {"month": month, "score": line["score"], "rates": line["rates"]}
                trend.setdefault(line["code"], []).append(gist)
    return trend
