"""The command line against a real broker and real services, as a vendor, a regulator and an operations team use it."""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from clients.cli.__main__ import app
from contracts.topology import DEAD, DELIVERY_LIMIT, EGRESS, MARKET_INGEST
from deploy.local.home import Home
from deploy.local.provision import provision_database
from tests.bus import Bus
from tests.processes import Process, eventually, free_port
from tests.stack import Database, Infra, Vhost

Run = Callable[..., Result]
Json = dict[str, Any]

SALE = "market.sale_ticket.v1"
QUEUE = MARKET_INGEST.name

ENTRY = {
    "type": "market.entry_ticket.v1",
    "单号": "JC-1",
    "时间": "2026-01-05 05:00",
    "摊位": {"编号": "A09", "名称": "张三蔬菜", "地址": "堤口路1号", "行政区划": "370105"},
    "供货者": {"名称": "寿光合作社", "统一社会信用代码": "91370783MA3CXXXX0A", "地址": "寿光市", "联系人": "李四"},
    "明细": [{"品名": "菠菜", "类别": "蔬菜", "数量": "100", "单位": "公斤", "批号": "B1"}],
}
SALES = {
    "type": SALE,
    "单号": "YPT-1",
    "时间": "2026-01-05 07:00",
    "摊位": ENTRY["摊位"],
    "买方": {"名称": "实验小学食堂", "许可证编号": "JY23501110153674", "地址": "历下区", "行政区划": "370102"},
}


@pytest.fixture
def home(vhost: Vhost, tmp_path: Path) -> Home:
    """What a running local stack would have written down."""
    home = Home.at(tmp_path / "stack")
    write(home, {"amqp": {"shilian": vhost.url, "market": vhost.url}, "jwt_private_key": str(home.private_key)})
    return home


def write(home: Home, facts: Json) -> None:
    (home.path / "stack.json").write_text(json.dumps(facts))


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on that stack."""
    for name in ("AMQP_URL", "GRPC_TRACE", "GRPC_REGISTRY", "TOKEN"):
        monkeypatch.delenv(f"SHILIAN_{name}", raising=False)
    monkeypatch.setenv("SHILIAN_STACK_DIR", str(home.path))
    return lambda *words: CliRunner().invoke(app, list(map(str, words)))


def printed(answer: Result) -> Any:
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


def lines(path: Path, *rows: Json) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    return path


def dead(bus: Bus, id: str, **headers: Any) -> None:
    named = {"x_shilian_queue": QUEUE, "x_shilian_routing_key": SALE, "x_shilian_message_id": id}
    bus.publish(DEAD, QUEUE, {"n": id}, ce_id=id, ce_type=SALE, **named, **headers)


def test_publish_sends_every_row_and_waits_for_the_confirms(run: Run, bus: Bus, tmp_path: Path) -> None:
    file = lines(tmp_path / "sales.jsonl", {"n": 1}, {"n": 2})
    told = printed(run("publish", "market", file, "--type", SALE, "--format", "json"))
    assert told == {"published": 2, "remaining": 0, "unroutable": 0}
    assert [message.body["n"] for message in bus.take_all(QUEUE)] == [1, 2]


def test_publish_of_another_systems_type_is_refused_before_anything_is_sent(run: Run, bus: Bus, tmp_path: Path) -> None:
    file = lines(tmp_path / "units.jsonl", {"n": 1})
    answer = run("publish", "market", file, "--type", "catering.unit_sync.v1")
    assert answer.exit_code == 2
    assert "catering.unit_sync.v1" in answer.stderr


def test_egress_prints_the_answers_and_takes_them_unless_asked_to_peek(run: Run, bus: Bus) -> None:
    error = {"field": "数量", "value": "-3", "rule": "quantity_negative", "message": "数量为负"}
    verdict = {"message_id": "M1", "record": 2, "outcome": "rejected", "errors": [error]}
    bus.publish(EGRESS, "market", {"source": "market", "verdicts": [verdict]}, ce_id="V1", ce_type="egress.verdicts.v1")
    [seen] = printed(run("egress", "market", "--peek", "--format", "json"))
    assert (seen["id"], seen["type"]) == ("V1", "egress.verdicts.v1")
    assert seen["data"]["verdicts"] == [verdict]
    table = run("egress", "market").stdout
    assert "已拒绝" in table
    assert "数量 = -3: 数量为负 [quantity_negative]" in table
    assert printed(run("egress", "market", "--format", "json")) == []


def test_dead_letters_are_listed_and_stay(run: Run, bus: Bus) -> None:
    errors = '[{"field": "数量", "value": "-3", "rule": "quantity_negative", "message": "数量为负"}]'
    dead(bus, "M1", x_shilian_reason="quantity_negative", x_shilian_errors=errors, x_shilian_records=2)
    dead(bus, "M2", x_shilian_reason="poison")
    for _ in range(2):
        first, second = printed(run("dead", "list", "--format", "json"))
        assert (first["id"], first["queue"], first["records"]) == ("M1", QUEUE, 2)
        assert first["errors"][0]["rule"] == "quantity_negative"
        assert second["reason"] == "poison"
    assert "数量 = -3: 数量为负" in run("dead", "list", "--queue", QUEUE).stdout
    assert printed(run("dead", "list", "--queue", "trace.capture", "--format", "json")) == []
    assert run("dead", "list", "--queue", "nonsense").exit_code == 2
    cut = run("dead", "list", "--limit", "1", "--format", "json")
    assert len(printed(cut)) == 1
    assert "1 more" in cut.stderr


def test_dead_letter_is_shown_whole(run: Run, bus: Bus) -> None:
    dead(bus, "M1", x_shilian_reason="poison")
    [shown] = printed(run("dead", "show", "M1", "--format", "json"))
    assert json.loads(shown["body"]) == {"n": "M1"}
    assert shown["headers"]["ce-type"] == SALE
    table = run("dead", "show", "M1").stdout
    assert '"n": "M1"' in table
    assert "{'" not in table
    assert run("dead", "show", "M2").exit_code == 1


def test_replayed_letter_is_back_in_its_queue_and_no_longer_dead(run: Run, bus: Bus) -> None:
    dead(bus, "M1", x_shilian_reason="poison", x_shilian_attempt=3)
    dead(bus, "M2", x_shilian_reason="poison")
    assert printed(run("dead", "replay", "M1", "--format", "json")) == {"replayed": ["M1"]}
    back = bus.await_message(QUEUE)
    assert back.body == {"n": "M1"}
    # The broker counts deliveries anew.
    kept = {"ce-id": "M1", "ce-type": SALE, "x-shilian-routing-key": SALE, "x-delivery-count": 0}
    assert back.headers == kept
    assert [letter["id"] for letter in printed(run("dead", "list", "--format", "json"))] == ["M2"]
    missing = run("dead", "replay", "M3")
    assert (missing.exit_code, "M3" in missing.stderr) == (1, True)


def test_message_the_broker_gave_up_on_is_listed_and_replayed_under_its_first_key(run: Run, bus: Bus) -> None:
    bus.publish("shilian.ingest", SALE, {"n": 1}, ce_id="M1")
    for _ in range(DELIVERY_LIMIT + 1):
        method = eventually(lambda: bus.channel.basic_get(QUEUE)[0], lambda got: got is not None)
        assert method is not None
        bus.channel.basic_nack(method.delivery_tag)
    [letter] = eventually(lambda: printed(run("dead", "list", "--format", "json")))
    assert (letter["id"], letter["reason"], letter["routing_key"]) == ("M1", "delivery_limit", SALE)
    [shown] = printed(run("dead", "show", "M1", "--format", "json"))
    assert shown["headers"]["x-death"][0]["reason"] == "delivery_limit"
    assert printed(run("dead", "replay", "--all", "--format", "json")) == {"replayed": ["M1"]}
    assert bus.await_message(QUEUE).headers["x-shilian-routing-key"] == SALE


@pytest.fixture
def registry_database(stack: Infra, mongo: Database) -> Iterator[Database]:
    """A second database, for each service owns one."""
    name, password = f"{mongo.name}_registry", secrets.token_hex(8)
    provision_database(stack.mongod.root_url, name, name, password)
    yield Database(name, stack.mongod.url(name, password, name))
    with MongoClient[Json](stack.mongod.root_url) as client:
        client[name].command("dropAllUsersFromDatabase")
        client.drop_database(name)


@pytest.fixture
def platform(bus: Bus, home: Home, spawn: Callable[..., Process], mongo: Database, registry_database: Database) -> None:
    """The market's adapter, registry and trace, each of their processes."""
    started = [spawn("services.adapters.market", "worker", amqp_url=bus.vhost.url)]
    addresses: dict[str, str] = {}
    for name, database in (("trace", mongo), ("registry", registry_database)):
        port, where = free_port(), {"amqp_url": bus.vhost.url, "mongo_url": database.url}
        started.append(spawn(f"services.{name}", "worker", **where))
        api = {"grpc_port": port, "jwt_public_key_file": home.public_key}
        started.append(spawn(f"services.{name}", "api", **where, **api))
        addresses[name] = f"127.0.0.1:{port}"
    for process in started:
        process.wait_ready()
    facts = json.loads((home.path / "stack.json").read_text())
    write(home, facts | {"grpc": addresses})


@pytest.mark.usefixtures("platform")
def test_vendor_publishes_reads_the_answers_and_a_regulator_traces(run: Run, bus: Bus, tmp_path: Path) -> None:
    sync = {"type": "market.stall_sync.v1", "明细": [{"编号": "A09", "名称": "张三蔬菜", "行政区划": "370105"}]}
    assert run("publish", "market", lines(tmp_path / "a.jsonl", sync, ENTRY)).exit_code == 0
    entered = recorded(run)
    [batch] = entered["batches"]
    sale = SALES | {"明细": [{"品名": "菠菜", "数量": "30", "单位": "公斤", "追溯码": batch}]}
    assert run("publish", "market", lines(tmp_path / "b.jsonl", sale)).exit_code == 0
    sold = recorded(run)

    forward = printed(run("trace", batch, "--direction", "forward", "--format", "json"))
    backward = printed(run("trace", batch, "--direction", "backward", "--format", "json"))
    for chain in (forward, backward):
        assert {entered["event_id"], sold["event_id"]} & set(chain["events"])
        assert {"张三蔬菜"} <= {node["site_name"] for node in chain["nodes"]}
    edge = next(edge for edge in forward["edges"] if edge["event_id"] == sold["event_id"])
    assert (edge["step"], float(edge["quantity"]), edge["unit"]) == ("shipping", 30.0, "KGM")
    assert edge["to"]["site"] == "licence:JY23501110153674"

    table = run("trace", batch, "--direction", "forward").stdout
    assert "场所 site" in table
    assert "└─ 实验小学食堂" in table
    picture = ElementTree.fromstring(run("trace", batch, "--direction", "forward", "--format", "svg").stdout)
    assert any("实验小学食堂" in text for text in picture.itertext())

    found = printed(run("holders", batch, "--format", "json"))
    assert "实验小学食堂" in {holder["site_name"] for holder in found["holders"]}
    assert "实验小学食堂" in run("holders", batch).stdout

    events = printed(run("event", "list", "--batch", batch, "--format", "json"))["events"]
    assert {event["event_id"] for event in events} == {entered["event_id"], sold["event_id"]}
    assert printed(run("event", "show", sold["event_id"], "--format", "json"))["event"]["step"] == "shipping"
    assert "完整率 completeness" in run("event", "show", sold["event_id"]).stdout
    assert "发货" in run("event", "list", "--step", "shipping").stdout
    assert printed(run("event", "flags", "--format", "json"))["events"] == 2
    # Both halves that are missing have been due since January: the sweep finds them, sooner or later.
    eventually(lambda: open_kinds(run, batch), lambda kinds: kinds >= {"unknown_source", "overdue_shipment"})
    assert "NOT_FOUND" in run("finding", "show", "F1").stderr
    depths = {one["queue"]: one for one in printed(run("queues", "--format", "json"))}
    assert depths["trace.capture"] == {"queue": "trace.capture", "waiting": 0, "consumers": 1, "dead": 0}
    assert "egress.market" in run("queues").stdout

    operators = eventually(lambda: printed(run("operators", "list", "--format", "json"))["operators"])
    shown = printed(run("operators", "get", operators[0]["operator_id"], "--format", "json"))["operator"]
    assert shown["sites"][0]["name"] == "张三蔬菜"
    assert "张三蔬菜" in run("operators", "get", operators[0]["operator_id"]).stdout


def recorded(run: Run) -> Json:
    """The verdict on the one trace event the market was answered."""

    def verdicts() -> list[Json]:
        answers = printed(run("egress", "market", "--format", "json"))
        return [v for answer in answers for v in answer["data"].get("verdicts", ()) if v.get("batches")]

    [verdict] = eventually(verdicts)
    assert verdict["outcome"] == "accepted", verdict
    return verdict


def open_kinds(run: Run, batch: str) -> set[str]:
    """The kinds of a batch's open findings."""
    listed = printed(run("finding", "list", "--open", "--batch", batch, "--format", "json"))
    return {finding["kind"] for finding in listed["findings"]}


REFUSED = {
    "trace NOWHERE": (1, "NOT_FOUND"),
    "trace NOWHERE --token rubbish": (1, "UNAUTHENTICATED"),
    "operators get nobody": (1, "NOT_FOUND"),
    "operators list --page-token rubbish": (2, "page_token"),
}


@pytest.mark.usefixtures("platform")
def test_refusal_names_status_and_field(run: Run) -> None:
    for words, (status, complaint) in REFUSED.items():
        answer = run(*words.split())
        assert (answer.exit_code, answer.stdout) == (status, ""), words
        assert complaint in answer.stderr
