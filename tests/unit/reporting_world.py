"""A small province as reporting knows it: sites, a month of activity, findings, cases and tests. Seeded."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from contracts import divisions
from services.reporting import months
from services.reporting.bulletin import composing
from services.reporting.bulletin.work import Told
from services.reporting.domain import SiteRow, System
from services.reporting.standards import DEFAULT, Dimension, Standard

COUNTIES = (
    *(f"3701{number:02}" for number in (2, 3, 4, 5, 12, 13, 14, 15, 16, 17, 24, 26)),
    *(f"3702{number:02}" for number in (2, 3, 11, 12, 13, 14, 15, 81, 83, 85)),
    *(f"3703{number:02}" for number in (2, 3, 4, 5, 6, 21, 22, 23)),
    *(f"3706{number:02}" for number in (2, 11, 12, 13, 14, 81, 82, 83, 85, 86, 87)),
    *(f"3707{number:02}" for number in (2, 3, 4, 5, 24, 25, 81, 82, 83, 84, 85, 86)),
    *(f"3708{number:02}" for number in (11, 12, 26, 27, 28, 29, 30, 31, 32, 81, 83)),
)
LINKS = ("production", "circulation", "catering", "special_food")
CATEGORIES = ("vegetable", "fruit", "aquatic", "grain", "meat", "dairy", "edible_oil", "liquor")
MONTH = "2026-10"
WINDOW = months.window(MONTH)


def rows(seed: int, sites: int) -> list[SiteRow]:
    """Sites of a province; each county has a diligence of its own."""
    random = Random(seed)
    zeal = {county: random.uniform(0.45, 0.99) for county in COUNTIES}
    return [_row(number, random.choice(COUNTIES), zeal, random) for number in range(sites)]


def _row(number: int, county: str, zeal: dict[str, float], random: Random) -> SiteRow:
    keen = zeal[county]
    registered = random.random() < 0.5 + keen / 2
    activated = registered and random.random() < 0.6 + keen / 2.6
    working = activated and random.random() < 0.97
    active = working and random.random() < keen
    owed = tuple(sorted(random.sample(CATEGORIES, random.randint(0, 3))))
    covered = tuple(each for each in owed if active and random.random() < keen)
    kinds = tuple(sorted(random.sample(("receiving", "selling", "shipping", "kitchen_use"), 2))) if active else ()
    station = f"所-{county}-{random.randint(1, 3)}"
    flags = (random.random() < 0.96, registered, activated, working, active)
    return SiteRow(
        f"licence:JY{number:014}",
        f"百姓食品店{number}号",
        county,
        station,
        random.choice(LINKS),
        *flags,
        kinds,
        owed,
        covered,
    )


SYSTEMS = [
    System("docking.formula", "370102", "production", 413_200, 420_000, 31, 31),
    System("docking.quarantine", "370202", "circulation", 8_700, 9_000, 30, 31),
]

STANDARDS = [
    Standard(
        "3702",
        DEFAULT.from_day,
        1,
        {Dimension.ACTIVITY: DEFAULT.thresholds[Dimension.REGISTRATION]},
        {},
        "demonstration",
    )
]


def told(seed: int) -> Told:
    """Findings, tasks, cases, tests and deliveries of the month."""
    random = Random(seed)
    at = WINDOW.start
    findings = [_finding(number, random, at) for number in range(90)]
    tasks = [
        {**_course(random, at), "division": _county(random), "escalations": random.randint(0, 1)} for _ in range(60)
    ]
    cases = [_case(number, random, at) for number in range(12)]
    tests = [
        {
            "division": _county(random),
            "kind": "residue_quick",
            "qualified": random.random() < 0.98,
            "tested_at": at,
            "standing": "stands",
            "retest_of": None,
        }
        for _ in range(640)
    ]
    sent = [("wechat", "failed"), ("wechat", "delivered"), ("sms", "delivered"), ("in_app", "read")]
    deliveries = [
        {"division": _county(random), "channel": channel, "state": state, "created_at": at}
        for channel, state in random.choices(sent, k=300)
    ]
    return Told(findings, tasks, cases, tests, deliveries)


def _county(random: Random) -> str:
    return random.choice(COUNTIES)


def _course(random: Random, start: datetime) -> dict[str, Any]:
    opened = start + timedelta(days=random.randint(-10, 29))
    return {"opened_at": opened, "closed_at": opened + timedelta(days=4) if random.random() < 0.5 else None}


def _finding(number: int, random: Random, start: datetime) -> dict[str, Any]:
    kind = random.choice(("overdue_shipment", "unknown_source", "silent_site"))
    course = _course(random, start)
    return {
        **course,
        "id": f"{kind}:{number}",
        "kind": kind,
        "division": _county(random),
        "site": f"licence:JY{number:014}",
        "counterparty": f"licence:JY{number + 1:014}" if kind == "overdue_shipment" else None,
        "event_id": f"E{number:032x}",
        "batches": [f"SL{number:016}"],
        "due_at": course["opened_at"],
    }


def _case(number: int, random: Random, start: datetime) -> dict[str, Any]:
    return {
        **_course(random, start),
        "id": f"case:{number}",
        "state": random.choice(("open", "closed")),
        "title": "农残超标处置",
        "site": f"licence:JY{number:014}",
        "site_name": f"百姓食品店{number}号",
        "division": _county(random),
        "missing": ["people_not_punished"],
    }


def stored(seed: int = 7, sites: int = 4_000) -> dict[str, Any]:
    """A bulletin of October with three months before it."""
    names = {row.station: f"{divisions.name(row.division)}第{row.station[-1]}监管所" for row in rows(seed, sites)}
    before: list[dict[str, Any]] = []
    for back in range(5, -1, -1):
        found = rows(seed, sites)
        lazy = Random(back)
        faded = [row._replace(active=row.active and lazy.random() > back * 0.06) for row in found]
        month = f"2026-{10 - back:02}"
        window = months.window(month)
        figures = composing.compose(window, faded, SYSTEMS, STANDARDS, told(seed), names, before)
        before.insert(0, {"month": month, "figures": figures})
    return {
        "month": MONTH,
        "version": 1,
        "frozen_at": datetime(2026, 11, 5, 0, 0, tzinfo=UTC),
        "reason": None,
        "inputs": "3f" * 32,
        "figures": before[0]["figures"],
    }
