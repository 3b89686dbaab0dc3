"""What walks have in common, asked of real processes: ways, common sources, lines, dishes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from shilian.trace.v1 import analysis_pb2 as pb
from shilian.trace.v1 import trace_pb2
from shilian.trace.v1.analysis_pb2_grpc import AnalysisServiceStub

from contracts.registry import Alias, SitesAliasedV1
from contracts.topology import EVENTS
from contracts.trace import Party, Record, Step
from services.trace.analyses.queries import MOST_USES
from tests.bus import Bus
from tests.calls import Client
from tests.integration.test_trace_service import FARM, NOON, SCHOOL, STALL, await_events, capture, chain, lot, record
from tests.processes import Process, eventually, set_clock
from tests.stack import Database

Json = dict[str, Any]

FACTORY = Party(site="licence:SC1", operator="o:factory", name="某肉制品厂", division="370105")
OTHER = Party(site="licence:SC2", operator="o:other", name="外市加工厂", division="370212")


def at(batch: str, site: Party | None = None) -> trace_pb2.NodeRef:
    return trace_pb2.NodeRef(batch=batch, site_id=(site and site.site) or "")


@pytest.fixture
def worker(spawn: Callable[..., Process], bus: Bus, mongo: Database) -> Process:
    return spawn("services.trace", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()


@pytest.fixture
def client(worker: Process, start_api: Callable[..., Client], mongo: Database, tmp_path: Path) -> Client:
    """Trace's api, at noon of the fifth of January 2026."""
    clock = tmp_path / "clock"
    set_clock(clock, (NOON - datetime.now(UTC)).total_seconds())
    return start_api("services.trace", AnalysisServiceStub, mongo_url=mongo.url, clock_file=clock)


def ways(begin: trace_pb2.NodeRef | None, end: trace_pb2.NodeRef | None) -> pb.FindPathRequest:
    ends: Any = {"from": begin, "to": end}
    return pb.FindPathRequest(**ends)


def find(client: Client, begin: trace_pb2.NodeRef, end: trace_pb2.NodeRef) -> pb.FindPathResponse:
    found: pb.FindPathResponse = client.call("FindPath", ways(begin, end))
    return found


def step(id: str, site: Party, of: str, into: str, hour: int = 0, line: str | None = None) -> Record:
    return record(id, Step.MAKING, site, hour=hour, inputs=lot(of), outputs=lot(into), production_line=line)


def test_everything_on_a_way_and_a_shortest_one(client: Client, bus: Bus, db: Any) -> None:
    aside = record("E7", Step.SHIPPING, STALL, hour=3, counterparty=FACTORY)
    capture(bus, *chain(), aside)
    await_events(db, 7)
    found = find(client, at("A", FARM), at("M"))
    assert [(node.batch, node.site_id) for node in found.shortest] == [
        ("A", FARM.site), ("A", STALL.site), ("A", SCHOOL.site), ("M", SCHOOL.site),
    ]  # fmt: skip
    assert (found.found, list(found.event_ids)) == (True, ["E2", "E3", "E4", "E5", "E6"])
    assert {node.site_name for node in found.nodes} == {"绿源农场", "张三蔬菜", "实验小学食堂"}
    back = find(client, at("M"), at("A"))
    assert (back.found, back.complete, list(back.nodes)) == (False, True, [])


def test_way_is_found_under_any_id_of_its_end(client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    aliases = SitesAliasedV1(aliases=(Alias(alias="catering:7", site=SCHOOL.site or "", version=1),))
    bus.publish(EVENTS, "registry.sites_aliased.v1", aliases.model_dump_json().encode(), ce_id="A1")
    ends = at("A", FARM), at("M", Party(site="catering:7"))
    assert eventually(lambda: find(client, *ends), lambda answer: answer.found).shortest[-1].site_id == SCHOOL.site


def test_ways_within_scope_only(client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    ask = ways(at("A"), at("M"))
    assert client.status("FindPath", ask, division="370200") == grpc.StatusCode.NOT_FOUND
    stall = {"role": "operator", "operator_id": "o:stall"}
    assert not client.call("FindPath", ask, **stall).found
    hop = ways(at("A", STALL), at("A", SCHOOL))
    assert client.call("FindPath", hop, **stall).found
    beyond = client.call("FindPath", ask, division="371302")
    assert {edge.quantity for edge in beyond.edges if edge.to.site_id == STALL.site} == {""}


def test_common_source_of_weighted_batches(client: Client, bus: Bus, db: Any) -> None:
    """Greens of the farm went into two meals; rice of the stall into one of them and into a third."""
    capture(
        bus,
        *chain(),
        step("E7", SCHOOL, "A", "soup", 5),
        record("E8", Step.SHIPPING, STALL, "rice", 3, counterparty=SCHOOL),
        step("E9", SCHOOL, "rice", "soup", 5),
        step("F1", SCHOOL, "rice", "pudding", 6),
    )
    await_events(db, 10)
    cases = [pb.Case(batch="M", weight="2"), pb.Case(batch="soup"), pb.Case(batch="pudding")]
    found = client.call("CommonSources", pb.CommonSourcesRequest(cases=cases, max_suspects=2))
    assert [(each.node.batch, each.node.site_id, each.score, each.distance) for each in found.nodes] == [
        ("A", SCHOOL.site, 0.75, 2), ("A", STALL.site, 0.75, 4),
    ]  # fmt: skip
    assert list(found.nodes[0].explains) == ["M", "soup"]
    assert [(each.node.site_name, each.score) for each in found.sites] == [("实验小学食堂", 1.0), ("张三蔬菜", 1.0)]
    assert (found.total_nodes, found.total_sites) == (5, 3)
    # Nobody said where the rice came from.
    assert ([gap.kind for gap in found.gaps], found.complete) == (["unknown_source"], False)


WRONG = {
    "cases": [pb.Case(batch="M")],
    "cases.1.batch": [pb.Case(batch="M"), pb.Case(batch="M")],
    "cases.0.weight": [pb.Case(batch="M", weight="0"), pb.Case(batch="N")],
    "cases.1.weight": [pb.Case(batch="M"), pb.Case(batch="N", weight="much")],
}


def test_wrong_question_is_refused_by_its_field(client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain())
    await_events(db, 6)
    questions: list[tuple[str, str, Any]] = [
        *(("CommonSources", field, pb.CommonSourcesRequest(cases=cases)) for field, cases in WRONG.items()),
        ("FindPath", "to.batch", ways(at("A"), None)),
        ("FindPath", "from.batch", ways(None, at("A"))),
        ("CrossContamination", "batch", pb.CrossContaminationRequest()),
        ("CrossContamination", "max_depth", pb.CrossContaminationRequest(batch="A", bounds=pb.Bounds(max_depth=-1))),
        ("ListDishes", "day", pb.ListDishesRequest(batch="A", day="yesterday")),
    ]
    for rpc, field, question in questions:
        with pytest.raises(grpc.RpcError) as refused:
            client.call(rpc, question)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT, rpc
        assert str(refused.value.details()).startswith(f"{field}:")


def contamination(client: Client, batch: str, **caller: Any) -> pb.CrossContaminationResponse:
    found: pb.CrossContaminationResponse = client.call(
        "CrossContamination", pb.CrossContaminationRequest(batch=batch), **caller
    )
    return found


def lines() -> list[Record]:
    """Pork, then beef on the same line, a clean-down, then chicken; and what names no line."""
    cleaning: Json = {"inputs": (), "outputs": (), "production_line": "1号线"}
    return [
        step("E1", FACTORY, "pork", "sausage", 1, "1号线"),
        step("E2", FACTORY, "beef", "patty", 2, "1号线"),
        step("E3", FACTORY, "lamb", "kebab", 2, "2号线"),
        step("E4", FACTORY, "duck", "roll", 2),
        record("E5", Step.CLEANING, FACTORY, hour=3, **cleaning),
        step("E6", FACTORY, "chicken", "nugget", 4, "1号线"),
        record("E7", Step.SHIPPING, FACTORY, "patty", 5, counterparty=SCHOOL),
        record("E8", Step.SHIPPING, FACTORY, "nugget", 5, counterparty=SCHOOL),
    ]


def test_what_went_over_the_line_before_its_clean_down_and_where_it_went(client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *lines())
    await_events(db, 8)
    found = contamination(client, "pork")
    [line] = found.lines
    assert (line.site_name, line.production_line, line.cleaned_event_id) == ("某肉制品厂", "1号线", "E5")
    assert [(each.node.batch, each.event_id, each.product) for each in line.contaminated] == [("patty", "E2", "大白菜")]
    assert [(each.event_id, each.site_name, each.reason) for each in found.not_judged] == [
        ("E4", "某肉制品厂", "no_line")
    ]
    assert {(node.batch, node.site_id) for node in found.nodes} == {("patty", FACTORY.site), ("patty", SCHOOL.site)}
    assert (list(found.event_ids), found.complete) == (["E7"], False)
    # A clean-down about which an error was declared cleaned nothing.
    db.events.update_one({"_id": "E5"}, {"$set": {"declared": {"id": "D1"}}})
    [line] = contamination(client, "pork").lines
    assert [each.node.batch for each in line.contaminated] == ["patty", "nugget"]
    assert (line.cleaned_event_id, line.HasField("cleaned_time")) == ("", False)


def test_what_was_made_of_a_batch_counts_as_it_does_when_asked(client: Client, bus: Bus, db: Any) -> None:
    capture(
        bus,
        step("E1", FACTORY, "pork", "mince", 1, "1号线"),
        record("E2", Step.SHIPPING, FACTORY, "mince", 2, counterparty=SCHOOL),
        step("E3", SCHOOL, "mince", "meatball", 3, "灶1"),
        step("E4", SCHOOL, "tofu", "tofu soup", 4, "灶1"),
    )
    await_events(db, 4)
    assert [(each.production_line, len(each.contaminated)) for each in contamination(client, "pork").lines] == [
        ("1号线", 0)
    ]
    ask = pb.CrossContaminationRequest(batch="pork", with_products=True)
    lines_ = client.call("CrossContamination", ask).lines
    assert [(each.production_line, [one.node.batch for one in each.contaminated]) for each in lines_] == [
        ("1号线", []), ("灶1", ["tofu soup"]),
    ]  # fmt: skip
    within = client.call("CrossContamination", ask, division="370105")
    assert [(each.event_id, each.reason) for each in within.not_judged] == [("E3", "beyond_scope")]
    factory = {"role": "operator", "operator_id": "o:factory"}
    assert list(client.call("CrossContamination", ask, **factory).not_judged) == []


def flood(db: Any, hour: int) -> None:
    """As many steps on the line as are looked at, a second apart."""
    [step] = db.events.find({"_id": "E6"})
    begin = NOON + timedelta(hours=hour)
    steps = ({"_id": f"F{n:04}", "time": begin + timedelta(seconds=n)} for n in range(MOST_USES))
    db.events.insert_many([step | each for each in steps])


def test_line_with_more_steps_than_are_looked_at_is_told(client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *lines())
    await_events(db, 8)
    flood(db, hour=4)
    # After the clean-down they are nobody's concern.
    found = contamination(client, "pork")
    assert [each.reason for each in found.not_judged] == ["no_line"]
    assert [[each.node.batch for each in line.contaminated] for line in found.lines] == [["patty"]]
    db.events.delete_one({"_id": "E5"})
    found = contamination(client, "pork")
    assert [(each.reason, each.site_name, each.event_id) for each in found.not_judged] == [
        ("too_many", "某肉制品厂", ""), ("no_line", "某肉制品厂", "E4"),
    ]  # fmt: skip
    assert not found.complete
    [line] = found.lines
    assert {each.node.batch for each in line.contaminated} == {"patty", "nugget"}
    assert len(line.contaminated) < MOST_USES


def test_batch_whose_step_names_no_line_is_not_judged(client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *lines())
    await_events(db, 8)
    found = contamination(client, "duck")
    assert ([each.event_id for each in found.not_judged], list(found.lines), found.complete) == (["E4"], [], False)


def test_other_use_of_a_line_beyond_the_division_is_not_told(client: Client, bus: Bus, db: Any) -> None:
    capture(
        bus,
        step("E1", OTHER, "pork", "sausage", 1, "1号线").model_copy(update={"inputs": (*lot("pork"), *lot("secret"))}),
        step("E2", OTHER, "beef", "patty", 2, "1号线"),
        record("E3", Step.SHIPPING, OTHER, "sausage", 3, counterparty=SCHOOL),
    )
    await_events(db, 3)
    near = contamination(client, "pork", division="371302")
    assert ([(each.event_id, each.reason) for each in near.not_judged], list(near.lines)) == (
        [("E1", "beyond_scope")],
        [],
    )
    assert not {"patty", "secret"} & {batch for each in near.not_judged for batch in each.batches}
    assert "patty" not in str(near)
    assert contamination(client, "pork", division="370200").lines[0].contaminated[0].node.batch == "patty"
    ask = pb.CrossContaminationRequest(batch="pork")
    assert client.status("CrossContamination", ask, division="370100") == grpc.StatusCode.NOT_FOUND


def test_dishes_of_a_day_that_hold_a_batch(client: Client, bus: Bus, db: Any) -> None:
    cooked: Json = {"inputs": lot("stock"), "outputs": lot("soup", "60")}
    capture(
        bus,
        *chain(),
        step("E7", SCHOOL, "A", "stock", 4),
        record("E8", Step.KITCHEN_USE, SCHOOL, hour=6, **cooked),
        record("E9", Step.KITCHEN_USE, SCHOOL, hour=24, inputs=lot("A"), outputs=lot("stew", "9")),
        record("F1", Step.KITCHEN_USE, SCHOOL, hour=6, inputs=lot("rice"), outputs=lot("porridge", "9")),
        record("F2", Step.KITCHEN_USE, SCHOOL, hour=7, inputs=lot("A"), outputs=()),
    )
    await_events(db, 11)

    def dishes(**fields: Any) -> list[tuple[str, str, list[str]]]:
        found = client.call("ListDishes", pb.ListDishesRequest(batch="A", **fields))
        return [(each.node.batch, each.quantity, list(each.ingredients)) for each in found.dishes]

    today = [("M", "30", ["A"]), ("soup", "60", ["stock"]), ("A", "10", ["A"])]
    assert dishes() == dishes(day="2026-01-05") == today
    assert dishes(day="2026-01-06") == [("stew", "9", ["A"])]
    assert dishes(day="2026-01-04") == []
    school = {"role": "operator", "operator_id": "o:school"}
    own = client.call("ListDishes", pb.ListDishesRequest(batch="A"), **school)
    assert (own.day, [each.node.site_name for each in own.dishes]) == ("2026-01-05", ["实验小学食堂"] * 3)
    beyond = client.call("ListDishes", pb.ListDishesRequest(batch="A"), division="370102")
    assert [each.quantity for each in beyond.dishes] == [""] * 3
    ask = pb.ListDishesRequest(batch="A")
    assert client.status("ListDishes", ask, division="370200") == grpc.StatusCode.NOT_FOUND


def test_common_sources_within_scope_only(client: Client, bus: Bus, db: Any) -> None:
    capture(bus, *chain(), step("E7", SCHOOL, "A", "soup", 5))
    await_events(db, 7)
    ask = pb.CommonSourcesRequest(cases=[pb.Case(batch="M"), pb.Case(batch="soup")])
    assert client.status("CommonSources", ask, division="370200") == grpc.StatusCode.NOT_FOUND
    assert {each.node.site_id for each in client.call("CommonSources", ask, division="370102").nodes} == {
        SCHOOL.site, STALL.site, FARM.site,
    }  # fmt: skip
    school = {"role": "operator", "operator_id": "o:school"}
    # One hop up, as it knows its supplier.
    assert {each.node.site_id for each in client.call("CommonSources", ask, **school).nodes} == {
        SCHOOL.site,
        STALL.site,
    }
    stall = {"role": "operator", "operator_id": "o:stall"}
    assert client.status("CommonSources", ask, **stall) == grpc.StatusCode.NOT_FOUND


def test_contaminated_goods_under_any_id_of_the_site(client: Client, bus: Bus, db: Any) -> None:
    """Two systems tell of one factory under ids of their own: its line is one line."""
    renamed = FACTORY.model_copy(update={"site": "one_network:9"})
    capture(
        bus,
        step("E1", FACTORY, "pork", "sausage", 1, "1号线"),
        step("E2", renamed, "beef", "patty", 2, "1号线"),
        record("E3", Step.SHIPPING, FACTORY, "patty", 3, counterparty=SCHOOL),
    )
    await_events(db, 3)
    assert not contamination(client, "pork").lines[0].contaminated
    aliases = SitesAliasedV1(aliases=(Alias(alias="one_network:9", site=FACTORY.site or "", version=1),))
    bus.publish(EVENTS, "registry.sites_aliased.v1", aliases.model_dump_json().encode(), ce_id="A1")
    found = eventually(lambda: contamination(client, "pork"), lambda answer: answer.lines[0].contaminated)
    assert [(each.node.batch, each.node.site_id) for each in found.lines[0].contaminated] == [("patty", FACTORY.site)]
    assert list(found.event_ids) == ["E3"]
