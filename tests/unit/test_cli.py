"""The commands without a platform: what they print, how they end, where they look."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
from shilian.trace.v1 import trace_pb2
from typer.testing import CliRunner, Result

from chassis.message import safe_headers
from clients.cli import trace, tree
from clients.cli.__main__ import app
from clients.cli.asking import division_code
from clients.cli.chain import chain_json, holders_json
from clients.cli.egress import proposal, recall, recall_changed, recall_closed
from clients.cli.letters import letter, plain, readable, revived
from deploy.local.home import Home

COMMANDS = """
trace | holders | publish | check | egress | queues | token
dead list | dead show | dead replay | operators list | operators get
"""

SALE = {
    "type": "market.sale_ticket.v1",
    "票号": "YPT-1",
    "时间": "2026-01-05 08:00",
    "摊位": {"编号": "A09", "名称": "张三蔬菜"},
    "明细": [{"品名": "菠菜", "数量": "12.5", "单位": "公斤", "批号": "B1"}],
}

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A local stack's directory, as far as the command line looks at it."""
    made = Home.at(tmp_path / "stack")
    known = {"amqp": {"market": "amqp://127.0.0.1:1"}, "jwt_private_key": str(made.private_key)}
    (made.path / "stack.json").write_text(json.dumps(known))
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command with no stack but the one in `tmp_path/stack`, if there is any."""
    for name in ("AMQP_URL", "GRPC_TRACE", "GRPC_REGISTRY", "TOKEN"):
        monkeypatch.delenv(f"SHILIAN_{name}", raising=False)
    monkeypatch.setenv("SHILIAN_STACK_DIR", str(tmp_path / "stack"))
    return lambda *words: CliRunner().invoke(app, list(map(str, words)))


def write(path: Path, *lines: Any) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


@pytest.mark.parametrize("command", COMMANDS.strip().replace("\n", " | ").split(" | "))
def test_every_command_explains_itself(run: Run, command: str) -> None:
    answer = run(*command.split(), "--help")
    assert answer.exit_code == 0
    assert "Usage:" in answer.stdout


@pytest.mark.parametrize("told", ["", "null", "[1, 2]", '{"1": 5}', '{"1": {"number": "x"}}', '{"1": {"nope": 5}}'])
def test_what_is_no_anchor_is_told_by_its_file(run: Run, tmp_path: Path, told: str) -> None:
    anchor = write(tmp_path / "heads.json", told)
    answer = run("verify", "--grpc-trace", "127.0.0.1:1", "--token", "a.b.c", "--anchor", anchor)
    assert (answer.exit_code, "heads.json" in answer.stderr) == (2, True)
    assert anchor.read_text() == told


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("nonsense", "nonsense"),
        ("trace", "batch"),
        ("trace B1 --direction sideways", "sideways"),
        ("trace B1 --format csv", "csv"),
        ("trace B1 --max-depth 0", "--max-depth"),
        ("trace B1", "--grpc-trace"),
        ("trace B1 --grpc-trace 127.0.0.1:1", "--token"),
        ("trace B1 --operator uscc:9137", "--grpc-trace"),
        ("holders B1 --format svg", "svg"),
        ("publish market nothing.jsonl", "nothing.jsonl"),
        ("publish market", "file"),
        ("egress market", "--amqp-url"),
        ("egress market --amqp-url nonsense", "amqp://"),
        ("dead list --amqp-url http://127.0.0.1:1", "amqp://"),
        ("dead replay", "--all"),
        ("dead replay M1 --all", "--all"),
        ("token --role king", "king"),
        ("token --role regulator", "--division"),
        ("token --role operator", "--operator"),
        ("token --role regulator --division 999999", "999999"),
        ("stock", "--batch"),
        ("recall simulate", "--document"),
        ("recall open --reason x", "--document"),
        ("recall open B1", "--reason"),
        ("verify --grpc-trace 127.0.0.1:1 --token Usage:", "SHILIAN_TOKEN"),
    ],
)
def test_bad_usage_ends_with_2_and_says_what_is_wrong(run: Run, words: str, complaint: str) -> None:
    answer = run(*words.split())
    assert answer.exit_code == 2
    assert complaint in answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        "trace B1 --grpc-trace 127.0.0.1:1 --token x",
        "operators list --grpc-registry 127.0.0.1:1 --token x",
        "egress market --amqp-url amqp://127.0.0.1:1",
        "dead list --amqp-url amqp://127.0.0.1:1",
        "dead list --amqp-url amqp://nobody.invalid",
    ],
)
def test_platform_away_ends_with_1_and_says_so(run: Run, words: str) -> None:
    answer = run(*words.split())
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert "平台没有应答" in answer.stderr
    assert any(address in answer.stderr for address in ("127.0.0.1:1", "127.0.0.1:5672", "nobody.invalid:5672"))
    assert "`make up`" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_exit_status_reaches_the_shell(tmp_path: Path) -> None:
    file = write(tmp_path / "sales.jsonl", "{")
    command = [sys.executable, "-m", "clients.cli", "check", "market"]
    refused = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    missing = subprocess.run([*command, "nothing"], capture_output=True, text=True, check=False)
    assert (refused.returncode, missing.returncode) == (1, 2)


@pytest.mark.parametrize("code", ["999999", "37010", "37o1", "历下区"])
@pytest.mark.parametrize("words", ["worklist", "finding list", "report scorecard"])
def test_a_mistyped_division_is_refused_and_does_not_find_nothing(run: Run, words: str, code: str) -> None:
    answer = run(*words.split(), "--division", code)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--division" in answer.stderr
    assert code in answer.stderr


@pytest.mark.parametrize("code", ["", "37", "3701", "370100", "370105", "370105001", "370105001002"])
def test_a_division_may_be_given_by_what_it_begins_with(code: str) -> None:
    assert division_code(code) == code


def test_a_recall_says_which_goods_stand_where_and_until_when() -> None:
    lines = [
        {"site": "s", "batch": "SL1", "product": "大白菜", "quantity": "60", "unit": "KGM"},
        {"site": "t", "batch": "M"},
    ]
    told = {"recall": "R1", "recall_class": 1, "reason": "检出农药", "issuer": "省局", "goods": lines}
    said = recall(told | {"finish_by": "2026-01-23T16:00:00Z"})
    assert said == "R1 一级 检出农药 (省局，2026-01-24 00:00 前完成): 大白菜 60 kg SL1 @ s、M @ t"


def test_a_changed_recall_says_what_should_be_there_before_and_now() -> None:
    before = {"quantity": "60", "unit": "KGM"}
    lines = [
        {"site": "s", "batch": "SL1", "balance_before": before, "balance": {"quantity": "45", "unit": "KGM"}},
        {"site": "t", "batch": "M", "balance_before": before},
    ]
    said = recall_changed({"recall": "R1", "version": 2, "goods": lines})
    assert said == "R1 第 2 版 应剩 should be there: SL1 @ s 60 kg → 45 kg、M @ t 60 kg → 不明"


def test_the_end_of_a_recall_says_when_why_and_where() -> None:
    told = {"recall": "R1", "issuer": "省局", "closed_at": "2026-01-23T16:00:00Z", "closed_reason": "已全部召回"}
    assert recall_closed(told | {"sites": ["s", "t"]}) == "R1 已全部召回 (省局，2026-01-24 00:00): s、t"


def test_a_proposed_receipt_says_what_the_receipt_is_to_give() -> None:
    line = {"batch": "SLN7RM2X29TAP6X3X0I", "product": "大白菜", "quantity": "60", "unit": "KGM"}
    told = {"supplier_site": "s", "supplier_name": "王记", "receiver_site": "r", "document": "YPT-1", "lines": [line]}
    assert proposal(told) == "王记 → r: 大白菜 60 kg SLN7RM2X29TAP6X3X0I (单号 YPT-1)"
    bare = {**told, "supplier_name": None, "document": None, "lines": [{"batch": "SL1"}]}
    assert proposal(bare) == "s → r: SL1"
    assert proposal({**bare, "lines": [{"batch": "SL1", "quantity_text": "3 筐"}]}) == "s → r: 3 筐 SL1"


def test_token_carries_its_claims_and_the_stack_can_check_it(run: Run, home: Home) -> None:
    answer = run("token", "--role", "regulator", "--division", "370100")
    claims = jwt.decode(answer.stdout.strip(), home.public_key.read_text(), ["EdDSA"], audience="shilian")
    assert (claims["role"], claims["division"]) == ("regulator", "370100")
    assert "operator_id" not in claims


def test_operators_token_names_the_operator(run: Run, home: Home) -> None:
    answer = run("token", "--role", "operator", "--operator", "uscc:1", "--format", "json")
    told = json.loads(answer.stdout)
    claims = jwt.decode(told.pop("token"), home.public_key.read_text(), ["EdDSA"], audience="shilian")
    assert told == {"role": "operator", "operator_id": "uscc:1"}
    assert claims["operator_id"] == "uscc:1"


def test_expired_token_can_be_had_for_a_trial(run: Run, home: Home) -> None:
    answer = run("token", "--role", "system", "--hours", "-1")
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(answer.stdout.strip(), home.public_key.read_text(), ["EdDSA"], audience="shilian")


def test_token_needs_a_local_stack(run: Run) -> None:
    answer = run("token", "--role", "system")
    assert answer.exit_code == 2
    assert "local stack" in answer.stderr


def test_source_the_stack_does_not_know_is_named(run: Run, home: Home) -> None:
    answer = run("egress", "pharmacy")
    assert answer.exit_code == 2
    assert "pharmacy" in answer.stderr
    assert "market" in answer.stderr


def test_check_gives_every_records_verdict_with_its_line(run: Run, tmp_path: Path) -> None:
    wrong = SALE | {"票号": "YPT-2", "明细": [SALE["明细"][0] | {"数量": "-3"}]}  # type: ignore[index]
    file = write(tmp_path / "sales.jsonl", SALE, "{broken", wrong, SALE)
    answer = run("check", "market", file, "--format", "json")
    found = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert {name: found[name] for name in ("source", "records", "accepted", "duplicate", "rejected")} == {
        "source": "market", "records": 4, "accepted": 1, "duplicate": 1, "rejected": 2,
    }  # fmt: skip
    told = [(verdict["line"], verdict["outcome"]) for verdict in found["verdicts"]]
    assert told == [(1, "accepted"), (2, "rejected"), (3, "rejected"), (4, "duplicate")]
    [error] = found["verdicts"][2]["errors"]
    assert (error["field"], error["value"], error["rule"]) == ("数量", "-3", "quantity_negative")


@pytest.mark.parametrize(("line", "why"), [('{"票号": ', "EOF while parsing"), ("[1]", "not a JSON object")])
def test_check_says_why_a_line_is_unreadable(run: Run, tmp_path: Path, line: str, why: str) -> None:
    answer = run("check", "market", write(tmp_path / "sales.jsonl", SALE, line), "--format", "json")
    [error] = json.loads(answer.stdout)["verdicts"][1]["errors"]
    assert error["rule"] == "unreadable"
    assert why in error["message"]


def test_check_of_good_data_ends_with_0(run: Run, tmp_path: Path) -> None:
    answer = run("check", "market", write(tmp_path / "sales.jsonl", SALE))
    assert answer.exit_code == 0
    assert "1 条记录：可接收 1" in answer.stdout


def test_check_reads_a_csv(run: Run, tmp_path: Path) -> None:
    head = "票号,时间,摊位.编号,明细[].品名,明细[].数量,明细[].单位,明细[].批号"
    rows = "1,2026-01-05 08:00,A9,菠菜,3,公斤,B1", "1,2026-01-05 08:00,A9,白菜,x,公斤,B2"
    file = write(tmp_path / "sales.csv", head, *rows)
    answer = run("check", "market", file, "--type", "market.sale_ticket.v1", "--format", "json")
    verdicts = json.loads(answer.stdout)["verdicts"]
    assert [(v["line"], v["record"], v["outcome"]) for v in verdicts] == [(1, 1, "accepted"), (1, 2, "rejected")]


def test_check_of_an_unknown_source_is_bad_usage(run: Run, tmp_path: Path) -> None:
    answer = run("check", "pharmacy", write(tmp_path / "a.jsonl", SALE))
    assert answer.exit_code == 2
    assert "pharmacy" in answer.stderr


def test_publish_of_an_unreadable_file_sends_nothing_and_names_the_line(run: Run, home: Home, tmp_path: Path) -> None:
    answer = run("publish", "market", write(tmp_path / "a.jsonl", SALE, "{broken"))
    assert answer.exit_code == 2
    assert "line 2" in answer.stderr
    assert not (home.path / "spool").exists()


@pytest.mark.parametrize("options", [(), ("--type", "catering.receipt.v1")])
def test_publish_of_another_sources_type_sends_nothing_and_names_it(
    run: Run, home: Home, tmp_path: Path, options: tuple[str, ...]
) -> None:
    file = write(tmp_path / "a.jsonl", SALE, "", SALE | {"type": "catering.receipt.v1"})
    answer = run("publish", "market", file, *options)
    assert answer.exit_code == 2
    assert "catering.receipt.v1" in answer.stderr
    assert options or "line 3" in answer.stderr
    assert not (home.path / "spool").exists()


def test_publish_without_a_broker_keeps_the_events_and_ends_with_1(run: Run, home: Home, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", SALE)
    answer = run("publish", "market", file, "--timeout", "3", "--format", "json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout) == {"published": 1, "remaining": 1, "unroutable": 0}
    assert "refused" in answer.stderr
    assert (home.path / "spool/market.db").exists()


def response(direction: trace_pb2.Direction.ValueType) -> trace_pb2.TraceResponse:
    """A farm's batch at a market, and a meal made of it there."""
    made = trace_pb2.TraceResponse(batch="M", direction=direction, event_ids=["E1", "E2", "E3"], complete=False)
    for batch, site, name in (("B", "farm", "农场"), ("B", "shop", "食堂"), ("M", "shop", "食堂")):
        made.nodes.add(
            batch=batch, site_id=site, site_name=name, operator_id=f"o:{site}", division="370102", product="菠菜"
        )
    for tail, head, event, step in (("farm", "shop", "E1", "shipping"), ("farm", "shop", "E2", "receiving")):
        edge = made.edges.add(to={"batch": "B", "site_id": head}, event_id=event, step=step, quantity="3", unit="kg")
        getattr(edge, "from").batch, getattr(edge, "from").site_id = "B", tail
        edge.time.FromJsonString("2026-01-05T00:00:00Z")
    cooked = made.edges.add(to={"batch": "M", "site_id": "shop"}, event_id="E3", step="kitchen_use")
    getattr(cooked, "from").batch, getattr(cooked, "from").site_id = "B", "shop"
    made.gaps.add(node={"batch": "B", "site_id": "farm"}, kind="unknown_source", event_id="E1")
    return made


def test_chain_in_json_has_the_promised_shape() -> None:
    chain = chain_json(response(trace_pb2.DIRECTION_BACKWARD))
    assert list(chain) == ["batch", "direction", "events", "nodes", "edges", "gaps", "complete"]
    assert (chain["batch"], chain["direction"], chain["events"]) == ("M", "backward", ["E1", "E2", "E3"])
    assert {"batch", "site", "site_name", "operator", "division"} <= chain["nodes"][0].keys()
    assert chain["edges"][0] == {
        "from": {"batch": "B", "site": "farm"}, "to": {"batch": "B", "site": "shop"},
        "event_id": "E1", "step": "shipping", "quantity": "3", "unit": "kg", "time": "2026-01-05T00:00:00Z",
    }  # fmt: skip
    assert chain["edges"][2]["time"] == ""
    assert chain["gaps"] == [{"node": {"batch": "B", "site": "farm"}, "kind": "unknown_source", "event_id": "E1"}]
    assert chain["complete"] is False


def test_goods_of_which_a_part_went_further_are_not_said_to_be_gone() -> None:
    answer = trace_pb2.ListHoldersResponse(complete=True)
    answer.holders.add(node={"batch": "B", "site_id": "shop"}, state="sold_on", quantity="2280", unit="KGM")
    [holder] = holders_json("B", answer)["holders"]
    row = dict(zip(trace.HOLDER_HEADS, trace._holder_row(holder), strict=True))
    assert (row["状态 state"], row["余量 left"]) == ("部分转出", "2280 kg")


def test_holders_in_json_have_state_and_quantity() -> None:
    answer = trace_pb2.ListHoldersResponse(complete=True)
    answer.holders.add(node={"batch": "B", "site_id": "shop"}, state="held", quantity="3", unit="kg")
    [holder] = holders_json("B", answer)["holders"]
    assert (holder["site"], holder["state"], holder["quantity"], holder["since"]) == ("shop", "held", "3", "")


@pytest.mark.parametrize(
    ("direction", "sites"),
    [
        (trace_pb2.DIRECTION_BACKWARD, ["食堂", "└─ 食堂", "   └─ 农场"]),
        (trace_pb2.DIRECTION_FORWARD, ["农场", "└─ 食堂", "   └─ 食堂"]),
    ],
)
def test_tree_starts_where_the_walk_starts(direction: trace_pb2.Direction.ValueType, sites: list[str]) -> None:
    rows = list(tree.rows(chain_json(response(direction))))
    assert [row[0] for row in rows] == sites
    farm = next(row for row in rows if "农场" in row[0])
    assert ("历下区" in farm) is True


def test_tree_joins_the_halves_of_a_handoff_and_shows_a_node_once() -> None:
    answer = response(trace_pb2.DIRECTION_BACKWARD)
    again = answer.edges.add(to={"batch": "M", "site_id": "shop"}, event_id="E4", step="kitchen_use")
    getattr(again, "from").batch, getattr(again, "from").site_id = "B", "farm"
    rows = list(tree.rows(chain_json(answer)))
    assert [row[0].strip() for row in rows] == ["食堂", "├─ 食堂", "│  └─ 农场", "└─ 农场 ↑见上"]
    assert rows[2][3:5] == ("发货→收货", "3 kg")


OURS = {
    "ce-id": "M1",
    "ce-type": "market.sale_ticket.v1",
    "x-shilian-queue": "market.ingest",
    "x-shilian-routing-key": "market.sale_ticket.v1",
    "x-shilian-reason": "quantity_negative",
    "x-shilian-errors": '[{"field": "数量", "value": "-3", "rule": "quantity_negative", "message": "数量为负"}]',
    "x-shilian-records": 2,
    "x-shilian-message-id": "M1",
}
BROKERS: dict[str, Any] = {
    "ce-id": "M2",
    "x-death": [
        {"exchange": "shilian.ingest", "reason": "delivery_limit", "routing-keys": ["market.sale_ticket.v1"]},
    ],
    "x-first-death-queue": "market.ingest",
    "x-first-death-reason": "delivery_limit",
    "x-delivery-count": 21,
}


def test_dead_letter_says_why_it_is_dead() -> None:
    ours = letter("market.ingest", None, OURS)
    assert (ours.id, ours.reason, ours.records, ours.errors[0]["value"]) == ("M1", "quantity_negative", 2, "-3")
    brokers = letter("market.ingest", None, BROKERS)
    assert (brokers.id, brokers.reason, brokers.records) == ("M2", "delivery_limit", 1)
    assert brokers.routing_key == "market.sale_ticket.v1"


def test_headers_a_sender_forged_do_not_tell_what_the_broker_gave_up_on() -> None:
    forged = {"x-shilian-routing-key": "catering.x.v1", "x-shilian-records": "many", "x-shilian-errors": "{"}
    told = letter("market.ingest", None, BROKERS | forged)
    assert told == letter("market.ingest", None, BROKERS)
    assert revived(BROKERS | forged) == revived(BROKERS)


def test_letter_that_climbed_the_ladder_keeps_the_key_its_consumer_noted() -> None:
    rung = {"exchange": "shilian.retry.10s", "reason": "expired", "routing-keys": ["market.ingest"]}
    assert letter("market.ingest", None, OURS | {"x-death": [rung]}).routing_key == "market.sale_ticket.v1"


@pytest.mark.parametrize("deaths", ["often", 3, ["once"], [{"exchange": "shilian.ingest"}]])
def test_no_header_of_a_sender_hides_the_dead_letters(deaths: Any) -> None:
    told = letter("market.ingest", None, OURS | {"x-death": deaths})
    assert (told.id, told.reason, told.routing_key) == ("M1", "quantity_negative", "market.sale_ticket.v1")


def test_death_that_a_sender_made_up_does_not_make_it_another_source() -> None:
    made_up = [{"exchange": "shilian.ingest", "reason": "rejected", "routing-keys": ["catering.x.v1"]}]
    assert letter("market.ingest", None, BROKERS | {"x-death": BROKERS["x-death"] + made_up}) == letter(
        "market.ingest", None, BROKERS
    )


def test_brokers_notes_on_the_ladder_are_not_sent_on_as_text() -> None:
    headers = {"x-death": [{"reason": "expired"}], "x-first-death-queue": "shilian.retry.10s", "x-delivery-count": 4}
    assert safe_headers({"ce-id": "M1"} | headers) == {"ce-id": "M1"}


@pytest.mark.parametrize("headers", [OURS, BROKERS])
def test_revived_letter_is_the_message_it_was_and_keeps_its_first_key(headers: dict[str, Any]) -> None:
    known = {name: value for name, value in headers.items() if name.startswith("ce-")}
    assert revived(headers) == known | {"x-shilian-routing-key": "market.sale_ticket.v1"}


def test_headers_of_a_letter_are_json_whatever_amqp_carries() -> None:
    died = {"queue": "market.ingest", "time": datetime(2026, 1, 5, 8, tzinfo=UTC), "routing-keys": ["a"], "count": 2}
    shown = plain({"x-death": [died], "raw": b"\xe9\xa3\x9f", "share": Decimal("1.5"), "no": None})
    assert shown["x-death"] == [{**died, "time": "2026-01-05T08:00:00+00:00"}]
    assert (shown["raw"], shown["share"], shown["no"]) == ("食", "1.5", None)
    assert json.loads(json.dumps(shown)) == shown


def test_letter_is_read_without_python_in_it() -> None:
    assert readable({"数量": True}) == '{\n  "数量": true\n}'
    assert readable('{"a": [1]}') == '{\n  "a": [\n    1\n  ]\n}'
    assert [readable(text) for text in ("M1", "12", "{broken")] == ["M1", "12", "{broken"]
