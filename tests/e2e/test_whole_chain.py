"""A pig's whole chain on the real services: broken and closed again, corrected, recalled, and sealed."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from pymongo import MongoClient

from contracts import identity
from contracts.fields import SHANGHAI
from contracts.topology import INGEST
from demo.generator import codes
from deploy.local.home import Home
from tests.bus import Bus
from tests.integration.shilian import SERVICES, Shilian, command_line
from tests.processes import Process, eventually
from tests.stack import Infra

DAY = (datetime.now(SHANGHAI) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
TAGS = [f"1370114{number:08}" for number in (101, 102)]
LORRY, LINE = "鲁A33021", "1号线"
RNG = Random(4)

SITES = {
    name: {"name": name, "uscc": codes.uscc(RNG, division, prefix), "division": division, "link": link}
    for name, division, prefix, link in (
        ("官庄生猪养殖场", "370114", "91", "生产"),
        ("公路动物防疫检查站", "370105", "12", "流通"),
        ("鲁润肉联厂", "370114", "91", "生产"),
        ("天桥实验小学食堂", "370105", "12", "餐饮"),
        ("历下便民超市", "370102", "91", "流通"),
    )
}
FARM, ROAD, WORKS, SCHOOL, SHOP = SITES.values()


def site_of(party: dict[str, Any]) -> str:
    return f"uscc:{party['uscc']}"


def code(number: str, issuer: dict[str, Any]) -> str:
    found = identity.batch_code(lot=number, issuer=site_of(issuer))
    assert found
    return found


HERD, CARCASSES, LUNCH = code("SZ-7", FARM), code("BT-3", WORKS), code("WC-1", SCHOOL)


class Apps(NamedTuple):
    """The two systems that report: canonical records, and the school's own app."""

    bus: Bus

    def tell(self, *records: dict[str, Any]) -> None:
        """Steps as the farm's and the slaughterhouse's system reports them."""
        self._send("docking.quarantine.capture.v1", {"lines": records})

    def cook(self, kind: str, **body: Any) -> None:
        """A paper of the canteen."""
        self._send(f"catering.{kind}.v1", {"site": SCHOOL, **body})

    def register(self) -> None:
        self._send("docking.quarantine.operator_sync.v1", {"lines": list(SITES.values())})

    def _send(self, type: str, body: Any) -> None:
        self.bus.publish(INGEST, type, body, ce_id=f"{type}-{RNG.random()}", ce_time=f"{DAY:%Y-%m-%d}T23:59:00+08:00")


@pytest.fixture
def shilian(
    bus: Bus, stack: Infra, spawn: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shilian]:
    """All five services and two adapters, asked by the province."""
    for system in ("docking", "catering"):
        spawn(f"services.adapters.{system}", "worker", amqp_url=bus.vhost.url).wait_ready()
    home = Home.at(tmp_path / "stack")
    with command_line(SERVICES, bus, stack, spawn, home, monkeypatch, division="370000") as shilian:
        yield shilian


def at(hour: float) -> str:
    return (DAY + timedelta(hours=hour)).isoformat()


def step(name: str, hour: float, site: dict[str, Any], **told: Any) -> dict[str, Any]:
    return {"document_no": f"{name}-{hour}-{DAY:%Y%m%d}", "time": at(hour), "step": name, "site": site, **told}


def pigs(heads: int = 2) -> dict[str, Any]:
    lot = {"product": "生猪", "category": "肉制品", "quantity": heads, "unit": "头", "batch_no": "SZ-7"}
    return {**lot, "ear_tags": TAGS, "issuer": FARM, "certificates": [CERTIFICATE]}


def meat(kilograms: int) -> dict[str, Any]:
    lot = {"product": "猪白条", "category": "肉制品", "quantity": kilograms, "unit": "公斤", "batch_no": "BT-3"}
    return {**lot, "issuer": WORKS, "certificates": [MEAT]}


CERTIFICATE = {
    "kind": "动物检疫合格证明（动物B）",
    "number": "DB3700001",
    "issued_on": f"{DAY:%Y-%m-%d}",
    "quantity": "2头",
}
MEAT = {"kind": "肉品品质检验合格证", "number": "RP3700001", "issuer": WORKS["name"]}


def bring_to_works(apps: Apps) -> None:
    """From the farm to carcasses, of which a shop and a school are sent some."""
    apps.tell(
        step("养殖", 0.5, FARM, outputs=[pigs()]),
        step("发货", 1, FARM, counterparty=WORKS, outputs=[pigs()], vehicle=LORRY),
        step("道口查验", 1.7, ROAD, inputs=[pigs()], vehicle=LORRY),
        step("收货", 2.5, WORKS, counterparty=FARM, inputs=[pigs()]),
        step("屠宰", 4, WORKS, inputs=[pigs()], outputs=[meat(170)], production_line=LINE),
        step("清场", 6, WORKS, production_line=LINE),
        step("发货", 7, WORKS, counterparty=SCHOOL, outputs=[meat(100)]),
        step("发货", 7.1, WORKS, counterparty=SHOP, outputs=[meat(70)]),
    )


def test_a_pig_is_followed_to_a_lunch_and_called_back(shilian: Shilian, bus: Bus, stack: Infra) -> None:
    apps = Apps(bus)
    apps.register()
    eventually(lambda: len(shilian.json("operators", "list")["operators"]), lambda known: known == len(SITES))
    bring_to_works(apps)
    eventually(lambda: shilian.json("event", "list", "--step", "cleaning")["events"])
    shilian.move(DAY + timedelta(days=4))
    break_and_mend(shilian, apps)
    follow(shilian)
    correct(shilian)
    call_back(shilian, bus)
    verify(shilian, stack)


def overdue(shilian: Shilian, party: dict[str, Any], *words: str) -> list[dict[str, Any]]:
    asked = ("finding", "list", "--kind", "overdue_shipment", "--site", site_of(party), *words)
    found: list[dict[str, Any]] = shilian.json(*asked)["findings"]
    return found


def break_and_mend(shilian: Shilian, apps: Apps) -> None:
    """Nobody received the school's meat in time; a late receipt closes the chain, and its task ends."""
    (broken,) = eventually(lambda: overdue(shilian, SCHOOL))
    assert (broken["open"], broken["batches"]) == (True, [CARCASSES])
    assert (broken["site_name"], broken["counterparty_name"]) == (SCHOOL["name"], WORKS["name"])
    told = shilian.run("finding", "show", broken["finding_id"]).stdout
    assert all(word in told for word in (SCHOOL["name"], "应于 due", "猪白条", broken["event_id"])), told
    (task,) = eventually(lambda: shilian.json("worklist", "--site", site_of(SCHOOL))["tasks"])
    goods = {"product": "猪白条", "category": "肉制品", "quantity": "100公斤", "trace_code": CARCASSES}
    apps.cook("purchase_inspection", document_no="YS-1-0001", time=at(9), supplier=WORKS, lines=[goods])
    dish = {"product": "红烧肉", "batch_no": "WC-1", "quantity": "120公斤", "inputs": [{**goods, "quantity": "60公斤"}]}
    apps.cook("kitchen_use", document_no="JG-1-0001", time=at(10.5), lines=[dish])
    closed = eventually(lambda: overdue(shilian, SCHOOL), lambda found: not found[0]["open"])[0]
    assert closed["due_time"] < closed["opened_time"] < closed["closed_time"]
    ended = ("inspect", "show", task["task_id"])
    eventually(lambda: shilian.json(*ended)["task"]["state"], lambda state: state == "cancelled")


def follow(shilian: Shilian) -> None:
    """Forward by the ear tag to the lunch, backward from the lunch to the farm, in the order of time."""
    forward = eventually(
        lambda: shilian.json("trace", "--ear-tag", TAGS[0], "--direction", "forward"),
        lambda chain: LUNCH in {node["batch"] for node in chain["nodes"]},
    )
    assert {node["site"] for node in forward["nodes"]} >= {site_of(each) for each in (FARM, WORKS, SCHOOL, SHOP)}
    backward = shilian.json("trace", LUNCH)
    assert backward["complete"]
    assert {(node["batch"], node["site"]) for node in backward["nodes"]} == {
        (LUNCH, site_of(SCHOOL)),
        *((CARCASSES, site_of(each)) for each in (SCHOOL, WORKS)),
        *((HERD, site_of(each)) for each in (WORKS, FARM)),
    }
    assert shilian.run("trace", LUNCH, "--format", "svg").stdout.startswith("<svg")
    way = shilian.json("trace", "path", f"{HERD}@{site_of(FARM)}", LUNCH)["shortest"]
    assert [node["batch"] for node in way] == [HERD, HERD, CARCASSES, CARCASSES, LUNCH]
    assert shilian.json("trace", "contamination", CARCASSES)["lines"][0]["cleaned_time"]


def correct(shilian: Shilian) -> None:
    """The shop was never sent any: the event stays, and its chain, its stock and its finding do without it."""
    sent = shilian.json("event", "list", "--batch", CARCASSES, "--step", "shipping")["events"]
    (wrong,) = [event for event in sent if event["counterparty_site_id"] == site_of(SHOP)]
    shilian.json("trace", "declare", wrong["event_id"], "--reason", "未向该店发货")
    eventually(lambda: overdue(shilian, SHOP), lambda found: not any(each["open"] for each in found))
    forward = shilian.json("trace", CARCASSES, "--direction", "forward")
    assert site_of(SHOP) not in {node["site"] for node in forward["nodes"]}
    kept = shilian.json("event", "show", wrong["event_id"])
    assert kept["declarations"][0]["reason"] == "未向该店发货"
    (left,) = shilian.json("stock", "--site", site_of(WORKS), "--batch", "")["stock"]
    assert (left["node"]["batch"], left["amount"]["quantity"]) == (CARCASSES, "70")


def call_back(shilian: Shilian, bus: Bus) -> None:
    """What is left at the works and the school is found and told; what became lunch is counted as such."""
    simulation = shilian.json("recall", "simulate", CARCASSES)["simulation"]
    told = [(one["node"], one["fate"], one["amount"]["quantity"]) for one in simulation["portions"]]
    assert {(node["batch"], node["site_id"], fate, quantity) for node, fate, quantity in told} == {
        (CARCASSES, site_of(WORKS), "held", "70"),
        (CARCASSES, site_of(SCHOOL), "held", "40"),
        (CARCASSES, site_of(SCHOOL), "processed", "60"),
        (LUNCH, site_of(SCHOOL), "held", "120"),
    }
    assert simulation["share"] == 1
    opened = shilian.json("recall", "open", CARCASSES, "--reason", "瘦肉精", "--class", "1")["recall"]
    eventually(lambda: shilian.json("notify", "deliveries", "--cause", f"recall:{opened['recall_id']}")["deliveries"])
    heard = eventually(lambda: recalls_told(bus, "catering"))
    assert {goods["site"] for told in heard for goods in told["goods"]} == {site_of(SCHOOL)}


def recalls_told(bus: Bus, source: str) -> list[dict[str, Any]]:
    return [taken.body for taken in bus.take_all(f"egress.{source}") if "recall" in taken.body]


def verify(shilian: Shilian, stack: Infra) -> None:
    """Sealed as it is; one quantity changed behind the services' back is found."""
    assert shilian.json("verify")["problems"] == []
    with MongoClient[dict[str, Any]](stack.mongod.root_url) as server:
        store = next(server[name] for name in server.list_database_names() if server[name].blocks.find_one())
        store.events.update_one({"step": "slaughter"}, {"$set": {"vehicle": "鲁B00000"}})
    assert "event_changed" in shilian.run("verify", "--format", "json").stdout
