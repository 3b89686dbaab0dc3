"""Roster, grid, phases and life as the registry's neighbours meet them: real processes, broker and database."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from shilian.registry.v1 import registry_pb2 as pb

from contracts.topology import EVENTS, REGISTRY_ACTIVITY
from services.registry.standing import after, day_of
from tests.bus import Bus
from tests.calls import Client
from tests.integration import test_registry_service as service
from tests.integration.test_registry_service import LICENCE, USCC, await_recorded, new_operator, observe, seen
from tests.processes import Process, eventually, set_clock
from tests.stack import Database

client = service.client

OTHER_LICENCE = "SC11644200000389"
DAY_S = 86_400


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """Seconds by which the worker's clock is ahead."""
    file = tmp_path / "clock"
    file.write_text("0")
    return file


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database, clock: Path) -> Process:
    options = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "timer_s": 0.1, "clock_file": clock}
    return spawn("services.registry", "worker", **options).wait_ready()


def listing(file: bytes = b"", **more: Any) -> pb.ImportRosterRequest:
    asked = {"request_id": uuid4().hex, "kind": pb.ROSTER_KIND_LICENCE, "division": "370100", "file": file, **more}
    return pb.ImportRosterRequest(**asked)


def table(*rows: str) -> bytes:
    return "\n".join(["主体名称,许可证编号,统一社会信用代码,区划代码,经营品类", *rows]).encode("gb18030")


def imported(client: Client, id: str) -> pb.RosterImport:
    asked = pb.GetRosterImportRequest(import_id=id)
    found: pb.RosterImport = eventually(
        lambda: client.call("GetRosterImport", asked).roster_import, lambda seen: seen.done
    )
    return found


def sites(client: Client, **caller: Any) -> dict[str, pb.SiteFacts]:
    listed = client.call("ListSites", pb.ListSitesRequest(), **caller).sites
    return {facts.site.site_id: facts for facts in listed}


def told(bus: Bus, queue: str, wanted: Callable[[Any], object]) -> Any:
    """The first site announced that is as wanted."""
    while True:
        for site in bus.await_message(queue).body.get("sites", ()):
            if wanted(site):
                return site


# Roster


def test_roster_is_the_denominator_and_observations_register(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    announced = bus.listen(EVENTS, "registry.sites_changed.v1")
    request = listing(table(f"张三,{LICENCE},{USCC},370102,肉制品", f"李四,{OTHER_LICENCE},,370102,", ",缺名,,,"))
    answer = client.call("ImportRoster", request)
    (error,) = answer.errors
    assert (error.row, error.field, error.rule) == (4, "name", "required")
    assert client.call("ImportRoster", request) == answer
    progress = imported(client, answer.roster_import.import_id)
    assert (progress.rows, progress.refused, progress.taken, progress.changed) == (2, 1, 2, 2)
    found = {site["site"]: (site["state"], site["listed"]) for site in bus.await_message(announced).body["sites"]}
    assert found == {f"licence:{LICENCE}": ("listed", True), f"licence:{OTHER_LICENCE}": ("listed", True)}

    observe(bus, seen("market", "stall-9", licence=LICENCE, uscc=USCC))
    await_recorded(db, 1)
    states = {id: (facts.site.state, facts.site.registered) for id, facts in sites(client).items()}
    assert states == {
        f"licence:{LICENCE}": (pb.OPERATOR_STATE_REGISTERED, True),
        f"licence:{OTHER_LICENCE}": (pb.OPERATOR_STATE_LISTED, False),
    }


def test_whole_later_list_ends_entries_and_earlier_lists_come_too_late(worker: Process, client: Client) -> None:
    both = table(f"张三,{LICENCE},,370102,", f"李四,{OTHER_LICENCE},,370102,")
    first = client.call("ImportRoster", listing(both, as_of="2022-06-01"))
    imported(client, first.roster_import.import_id)
    one = client.call("ImportRoster", listing(table(f"张三,{LICENCE},,370102,"), as_of="2022-07-01", complete=True))
    assert imported(client, one.roster_import.import_id).ended == 1
    assert {id: facts.site.listed for id, facts in sites(client).items()} == {
        f"licence:{LICENCE}": True,
        f"licence:{OTHER_LICENCE}": False,
    }
    late = listing(both, as_of="2022-06-15")
    assert client.status("ImportRoster", late) is grpc.StatusCode.FAILED_PRECONDITION
    again = listing(both, import_id=one.roster_import.import_id)
    assert client.status("ImportRoster", again) is grpc.StatusCode.FAILED_PRECONDITION


NO_IMPORT: list[dict[str, Any]] = [
    {"file": b"nothing of use"},
    {"file": b"", "rows": []},
    {"kind": pb.ROSTER_KIND_UNSPECIFIED},
    {"division": "999999"},
    {"as_of": "2999-01-01"},
    {"request_id": ""},
]


def test_import_that_is_no_import_is_refused(client: Client, db: Any) -> None:
    requests = [listing(**{"file": table(f"张三,{LICENCE},,370102,"), **wrong}) for wrong in NO_IMPORT]
    answers = [client.status("ImportRoster", request) for request in requests]
    assert answers == [grpc.StatusCode.INVALID_ARGUMENT] * len(NO_IMPORT)
    elsewhere = listing(table(f"张三,{LICENCE},,370102,"))
    assert client.status("ImportRoster", elsewhere, division="370200") is grpc.StatusCode.PERMISSION_DENIED
    assert db.imports.count_documents({}) == 0


def test_killed_worker_leaves_no_row_out_and_takes_none_twice(
    worker: Process, client: Client, db: Any, clock: Path
) -> None:
    rows = [pb.RosterRow(name=f"摊主{n}", source_id=f"stall-{n}", division="370102") for n in range(3000)]
    for part in range(2):
        half = rows[part * 1500 : part * 1500 + 1500]
        request = listing(import_id="r-1", kind=pb.ROSTER_KIND_STALL, rows=half, complete=part == 1)
        client.call("ImportRoster", request)
    eventually(lambda: db.imports.find_one({"_id": "r-1"})["taken"])
    worker.kill()
    worker.restart()

    def later() -> pb.RosterImport:
        """Its lease, and that of a try that met its open transaction, end within seconds."""
        set_clock(clock, float(clock.read_text()) + 2)
        found: pb.RosterImport = client.call(
            "GetRosterImport", pb.GetRosterImportRequest(import_id="r-1")
        ).roster_import
        return found

    done = eventually(later, lambda seen: seen.done)
    assert (done.rows, done.taken, done.changed, done.ended) == (3000, 3000, 3000, 0)
    assert db.operators.count_documents({"state": "listed"}) == 3000
    assert db.changes.count_documents({"kind": "listed"}) == 3000
    assert db.sheets.count_documents({}) == 0


# Grid


def cell(id: str, division: str, parent: str = "") -> pb.SetCellRequest:
    wanted = pb.Cell(cell_id=id, name=id, division=division, station=f"station-{id}", parent_id=parent)
    return pb.SetCellRequest(request_id=uuid4().hex, cell=wanted, reason="建网格")


def officer(cell: str, id: str = "") -> pb.AssignOfficerRequest:
    person = pb.Officer(officer_id=id, name=f"{id}员", phone="13900000000") if id else None
    return pb.AssignOfficerRequest(request_id=uuid4().hex, cell_id=cell, officer=person, reason="轮岗")


def gaps(client: Client) -> dict[str, list[int]]:
    return {row.site_id: list(row.gaps) for row in client.call("ListGaps", pb.ListGapsRequest()).sites}


def test_grid_places_sites_lists_gaps_and_keeps_hand_overs(worker: Process, client: Client, bus: Bus) -> None:
    site = client.call("RegisterOperator", new_operator()).operator.sites[0].site_id
    changed, grid = bus.listen(EVENTS, "registry.sites_changed.v1"), bus.listen(EVENTS, "registry.grid_changed.v1")
    client.call("SetCell", cell("jinan", "370100"))
    client.call("SetCell", cell("lixia", "370102", "jinan"))
    # Announcements keep no order: versions say which is the later one.
    assert {bus.await_message(grid).body["cells"][0]["cell"] for _ in range(2)} == {"jinan", "lixia"}
    assert told(bus, changed, lambda seen: seen.get("cell") == "lixia")["station"] == "station-lixia"
    assert gaps(client) == {site: [pb.GAP_OFFICER, pb.GAP_CONTACT]}

    client.call("AssignOfficer", officer("lixia", "qian"))
    assert bus.await_message(grid).body["cells"][0]["officer"]["phone"] == "13900000000"
    eventually(lambda: gaps(client), lambda seen: seen == {site: [pb.GAP_CONTACT]})
    contact = pb.AssignContactRequest(request_id="c-1", site_ids=[site], officer_id="qian", reason="一对一")
    assert client.call("AssignContact", contact).sites[0].helper == "qian"
    assert gaps(client) == {}
    assert told(bus, changed, lambda seen: seen.get("helper"))["helper"] == "qian"

    client.call("AssignOfficer", officer("lixia", "sun"))
    eventually(lambda: gaps(client), lambda seen: seen == {site: [pb.GAP_CONTACT]})
    history = client.call("ListChanges", pb.ListChangesRequest(cell_id="lixia")).changes
    handed = [(row.detail["from"], row.detail["to"], row.why) for row in history if row.kind == "officer"]
    assert handed == [("qian", "sun", "轮岗"), ("", "qian", "轮岗")]
    assert [row.cell_id for row in client.call("ListCells", pb.ListCellsRequest()).cells] == ["jinan", "lixia"]


def test_person_places_a_site_within_its_division_only(worker: Process, client: Client) -> None:
    site = client.call("RegisterOperator", new_operator()).operator.sites[0].site_id
    for request in (cell("a", "370102"), cell("b", "370102"), cell("far", "370202")):
        client.call("SetCell", request)
    place = pb.PlaceSitesRequest(request_id="p-1", site_ids=[site], cell_id="b", reason="就近")
    assert client.call("PlaceSites", place).sites[0].cell_id == "b"
    place.request_id, place.cell_id = "p-2", "far"
    assert client.status("PlaceSites", place) is grpc.StatusCode.INVALID_ARGUMENT
    assert client.status("PlaceSites", place, division="370100") is grpc.StatusCode.NOT_FOUND
    history = client.call("ListChanges", pb.ListChangesRequest(site_id=site)).changes
    assert [(row.why, row.detail["to"]) for row in history if row.kind == "placed"] == [("就近", "b")]


def test_cell_that_breaks_the_tree_is_refused(client: Client) -> None:
    client.call("SetCell", cell("jinan", "370100"))
    client.call("SetCell", cell("lixia", "370102", "jinan"))
    wrong = [
        cell("x", "370202", "jinan"),
        cell("x", "370102", "nowhere"),
        cell("jinan", "370100", "jinan"),
        cell("lixia", "370103", "jinan"),
        cell("a b", "370102"),
        cell("x", "999999"),
    ]
    assert [client.status("SetCell", each) for each in wrong] == [grpc.StatusCode.INVALID_ARGUMENT] * len(wrong)
    assert client.status("SetCell", cell("y", "370202"), division="370100") is grpc.StatusCode.PERMISSION_DENIED
    nobody = pb.AssignContactRequest(request_id="c-1", site_ids=["x"], officer_id="nobody", reason="r")
    assert client.status("AssignContact", nobody) is grpc.StatusCode.NOT_FOUND


# Life


def happened(bus: Bus, site: str, *days: str) -> None:
    events = [
        {
            "id": f"E{site}{day}",
            "source": "market",
            "step": "selling",
            "time": f"{day}T04:00:00Z",
            "sent_at": f"{day}T04:00:00Z",
            "site": site,
        }
        for day in days
    ]
    bus.publish(EVENTS, REGISTRY_ACTIVITY.keys[0], {"events": events}, ce_id=uuid4().hex)


def step(client: Client, rpc: str, operator: str, reason: str = "核实", **caller: Any) -> Any:
    request = getattr(pb, f"{rpc}Request")(request_id=uuid4().hex, operator_id=operator, reason=reason)
    return client.call(rpc, request, **caller).operator.state


def refusal(client: Client, rpc: str, operator: str, reason: str = "核实", **caller: Any) -> grpc.StatusCode:
    request = getattr(pb, f"{rpc}Request")(request_id=uuid4().hex, operator_id=operator, reason=reason)
    return client.status(rpc, request, **caller)


def test_events_make_active_and_thirty_idle_days_inactive(
    worker: Process, client: Client, bus: Bus, db: Any, clock: Path
) -> None:
    operator = client.call("RegisterOperator", new_operator()).operator
    site, id = operator.sites[0].site_id, operator.operator_id
    step(client, "ActivateOperator", id)
    announced = bus.listen(EVENTS, "registry.sites_changed.v1")
    today = day_of(datetime.now(UTC))
    happened(bus, site, after(today, -1))
    told(bus, announced, lambda seen: seen["state"] == "on_chain")
    happened(bus, site, after(today, -1))
    happened(bus, site, after(today, -9))
    told(bus, announced, lambda seen: seen["state"] == "active")
    set_clock(clock, 40 * DAY_S)
    told(bus, announced, lambda seen: seen["state"] == "inactive")
    listed = client.call("ListOperators", pb.ListOperatorsRequest(state=pb.OPERATOR_STATE_INACTIVE)).operators
    assert [each.operator_id for each in listed] == [id]
    history = client.call("ListChanges", pb.ListChangesRequest(operator_id=id)).changes
    walked = [(row.detail["to"], row.role) for row in reversed(history) if row.kind == "state"]
    assert walked == [
        ("registered", "regulator"),
        ("activated", "regulator"),
        ("on_chain", "system"),
        ("active", "system"),
        ("inactive", "system"),
    ]


def test_events_before_the_site_is_known_count_once_it_is(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    request = new_operator()
    site = f"uscc:{request.uscc}:1"
    happened(bus, site, "2022-07-01")
    eventually(lambda: db.marks.count_documents({"_id": site}))
    id = client.call("RegisterOperator", request).operator.operator_id
    assert step(client, "ActivateOperator", id) == pb.OPERATOR_STATE_INACTIVE


def test_life_beside_its_way_up_wants_a_reason_and_the_right_role(client: Client) -> None:
    id = client.call("RegisterOperator", new_operator()).operator.operator_id
    own: dict[str, Any] = {"role": "operator", "division": None, "operator_id": id}
    assert refusal(client, "SuspendOperator", id) is grpc.StatusCode.FAILED_PRECONDITION
    step(client, "ActivateOperator", id)
    assert refusal(client, "SuspendOperator", id, " ") is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(client, "SuspendOperator", id, **own) is grpc.StatusCode.PERMISSION_DENIED
    assert refusal(client, "SuspendOperator", id, division="370200") is grpc.StatusCode.NOT_FOUND
    assert step(client, "SuspendOperator", id) == pb.OPERATOR_STATE_SUSPENDED
    assert refusal(client, "DeregisterOperator", id, **own) is grpc.StatusCode.PERMISSION_DENIED
    assert step(client, "ResumeOperator", id) == pb.OPERATOR_STATE_ACTIVATED
    assert step(client, "RevokeOperator", id) == pb.OPERATOR_STATE_REVOKED
    assert refusal(client, "ActivateOperator", id) is grpc.StatusCode.FAILED_PRECONDITION
    assert step(client, "DeregisterOperator", id) == pb.OPERATOR_STATE_DEREGISTERED


def test_declared_closure_is_announced(worker: Process, client: Client, bus: Bus) -> None:
    operator = client.call("RegisterOperator", new_operator()).operator
    announced = bus.listen(EVENTS, "registry.sites_changed.v1")
    start, end = Timestamp(seconds=1_660_000_000), Timestamp(seconds=1_660_500_000)
    request = pb.DeclareClosureRequest(
        request_id="d-1", site_id=operator.sites[0].site_id, closed_from=start, closed_until=end, reason="装修"
    )
    own: dict[str, Any] = {"role": "operator", "division": None, "operator_id": operator.operator_id}
    site = client.call("DeclareClosure", request, **own).site
    assert (site.closed_from, site.closed_until) == (start, end)
    assert told(bus, announced, lambda seen: seen.get("closed_until"))["closed_from"].startswith("2022-08-08")
    backwards = pb.DeclareClosureRequest(
        request_id="d-2", site_id=site.site_id, closed_from=end, closed_until=start, reason="装修"
    )
    assert client.status("DeclareClosure", backwards) is grpc.StatusCode.INVALID_ARGUMENT


# What is owed


def test_obligations_page_through_all_and_follow_the_phase(worker: Process, client: Client, bus: Bus) -> None:
    request = new_operator()
    request.sites[0].unit_kind = pb.UNIT_KIND_SCHOOL_CANTEEN
    dealt_in = [pb.CATEGORY_MEAT, pb.CATEGORY_OTHER]
    request.sites.append(pb.NewSite(name="二店", local_number="2", division="370202", categories=dealt_in))
    client.call("RegisterOperator", request)
    asked = pb.ListObligationsRequest(page_size=4)
    owed: list[tuple[str, int]] = []
    while not owed or asked.page_token:
        page = client.call("ListObligations", asked)
        owed += [(row.site_id, row.category) for row in page.obligations]
        asked.page_token = page.next_page_token
    canteen, shop = (f"uscc:{request.uscc}:{number}" for number in (1, 2))
    assert owed == sorted(set(owed), key=lambda row: (row[0], pb.Category.Name(row[1])))  # type: ignore[arg-type]
    assert len([row for row in owed if row[0] == canteen]) == 10
    assert [row for row in owed if row[0] == shop] == [(shop, pb.CATEGORY_MEAT)]
    assert len(client.call("ListObligations", pb.ListObligationsRequest(division="370202")).obligations) == 1

    announced = bus.listen(EVENTS, "registry.sites_changed.v1")
    phases = {phase.phase_id: phase for phase in client.call("ListPhases", pb.ListPhasesRequest()).phases}
    assert [*phases] == ["s4-launch", "s4-register", "s4-trace"]
    phase = phases["s4-trace"]
    phase.categories[:] = [pb.CATEGORY_VEGETABLE]
    change = pb.SetPhaseRequest(request_id="s-1", phase=phase, reason="分步推进")
    assert client.status("SetPhase", change, division="370100") is grpc.StatusCode.PERMISSION_DENIED
    assert client.call("SetPhase", change).phase.version == 2
    # What was owed before may still be on its way.
    assert told(bus, announced, lambda seen: (seen["site"], seen["obligations"]) == (canteen, ["vegetable"]))
