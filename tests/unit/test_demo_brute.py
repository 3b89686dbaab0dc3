"""The count that the bulletin is held against: right on a world small enough for fingers, and blind to nothing."""

from copy import deepcopy
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, Final

import pytest

from demo import brute, brute_lists, brute_scores
from demo.brute_compare import differences, figures
from demo.brute_records import Event, Records, Site, Span, read

SPAN: Final = Span.of("2026-10")
IN, BEFORE, AFTER = (datetime(2026, month, 15, tzinfo=UTC) for month in (10, 9, 11))

LIXIA, SHIZHONG, SHINAN = "370102", "370103", "370202"


def _site(id: str, division: str, link: str = "catering", **more: Any) -> Site:
    given: dict[str, Any] = {"ids": frozenset({id}), "name": f"{id}号店", "station": f"S{division}", "listed": True}
    stands: dict[str, Any] = {"registered": True, "activated": True, "suspended": False, "owed": frozenset[str]()}
    return Site(id=id, division=division, link=link, **(given | stands | more))


def _event(id: str, site: str, step: str, *categories: str, **more: Any) -> Event:
    given: dict[str, Any] = {"source": "market", "day": date(2026, 10, 9), "external": False, "on_time": True}
    return Event(id=id, step=step, site=site, categories=categories, **(given | more))


def _finding(id: str, kind: str, event: str | None, opened: datetime, closed: datetime | None = None) -> dict[str, Any]:
    about = {"event_id": event, "site": "a", "counterparty": "b", "division": LIXIA, "batches": ["SL1"]}
    times = {"opened_at": opened, "closed_at": closed, "due_at": opened, "open": closed is None}
    return {"_id": id, "kind": kind, **about, **times}


SITES: Final = [
    _site("a", LIXIA, ids=frozenset({"a", "a-too"}), owed=frozenset({"meat", "grain"})),
    _site("b", LIXIA, owed=frozenset({"fruit"})),
    _site("c", LIXIA, "circulation", registered=False, activated=False),
    _site("d", SHIZHONG, suspended=True),
    _site("e", SHINAN, listed=False),
    _site("f", ""),
]
EVENTS: Final = [
    _event("E1", "a-too", "receiving", "meat"),
    _event("E2", "a", "shipping", "grain"),
    _event("E3", "b", "selling", "fruit"),
    _event("E4", "d", "selling", "fruit"),
    _event("E5", "e", "making", "fruit", external=True),
    _event("E6", "e", "making", source="docking.formula", day=date(2026, 10, 10)),
    _event("E7", "e", "making", source="docking.formula", day=date(2026, 10, 11), on_time=False),
]
FORMULA: Final = {"system": "docking.formula", "division": SHINAN, "link": "catering", "records": 4, "days": 0}


def _records(**more: Any) -> Records:
    given: dict[str, Any] = {
        "findings": [
            _finding("F1", "overdue_shipment", "E2", IN),
            _finding("F2", "silent_site", "E1", BEFORE),
            _finding("F3", "unknown_source", "E1", IN, closed=IN),
            _finding("F4", "unknown_source", "E0", AFTER),
        ],
        "tasks": [{"division": LIXIA, "opened_at": IN, "closed_at": AFTER, "escalations": 2}],
        "declarations": [FORMULA],
        "stations": {f"S{LIXIA}": "历下所"},
    }
    return Records(SPAN, SITES, EVENTS, **(given | more))


def _lines(records: Records) -> dict[tuple[str, str], dict[str, Any]]:
    return {(line["code"], line["link"]): line for line in brute.lines(records)}


def test_the_four_dimensions_counted_on_fingers() -> None:
    counts = _lines(_records())["37", ""]["counts"]
    assert counts["registration"] == [3, 4]
    assert counts["activation"] == [3, 4]
    assert counts["activity"] == [3, 3]
    assert counts["coverage"] == [1, 3]
    assert counts["upload"] == [2, 4]


def test_a_suspended_site_is_no_working_one_and_one_off_the_roster_counts_for_activity_only() -> None:
    found = _lines(_records())
    assert found[SHIZHONG, ""]["counts"]["activity"] == [0, 0]
    assert found[SHINAN, ""]["counts"]["registration"] == [0, 0]
    assert found[SHINAN, ""]["counts"]["activity"] == [1, 1]


def test_an_event_that_an_open_finding_names_does_not_link_and_does_again_when_it_is_closed() -> None:
    assert _lines(_records())[LIXIA, ""]["categories"] == {"fruit": [0, 1], "grain": [0, 1], "meat": [1, 1]}
    mended = _records(findings=[_finding("F1", "overdue_shipment", "E2", IN, closed=AFTER)])
    assert _lines(mended)[LIXIA, ""]["categories"]["grain"] == [1, 1]


def test_where_a_system_declares_no_number_its_days_count() -> None:
    by_days = _records(declarations=[{**FORMULA, "records": 0}])
    assert _lines(by_days)[SHINAN, ""]["counts"]["upload"] == [1, 31]


def test_the_weights_of_what_has_no_denominator_go_to_the_rest() -> None:
    found = _lines(_records())
    # 历下区: registration 2/3 of 1.00, activity 2/2, coverage 1/3 of 0.80; no self-built system.
    assert found[LIXIA, ""]["not_applicable"] == ["upload"]
    assert found[LIXIA, ""]["weights"] == dict.fromkeys(("registration", "activity", "coverage"), "33.33")
    assert found[LIXIA, ""]["score"] == "69.44"
    # 市中区 has registration alone, 市南区 full activity and 2/4 of 0.95 uploaded.
    assert found[SHIZHONG, ""]["score"] == "100.00"
    assert found[SHINAN, ""]["score"] == "76.32"
    assert [found[code, ""]["rank"] for code in (SHIZHONG, SHINAN, LIXIA)] == [1, 2, 3]


def test_equal_scores_share_a_rank_and_links_are_ranked_within_their_province() -> None:
    scores = (("county", "1", "", 80), ("county", "2", "", 90), ("county", "3", "", 90), ("province", "37", "", 70))
    links = (
        ("province", "37", "catering", 60),
        ("province", "37", "production", 65),
        ("county", "1", "catering", None),
    )
    found = [
        {"level": level, "code": code, "link": link, "exact": None if score is None else Fraction(score)}
        for level, code, link, score in (*scores, *links)
    ]
    brute_scores.rank(found)
    assert [line["rank"] for line in found] == [3, 1, 1, 1, 2, 1, 0]


def test_a_code_of_a_whole_city_is_no_county_and_an_abolished_one_counts_where_it_is_today() -> None:
    found = _lines(_records(declarations=[])._replace(sites=[_site("a", "370100"), _site("b", LIXIA)]))
    assert {code for code, _ in found} == {"37", "3701", LIXIA, "S370100", f"S{LIXIA}"}
    assert found["3701", ""]["counts"]["registration"] == [2, 2]
    assert _only_site(_operator("active", ENTRY, division="370125")).division == "370115"


def test_thresholds_of_a_demonstration_city_are_its_own_and_those_below_it() -> None:
    higher = {"division": "3702", "from_day": "2026-01-01", "number": 1, "weights": {}, "tag": "demonstration"}
    later = {**higher, "from_day": "2026-11-01", "thresholds": {"activity": "0.10"}, "number": 2}
    found = _lines(_records(standards=[{**higher, "thresholds": {"activity": "0.99"}}, later]))
    assert [found[code, ""]["thresholds"]["activity"] for code in ("37", "3701", "3702", SHINAN)] == [
        "0.80",
        "0.80",
        "0.99",
        "0.99",
    ]
    assert [found[code, ""]["tag"] for code in ("3702", SHINAN)] == ["demonstration", ""]


def test_lists_and_work_of_the_month() -> None:
    quick = {"division": LIXIA, "kind": "residue_quick", "qualified": False, "tested_at": IN, "retest_of": None}
    retest = {**quick, "kind": "laboratory", "qualified": True, "standing": "stands", "retest_of": "Q1"}
    tests = [{**quick, "standing": "stands"}, {**quick, "standing": "overturned"}, retest]
    found = brute_lists.count(_records(tests=tests), "37")
    assert [row["id"] for row in found["broken"]] == ["F1"]
    assert [row["id"] for row in found["silent"]] == ["F2"]
    assert [row["site"] for row in found["unregistered"]] == ["c"]
    assert found["inactive"] == []
    assert found["unplaced"] == 1
    assert found["work"][LIXIA] == {
        "overdue_shipment_opened": 1,
        "overdue_shipment_open": 1,
        "silent_site_open": 1,
        "unknown_source_opened": 1,
        "unknown_source_closed": 1,
        "tasks_opened": 1,
        "tasks_open": 1,
        "tasks_escalated": 1,
        "tests": 2,
        "tests_residue_quick": 2,
        "tests_unqualified": 1,
        "tests_residue_quick_unqualified": 1,
    }


def test_a_month_is_compared_with_the_one_before_and_stands_last_in_its_trend() -> None:
    last = brute.lines(_records())
    found = brute_lists.count(_records(earlier=[("2026-09", last)]), "37")
    own = next(line for line in found["lines"] if line["code"] == "37" and not line["link"])
    assert own["before"]["score"] == own["score"]
    assert [point["month"] for point in found["trend"]["37"]] == ["2026-09", "2026-10"]


def test_a_division_is_told_of_its_own_only() -> None:
    found = brute_lists.count(_records(), "3702")
    assert {line["code"] for line in found["lines"] if line["level"] != "station"} == {"3702", SHINAN}
    assert found["work"] == {}
    assert found["broken"] == []


CHANGES: Final = [
    (("lines", 0, "counts", "coverage", 0), 7),
    (("lines", 1, "score"), "99.99"),
    (("lines", 2, "rank"), 5),
    (("broken", 0, "since"), "2026-10-01"),
    (("work", LIXIA, "tasks_open"), 9),
    (("trend", "37", 0, "score"), "12.34"),
    (("sites",), 99),
]


@pytest.mark.parametrize(("path", "value"), CHANGES, ids=lambda each: str(each))
def test_a_changed_figure_is_found_by_its_place_and_name(path: tuple[Any, ...], value: Any) -> None:
    counted = brute_lists.count(_records(), "37")
    changed: Any = deepcopy(counted)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert differences(counted, counted) == []
    (found,) = differences(changed, counted)
    assert found.place.startswith(path[0])
    assert value in (found.bulletin, *(found.bulletin if isinstance(found.bulletin, list) else ()))


def test_a_row_too_many_and_one_missing_are_found() -> None:
    counted = brute_lists.count(_records(), "37")
    assert {each.place for each in differences({**counted, "broken": []}, counted)} == {"broken F1"}
    assert {each.place for each in differences(counted, {**counted, "unregistered": []})} == {"unregistered c"}
    assert len(figures(counted)) > 300


class _Collection(list[dict[str, Any]]):
    """As much of a collection as the reader asks."""

    def find(self, filter: dict[str, Any] | None = None, fields: Any = None) -> list[dict[str, Any]]:
        return list(self)


class _Database:
    def __init__(self, **collections: list[dict[str, Any]]) -> None:
        self._collections = collections

    def __getattr__(self, name: str) -> _Collection:
        return _Collection(self._collections.get(name, []))


def _operator(state: str, *claims: dict[str, Any], **site: Any) -> dict[str, Any]:
    own = {"site": "a", "ids": ["a", "b"], "name": "甲", "division": LIXIA, "cell": "C1", "link": "catering"}
    deals = {"unit_kind": None, "categories": ["meat"], "areas": ["37", "3701", LIXIA]}
    told = [{"site": "b"} | claim for claim in claims]
    return {"state": state, "activated_at": IN, "claims": told, "sites": [{**own, **deals, **site}]}


PHASES: Final = [
    {"starts": "2022-07-01", "ends": None, "areas": [], "categories": ["meat", "fruit"], "unit_kinds": ["group_meal"]},
    {"starts": "2027-01-01", "ends": None, "areas": [], "categories": ["liquor"], "unit_kinds": ["group_meal"]},
]
ENTRY: Final = {"listing": {"since": "2026-01-01", "until": "2026-11-05"}}


def _only_site(operator: dict[str, Any], on: date = date(2026, 11, 5)) -> Site:
    databases: dict[str, Any] = {name: _Database() for name in ("trace", "inspection", "notify", "reporting")}
    cells = [{"_id": "C1", "station": "S1", "station_name": "一所"}]
    databases["registry"] = _Database(operators=[operator], phases=PHASES, cells=cells)
    (site,) = read(databases, SPAN.month, on, []).sites
    return site


def test_a_site_is_read_from_what_was_told_of_it() -> None:
    site = _only_site(_operator("active", ENTRY, {"source": "market"}))
    assert (site.listed, site.registered, site.activated, site.suspended) == (True, True, True, False)
    assert (site.station, site.owed) == ("S1", frozenset({"meat"}))
    assert not _only_site(_operator("active", ENTRY), date(2026, 11, 6)).listed
    assert not _only_site(_operator("listed", ENTRY)).registered
    assert _only_site(_operator("active", {"source": "market"}, unit_kind="group_meal")).owed == {"meat", "fruit"}


@pytest.mark.parametrize("division", ["999999", "370199", "", None])
def test_who_lies_in_no_division_there_is_counts_nowhere(division: str | None) -> None:
    assert _only_site(_operator("active", ENTRY, division=division)).division == ""


def test_who_is_suspended_or_gone_or_activated_later_was_not_at_work() -> None:
    assert _only_site(_operator("suspended", {"source": "market"})).suspended
    gone = _only_site(_operator("revoked", {"source": "market"}))
    assert (gone.activated, gone.owed) == (False, frozenset())
    assert not _only_site(_operator("active", {"source": "market"}) | {"activated_at": AFTER}).activated
