"""The registry as its neighbours meet it: real worker and api processes on a real broker and a real database."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from shilian.registry.v1 import registry_pb2 as pb
from shilian.registry.v1.registry_pb2_grpc import RegistryServiceStub

from contracts import identity
from contracts.topology import COMMANDS, EGRESS, EVENTS, REGISTRY_OBSERVE
from tests.bus import Bus
from tests.calls import Client
from tests.processes import Process, eventually
from tests.stack import Database

LICENCE = "JY23501110153674"
USCC = "91350100M000100Y43"
OTHER_USCC = "92370102MA3C0000X1"

Document = dict[str, Any]


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database) -> Process:
    return spawn("services.registry", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()


@pytest.fixture
def client(start_api: Callable[..., Client], mongo: Database) -> Client:
    return start_api("services.registry", RegistryServiceStub, mongo_url=mongo.url)


def seen(source: str, source_id: str, minute: int = 0, **told: Any) -> Document:
    """An observation as an adapter sends it."""
    licence, uscc = told.get("licence"), told.get("uscc")
    ids = {"source": source, "source_id": source_id}
    return {
        "id": uuid4().hex,
        **ids,
        "message_id": f"m-{minute}",
        "line": 1,
        "observed_at": f"2022-07-01T04:{minute:02}:00Z",
        "site": identity.site_id(licence=licence, uscc=uscc, **ids),
        "operator": identity.operator_id(uscc=uscc, licence=licence, **ids),
        "name": "张三蔬菜",
        "division": "370102",
        **told,
    }


def observe(bus: Bus, *observations: Document) -> None:
    bus.publish(COMMANDS, REGISTRY_OBSERVE.keys[0], {"observations": observations}, ce_id=uuid4().hex)


def await_recorded(db: Any, count: int) -> None:
    eventually(lambda: db.changes.count_documents({"kind": "observed"}), lambda found: found == count)


def await_alias(bus: Bus, announced: str, alias: str, site: str) -> None:
    """Returns once it is announced that an alias means this site."""
    meant: list[tuple[str, str]] = []
    while (alias, site) not in meant:
        meant = [(told["alias"], told["site"]) for told in bus.await_message(announced).body.get("aliases", ())]


def new_operator(uscc: str = OTHER_USCC, division: str = "370102", **fields: Any) -> pb.RegisterOperatorRequest:
    site = pb.NewSite(name="一店", local_number="1", address="历下区 1 号", division=division, link=pb.LINK_CATERING)
    request = {"request_id": uuid4().hex, "name": "李四餐饮", "uscc": uscc, "phone": "13800000000", "sites": [site]}
    return pb.RegisterOperatorRequest(**{**request, **fields})


def test_three_apps_that_see_one_operator_make_one(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    announced = bus.listen(EVENTS, "registry.*.v1")
    answers = [bus.listen(EGRESS, source) for source in ("market", "one_network", "catering")]
    observe(bus, seen("market", "stall-9"))
    observe(bus, seen("one_network", "n-5", 1, licence=LICENCE, uscc=USCC))
    observe(bus, seen("catering", "c-1", 2, licence=LICENCE))
    observe(bus, seen("market", "stall-9", 3, licence=LICENCE))
    await_recorded(db, 4)

    for id in ("market:stall-9", "one_network:n-5", "catering:c-1", f"licence:{LICENCE}", f"uscc:{USCC}"):
        site = client.call("GetSite", pb.GetSiteRequest(site_id=id)).site
        assert (site.site_id, site.operator_id) == (f"licence:{LICENCE}", f"uscc:{USCC}")
    operator = client.call("GetOperator", pb.GetOperatorRequest(operator_id="market:stall-9")).operator
    assert operator.state == pb.OPERATOR_STATE_REGISTERED
    assert [(each.source, each.id) for each in operator.sites[0].source_ids] == [
        ("catering", "c-1"),
        ("market", "stall-9"),
        ("one_network", "n-5"),
    ]
    outcomes: list[str] = []

    def told() -> int:
        outcomes.extend(v["outcome"] for queue in answers for m in bus.take_all(queue) for v in m.body["verdicts"])
        return len(outcomes)

    eventually(told, lambda count: count >= 4)
    assert outcomes == ["accepted"] * 4
    await_alias(bus, announced, "market:stall-9", f"licence:{LICENCE}")


def test_repeated_observation_is_answered_as_duplicate(worker: Process, bus: Bus, db: Any) -> None:
    answers = bus.listen(EGRESS, "market")
    one = seen("market", "stall-9", licence=LICENCE)
    again = {**one, "id": uuid4().hex, "message_id": "m-9", "observed_at": "2022-07-02T04:00:00Z"}
    for each, outcome in ((one, "accepted"), (one, "duplicate"), (again, "duplicate")):
        observe(bus, each)
        assert bus.await_message(answers).body["verdicts"][0]["outcome"] == outcome
    assert db.changes.count_documents({"kind": "observed"}) == 1


def test_wrong_check_digit_is_accepted_flagged_and_listed(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    answers = bus.listen(EGRESS, "market")
    observe(bus, seen("market", "1", uscc=USCC[:-1] + "4"), seen("market", "2", uscc=USCC))
    verdicts = bus.await_message(answers).body["verdicts"]
    assert [[flag["rule"] for flag in verdict.get("flags", ())] for verdict in verdicts] == [["uscc_check_digit"], []]
    found = client.call("ListOperators", pb.ListOperatorsRequest(flag="uscc_check_digit")).operators
    assert [operator.operator_id for operator in found] == [f"uscc:{USCC[:-1]}4"]


def test_two_workers_take_in_one_newcomer_once(
    worker: Process, spawn: Callable[..., Process], bus: Bus, mongo: Database, db: Any
) -> None:
    options = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url, "batch_size": 3, "linger_ms": 0}
    spawn("services.registry", "worker", **options).wait_ready()
    stalls = [f"stall-{number}" for number in range(5)]
    sights = [
        seen("market", stall, minute, licence=LICENCE if minute % 2 else None, uscc=USCC, phone=f"1380000{minute:04}")
        for minute in range(24)
        for stall in stalls
    ]
    for sight in sights:
        observe(bus, sight)
    await_recorded(db, len(sights))
    bus.await_empty(REGISTRY_OBSERVE.name, REGISTRY_OBSERVE.dead)
    (operator,) = db.operators.find()
    assert operator["_id"] == f"uscc:{USCC}"
    assert operator["phone"] == "13800000023"
    assert {claim["source_id"] for claim in operator["claims"]} == set(stalls)
    assert [site["site"] for site in operator["sites"]] == [f"licence:{LICENCE}"]


def test_one_request_id_registers_once(client: Client, db: Any) -> None:
    request = new_operator()
    first = client.call("RegisterOperator", request).operator
    assert client.call("RegisterOperator", request).operator == first
    assert first.state == pb.OPERATOR_STATE_REGISTERED
    assert db.changes.count_documents({"kind": "registered"}) == 1
    other = new_operator(request_id=request.request_id, name="别人")
    assert client.status("RegisterOperator", other) is grpc.StatusCode.INVALID_ARGUMENT


def test_registered_operator_is_activated_with_who_and_why(client: Client, db: Any) -> None:
    id = client.call("RegisterOperator", new_operator()).operator.operator_id
    request = pb.ActivateOperatorRequest(request_id="r-1", operator_id=id, reason="培训完成")
    assert client.call("ActivateOperator", request).operator.state == pb.OPERATOR_STATE_ACTIVATED
    row = db.changes.find_one({"kind": "state", "detail.to": "activated"})
    assert (row["who"], row["role"], row["why"], row["detail"]["from"]) == (
        "tester",
        "regulator",
        "培训完成",
        "registered",
    )
    request.request_id = "r-2"
    assert client.status("ActivateOperator", request) is grpc.StatusCode.FAILED_PRECONDITION


def test_update_sets_the_fields_of_its_mask(client: Client) -> None:
    operator = client.call("RegisterOperator", new_operator()).operator
    request = pb.UpdateOperatorRequest(request_id="u-1", operator=operator)
    request.operator.phone, request.operator.name = "13900000000", "改名"
    request.operator.sites[0].address = "历下区 2 号"
    request.update_mask.paths[:] = ["phone", "sites"]
    updated = client.call("UpdateOperator", request).operator
    assert (updated.phone, updated.name, updated.sites[0].address) == ("13900000000", "李四餐饮", "历下区 2 号")
    request.request_id = "u-2"
    assert client.status("UpdateOperator", request) is grpc.StatusCode.ABORTED


def test_other_division_sees_nothing(client: Client) -> None:
    operator = client.call("RegisterOperator", new_operator()).operator
    get = pb.GetOperatorRequest(operator_id=operator.operator_id)
    site = pb.GetSiteRequest(site_id=operator.sites[0].site_id)
    for division in ("370200", "110000"):
        assert client.status("GetOperator", get, division=division) is grpc.StatusCode.NOT_FOUND
        assert client.status("GetSite", site, division=division) is grpc.StatusCode.NOT_FOUND
        assert not client.call("ListOperators", pb.ListOperatorsRequest(), division=division).operators
        batch = client.call(
            "BatchGetOperators", pb.BatchGetOperatorsRequest(operator_ids=[operator.operator_id]), division=division
        )
        assert list(batch.not_found) == [operator.operator_id]
        activate = pb.ActivateOperatorRequest(request_id="a-1", operator_id=operator.operator_id)
        assert client.status("ActivateOperator", activate, division=division) is grpc.StatusCode.NOT_FOUND
    assert client.call("GetOperator", get, division="370102").operator == operator
    assert client.status("RegisterOperator", new_operator(USCC), division="370200") is grpc.StatusCode.PERMISSION_DENIED


def test_whom_to_call_is_for_the_operator_and_its_regulators(client: Client) -> None:
    id = client.call("RegisterOperator", new_operator()).operator.operator_id
    get = pb.GetOperatorRequest(operator_id=id)
    own: dict[str, Any] = {"role": "operator", "division": None}
    assert client.call("GetOperator", get).operator.phone == "13800000000"
    assert client.call("GetOperator", get, operator_id=id, **own).operator.phone == "13800000000"
    assert client.call("GetOperator", get, role="overseer").operator.phone == ""
    assert client.call("GetOperator", get, role="system", division=None).operator.phone == ""
    assert client.status("GetOperator", get, operator_id="uscc:other", **own) is grpc.StatusCode.NOT_FOUND
    other = new_operator(USCC)
    assert client.status("RegisterOperator", other, operator_id=id, **own) is grpc.StatusCode.PERMISSION_DENIED


def test_operator_sites_outside_the_division_are_not_shown(client: Client) -> None:
    request = new_operator()
    request.sites.append(pb.NewSite(name="二店", local_number="2", division="370202"))
    id = client.call("RegisterOperator", request).operator.operator_id
    get = pb.GetOperatorRequest(operator_id=id)
    shown = {
        d: [s.name for s in client.call("GetOperator", get, division=d).operator.sites]
        for d in ("370100", "370200", "370000")
    }
    assert shown == {"370100": ["一店"], "370200": ["二店"], "370000": ["一店", "二店"]}


def test_nobody_takes_a_site_by_registering_it(client: Client) -> None:
    mine, theirs = "uscc:" + OTHER_USCC, "uscc:" + USCC
    site = pb.NewSite(name="一店", licence=LICENCE, division="370102")
    client.call("RegisterOperator", new_operator(USCC, sites=[site]))
    owner: dict[str, Any] = {"role": "operator", "division": None}
    taking = new_operator(sites=[site])
    assert client.status("RegisterOperator", taking, operator_id=mine, **owner) is grpc.StatusCode.PERMISSION_DENIED
    moved = new_operator(USCC, sites=[pb.NewSite(name="一店", licence=LICENCE, division="370200")])
    assert client.status("RegisterOperator", moved, division="370200") is grpc.StatusCode.PERMISSION_DENIED
    again = new_operator(USCC, sites=[site])
    told = client.call("RegisterOperator", again, operator_id=theirs, **owner).operator
    assert [(each.site_id, each.division) for each in told.sites] == [(f"licence:{LICENCE}", "370102")]


def test_a_refusal_fits_into_what_grpc_carries(client: Client) -> None:
    long = pb.GetOperatorRequest(operator_id="食" * 20_000)
    assert client.status("GetOperator", long) is grpc.StatusCode.NOT_FOUND
    many = new_operator(sites=[pb.NewSite(name="食") for _ in range(500)])
    assert client.status("RegisterOperator", many) is grpc.StatusCode.INVALID_ARGUMENT
    large = new_operator(name="食" * 1_000_000)
    assert client.status("RegisterOperator", large) is grpc.StatusCode.INVALID_ARGUMENT


def test_list_pages_through_all_operators_once(client: Client) -> None:
    made = {client.call("RegisterOperator", new_operator(f"{USCC[:15]}{n:03}")).operator.operator_id for n in range(5)}
    listed: list[str] = []
    request = pb.ListOperatorsRequest(page_size=2)
    while True:
        page = client.call("ListOperators", request, division="370100")
        listed += [operator.operator_id for operator in page.operators]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert listed == sorted(made)


def test_same_name_and_address_is_proposed_and_a_person_merges(
    worker: Process, client: Client, bus: Bus, db: Any
) -> None:
    announced = bus.listen(EVENTS, "registry.sites_aliased.v1")
    observe(bus, seen("market", "stall-9", address="中心市场 A区9号", division=None))
    observe(bus, seen("catering", "c-1", address="中心市场Ａ区 9号", licence=LICENCE))
    await_recorded(db, 2)
    (proposal,) = client.call("ListMergeProposals", pb.ListMergeProposalsRequest()).proposals
    assert (proposal.left.site_id, proposal.right.site_id) == (f"licence:{LICENCE}", "market:stall-9")
    assert proposal.reason == "name_address"

    merge = pb.MergeSitesRequest(
        request_id="m-1", keep_site_id=f"licence:{LICENCE}", merge_site_id="market:stall-9", reason="现场核实"
    )
    assert client.status("MergeSites", merge, division="370200") is grpc.StatusCode.NOT_FOUND
    site = client.call("MergeSites", merge).site
    assert "market:stall-9" in site.aliases
    await_alias(bus, announced, "market:stall-9", f"licence:{LICENCE}")
    assert not client.call("ListMergeProposals", pb.ListMergeProposalsRequest()).proposals
    row = db.changes.find_one({"kind": "merged"})
    assert (row["who"], row["why"], row["detail"]["merged"]) == ("tester", "现场核实", "market:stall-9")


def test_proposals_page_through_all_pairs_once(worker: Process, client: Client, bus: Bus, db: Any) -> None:
    observe(bus, *(seen("market", f"stall-{number}", address="中心市场") for number in range(4)))
    await_recorded(db, 4)
    request = pb.ListMergeProposalsRequest(page_size=2)
    pairs: list[tuple[str, str]] = []
    while not pairs or request.page_token:
        page = client.call("ListMergeProposals", request)
        pairs += [(proposal.left.site_id, proposal.right.site_id) for proposal in page.proposals]
        request.page_token = page.next_page_token
    assert pairs == [("market:stall-0", f"market:stall-{number}") for number in (1, 2, 3)]


INCOMPLETE: list[dict[str, Any]] = [
    {"name": " "},
    {"uscc": "", "sites": [pb.NewSite(name="一店", division="370102")]},
    {"sites": []},
    {"sites": [pb.NewSite(local_number="1", division="370102"), pb.NewSite(local_number="1", division="370102")]},
    {"sites": [pb.NewSite(local_number="1")]},
    {"sites": [pb.NewSite(local_number="1", division="370102", link=99)]},  # type: ignore[arg-type]
    {"request_id": ""},
]


def test_incomplete_registration_is_refused(client: Client, db: Any) -> None:
    answers = [client.status("RegisterOperator", new_operator(**wrong)) for wrong in INCOMPLETE]
    assert answers == [grpc.StatusCode.INVALID_ARGUMENT] * len(INCOMPLETE)
    assert db.operators.count_documents({}) == 0


def test_observation_registers_what_is_then_announced(worker: Process, bus: Bus) -> None:
    announced = bus.listen(EVENTS, "registry.sites_changed.v1")
    observe(bus, seen("market", "stall-9", licence=LICENCE, link="circulation"))
    (site,) = bus.await_message(announced).body["sites"]
    assert (site["site"], site["state"], site["link"]) == (f"licence:{LICENCE}", "registered", "circulation")
    assert site["sources"] == ["market"]
