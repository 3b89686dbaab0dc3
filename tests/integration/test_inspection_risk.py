"""What to check and how often, on a real broker and database: order 49's three months, risk grades, points due."""

from typing import Any

import grpc
from shilian.inspection.v1 import inspection_pb2 as pb

from services.inspection.checks.points import of
from tests.bus import Bus
from tests.integration.inspection import (
    SITE,
    Client,
    account,
    ahead,
    await_count,
    client,
    failed_test,
    finding,
    known,
    site,
    tell,
    worker,
)
from tests.processes import Process, set_clock

__all__ = ["ahead", "client", "worker"]

DAY = 86_400
PROVINCE: dict[str, Any] = {"who": "省一", "division": "370000"}


def task(kind: Any = pb.TASK_KIND_DAILY, *items: str, **told: Any) -> dict[str, Any]:
    return {"kind": kind, "title": "检查", "site_id": SITE, "items": items, **told}


def checked(client: Client, *items: str, problem: bool = False, **caller: Any) -> str:
    """A check of these points, done."""
    fields = task(pb.TASK_KIND_DAILY, *items, officers=["甲", "乙"])
    id = str(client.call("CreateTask", **fields, **caller).task.task_id)
    client.call("RecordInspection", task_id=id, problem_found=problem, account=account(), **caller)
    return id


def test_a_lower_level_does_not_repeat_a_higher_ones_check_within_three_months(
    worker: Process, client: Client, bus: Bus, db: Any, ahead: Any
) -> None:
    known(bus, db)
    before = checked(client, "purchase", "staff", **PROVINCE)
    code, rule, told = client.refusal("CreateTask", **task(pb.TASK_KIND_DAILY, "purchase", "labels"))
    assert (code, rule) == (grpc.StatusCode.FAILED_PRECONDITION, "checked_by_higher_level")
    assert (told["task"], told["level"]) == (before, "province")
    assert client.refusal("CreateTask", **task())[1] == "checked_by_higher_level"
    # Other items, re-checks, triggered checks, and the higher level itself are free to.
    for allowed in (
        task(pb.TASK_KIND_DAILY, "labels"),
        task(pb.TASK_KIND_RETURN_VISIT, "purchase"),
        task(pb.TASK_KIND_DAILY, "purchase", triggered_by="12315 投诉"),
    ):
        assert client.call("CreateTask", **allowed).task.state == pb.TASK_STATE_OPEN
    client.call("CreateTask", **task(pb.TASK_KIND_DAILY, "purchase"), **PROVINCE)
    tell(bus, "trace.findings_changed.v1", findings=[finding()])
    await_count(db.tasks, 1, cause="finding")
    assert client.refusal("CreateTask", **task(pb.TASK_KIND_DAILY, "retained"))[1] == "invalid_value"
    set_clock(ahead, 93 * DAY)
    assert client.call("CreateTask", **task(pb.TASK_KIND_DAILY, "purchase")).task.items == ["purchase"]


def test_a_draw_spares_the_sites_whose_records_a_higher_level_checked(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    known(bus, db, site(), site("market:2", name="二号摊"))
    checked(client, "trace_records", **PROVINCE)
    drawn = client.call("DrawSample", size=5, quarter="2026Q1").sample
    assert ([each.site_id for each in drawn.sites], drawn.frame) == (["market:2"], 1)
    assert client.call("RepeatDraw", sample_id=drawn.sample_id).same
    assert {each.site_id for each in client.call("DrawSample", size=5, **PROVINCE).sample.sites} == {SITE, "market:2"}
    fields: dict[str, Any] = {"officers": ["甲", "乙"], "site_id": "market:2", "title": "检查"}
    id = client.call("CreateTask", **fields, kind=pb.TASK_KIND_PATROL, **PROVINCE).task.task_id
    client.call("RecordInspection", task_id=id, problem_found=False, account=account(), **PROVINCE)
    assert client.refusal("DrawSample", size=5)[1] == "checked_by_higher_level"
    tell(bus, "registry.sites_aliased.v1", aliases=[{"alias": SITE, "site": "market:2", "version": 1}])
    tell(bus, "registry.sites_aliased.v1", aliases=[{"alias": "market:2", "site": "market:3", "version": 1}])
    tell(bus, "registry.sites_changed.v1", sites=[site("market:3", name="三号摊")])
    await_count(db.sites, 1, alias_of="market:3")
    await_count(db.sites, 1, alias_of="market:2")
    await_count(db.sites, 1, name="三号摊")
    assert client.refusal("DrawSample", size=5)[1] == "checked_by_higher_level"


def test_a_grade_shows_its_points_and_the_credit_file(
    worker: Process, client: Client, bus: Bus, db: Any, ahead: Any
) -> None:
    known(bus, db)
    clean = client.call("GetRiskGrade", site_id=SITE).grade
    assert (clean.grade, clean.static_points, clean.dynamic_points, clean.checks_done) == ("A", 10, 0, 0)
    tests = [failed_test(f"Q{n}", tested_at="2026-11-01T00:00:00Z") for n in range(3)]
    tell(bus, "inspection.record_tests.v1", tests=tests)
    await_count(db.cases, 3)
    checked(client, problem=True)
    worse = client.call("GetRiskGrade", site_id=SITE).grade
    assert {each.id: (each.points, each.entries) for each in worse.points if each.entries} == {
        "case": (30, 3),
        "failed_test": (18, 3),
        "problem": (3, 1),
    }
    assert (worse.grade, worse.static_points, worse.dynamic_points) == ("D", 10, 51)
    assert (worse.least_checks, worse.most_checks, worse.checks_done) == (3, 4, 1)
    assert sorted(each.kind for each in worse.credit) == ["case"] * 3 + ["failed_test"] * 3 + ["problem"]
    refused = client.refusal("GetRiskGrade", site_id=SITE, division="370202")
    assert refused[0] is grpc.StatusCode.NOT_FOUND
    set_clock(ahead, 400 * DAY)
    client.call("GetRiskGrade", site_id=SITE)


def test_points_nobody_checked_in_two_years_are_due_page_by_page(
    worker: Process, client: Client, bus: Bus, db: Any, ahead: Any
) -> None:
    known(bus, db, *(site(f"market:{n}", name=f"摊位{n}") for n in range(4)), site(), site("x", state="revoked"))
    tell(bus, "registry.sites_aliased.v1", aliases=[{"alias": "market:3", "site": "market:2", "version": 1}])
    await_count(db.sites, 1, alias_of="market:2")
    checked(client)
    every = of("circulation")
    checked(client, *every[:3])

    def due(**caller: Any) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        token, pages = "", 0
        while token or not pages:
            page = client.call("ListDuePoints", page_size=2, page_token=token, **caller)
            found |= {each.site_id: [point.id for point in each.points] for each in page.sites}
            token, pages = page.next_page_token, pages + 1
        return found

    assert due() == {f"market:{n}": [*every] for n in range(3)}
    assert due(division="370202") == {}
    set_clock(ahead, 740 * DAY)
    assert {*due()} == {"market:0", "market:1", "market:2", SITE}
