"""Notify as its neighbours meet it: real worker, api, web and provider simulator, on a real broker and database."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pymongo import MongoClient
from shilian.notify.v1 import notify_pb2 as pb
from shilian.notify.v1.notify_pb2_grpc import NotifyServiceStub

from contracts.topology import EVENTS, NOTIFY_EVENTS
from services.notify.signing import wechat_signature
from tests.bus import Bus
from tests.processes import Process, eventually, free_port, set_clock, spawning
from tests.stack import Database, Infra, fresh_database, fresh_vhost

SITE, OPERATOR, STATION = "licence:JY23501110153674", "uscc:91350100M000100Y43", "st-lixia"
ROBOT = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
HOOK_SECRET = base64.b64encode(b"simulated").decode()

Document = dict[str, Any]


class Simulator:
    """The providers, as a test orders and sees them."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    def order(self, provider: str, **orders: Any) -> None:
        self._http.put(f"/control/{provider}", json=orders).raise_for_status()

    def withdraw_token(self) -> None:
        self._http.delete("/control/wechat/token").raise_for_status()

    def told(self) -> Document:
        told: Document = self._http.get("/sent").json()
        return told

    def sent(self, provider: str | None = None) -> list[Document]:
        return [each for each in self.told()["messages"] if provider in (None, each["provider"])]

    def clear(self) -> None:
        """Good conduct, and nothing sent."""
        for provider in ("sms", "wechat", "wecom", "webhook"):
            self.order(provider)
        self._http.delete("/sent").raise_for_status()

    def close(self) -> None:
        self._http.close()

    def page(self) -> str:
        return self._http.get("/").text


class Client:
    """Calls the api as somebody."""

    def __init__(self, port: int, key: Ed25519PrivateKey) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._key = key
        self._stub = NotifyServiceStub(self._channel)

    def token(self, role: str = "regulator", division: str | None = "370000", **claims: str) -> str:
        payload = {"sub": "tester", "aud": "shilian", "exp": time.time() + 7200, "role": role, **claims}
        return jwt.encode(payload | ({"division": division} if division else {}), self._key, "EdDSA")

    def call(self, rpc: str, request: Any, **caller: Any) -> Any:
        metadata = [("authorization", f"Bearer {self.token(**caller)}")]
        return getattr(self._stub, rpc)(request, metadata=metadata, timeout=60)

    def status(self, rpc: str, request: Any, **caller: Any) -> grpc.StatusCode:
        with pytest.raises(grpc.RpcError) as refused:
            self.call(rpc, request, **caller)
        code: grpc.StatusCode = refused.value.code()
        return code

    def close(self) -> None:
        self._channel.close()


class World:
    """Everything that runs in one test."""

    def __init__(self, bus: Bus, db: Any, simulator: Simulator, client: Client, clock: Path) -> None:
        self.bus, self.db, self.simulator, self.client, self._clock = bus, db, simulator, client, clock
        self.worker: Process
        self.web_url = ""

    def ahead(self, seconds: float) -> None:
        """Moves the clock of rules and timers."""
        set_clock(self._clock, seconds)

    def later(self, seconds: float) -> None:
        """Moves it on."""
        self.ahead(float(self._clock.read_text()) + seconds)

    def tell(self, key: str, body: Document, id: str | None = None) -> None:
        self.bus.publish(EVENTS, key, body, ce_id=id or uuid4().hex)

    def states(self, **where: Any) -> dict[str, str]:
        return {row["channel"]: row["state"] for row in self.db.deliveries.find(where)}

    def await_states(self, wanted: dict[str, str], **where: Any) -> None:
        eventually(lambda: self.states(**where), lambda seen: seen == wanted)


def grid() -> Document:
    officer = {"officer": "o1", "name": "赵所长", "phone": "13900000001", "wechat": "openid-1"}
    cell = {"cell": "c1", "name": "一网格", "division": "370102", "station": STATION, "station_name": "历下所"}
    return {"cells": [{**cell, "officer": officer, "version": 1}]}


def site(number: int = 0, **told: Any) -> Document:
    named = {"site": SITE if not number else f"market:stall-{number:05}", "operator": OPERATOR}
    person = {"contact_name": "王校长", "contact_phone": f"138{number:08}", "name": f"第一小学食堂{number or ''}"}
    fields = {
        "operator_name": "某餐饮公司",
        "state": "activated",
        "division": "370102",
        "link": "catering",
        "version": 1,
    }
    return {**named, **person, **fields, "cell": "c1", "station": STATION, **told}


def finding(open: bool = True, version: int = 1, id: str = "F1") -> Document:
    at = "2026-10-08T04:00:00Z"
    told = {"id": id, "kind": "overdue_shipment", "open": open, "version": version, "site": SITE, "operator": OPERATOR}
    return {"findings": [{**told, "division": "370102", "batches": ["SL1"], "due_at": at, "opened_at": at}]}


CLEARED = ("deliveries", "quotas", "stops", "receipts", "paces", "subjects", "subscriptions", "notices")


@pytest.fixture(scope="module")
def platform(stack: Infra, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Notify's three processes and the providers, for all tests of this file."""
    directory = tmp_path_factory.mktemp("notify")
    with (
        fresh_vhost(stack) as vhost,
        fresh_database(stack) as mongo,
        closing(Bus(vhost)) as bus,
        MongoClient[Document](mongo.url, tz_aware=True) as store,
        spawning(directory) as spawn,
    ):
        bus.declare()
        world = _running(spawn, bus, mongo, store.get_default_database(), directory)
        with closing(world.simulator), closing(world.client):
            yield world


def _running(spawn: Callable[..., Process], bus: Bus, mongo: Database, db: Any, directory: Path) -> World:
    key, ports = Ed25519PrivateKey.generate(), {name: free_port() for name in ("simulator", "web", "grpc")}
    client = Client(ports["grpc"], key)
    world = World(bus, db, Simulator(ports["simulator"]), client, directory / "clock")
    # At noon in Shanghai, whenever the test runs: no quiet hours in the way.
    world.ahead((4 * 3600 - time.time()) % 86_400)
    world.web_url = f"http://127.0.0.1:{ports['web']}"
    spawn("deploy.simulator", simulator_port=ports["simulator"], simulator_callback_url=world.web_url)
    settings = _settings(bus, mongo, key, directory) | dict.fromkeys(
        ("sms_url", "wechat_url", "wecom_url"), world.simulator.url
    )
    api = {"grpc_notify": f"127.0.0.1:{ports['grpc']}", "api_token": client.token("system", None)}
    web = spawn("services.notify", "web", **settings, **api, http_port=ports["web"])
    web.http_port = ports["web"]
    world.worker = spawn("services.notify", "worker", **settings)
    for process in (world.worker, spawn("services.notify", "api", **settings, grpc_port=ports["grpc"]), web):
        process.wait_ready()
    world.tell("registry.grid_changed.v1", grid())
    world.tell("registry.sites_changed.v1", {"sites": [site()]})
    eventually(lambda: db.sites.count_documents({}) + db.cells.count_documents({}), lambda count: count == 2)
    return world


def _settings(bus: Bus, mongo: Database, key: Ed25519PrivateKey, directory: Path) -> Document:
    public = directory / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    known = ("sms_key_id", "sms_key_secret", "sms_callback_secret", "wechat_secret", "wechat_callback_token")
    return {
        "amqp_url": bus.vhost.url,
        "mongo_url": mongo.url,
        "jwt_public_key_file": public,
        "clock_file": directory / "clock",
        "timer_s": 0.1,
        "wechat_app_id": "wx-simulated",
        "wechat_template": "TPL1",
        "wecom_rate": 50,
        "http_timeout_s": 5.0,
        "send_lease_s": 15.0,
        **dict.fromkeys(known, "simulated"),
    }


@pytest.fixture
def world(platform: World) -> Iterator[World]:
    """The platform, as if nothing had been sent yet."""
    platform.simulator.clear()
    yield platform
    # What is still under way would be sent in the next test.
    platform.bus.await_empty(NOTIFY_EVENTS.name)
    under_way = {"state": {"$in": ["pending", "sending"]}}
    eventually(lambda: platform.db.deliveries.count_documents(under_way), lambda count: count == 0)
    for name in CLEARED:
        platform.db[name].delete_many({})


def test_a_broken_chain_reaches_the_station_and_its_receipt_comes_back(world: World) -> None:
    announced = world.bus.listen(EVENTS, "notify.deliveries_changed.v1")
    for _ in range(3):
        world.tell("trace.findings_changed.v1", finding())
    station = {"recipient": f"station:{STATION}"}
    world.await_states({"wechat": "delivered"}, **station)
    (message,) = world.simulator.sent("wechat")
    assert (message["to"], message["key"]) == ("openid-1", world.db.deliveries.find_one(station)["_id"])
    counted = world.worker.says("/metrics")
    assert 'shilian_deliveries_total{channel="wechat",outcome="accepted"}' in counted
    assert 'shilian_timers_total{kind="send.wechat",outcome=' in counted
    assert "断链预警" in message["text"]
    assert "第一小学食堂" in message["text"]
    world.tell("trace.findings_changed.v1", finding(open=False, version=2))
    world.await_states({"in_app": "delivered"}, **station, event="finding_closed")
    page = world.simulator.page()
    assert "断链预警" in page
    assert "送达" in page
    told: list[dict[str, Any]] = []

    def announced_states() -> dict[str, str]:
        told.extend(delivery for taken in world.bus.take_all(announced) for delivery in taken.body["deliveries"])
        return {each["id"]: each["state"] for each in sorted(told, key=lambda each: each["version"])}

    stored = {row["_id"]: row["state"] for row in world.db.deliveries.find()}
    last = eventually(announced_states, lambda seen: seen == stored)
    listed = world.client.call("ListDeliveries", pb.ListDeliveriesRequest(cause="finding:F1")).deliveries
    assert {each.delivery_id for each in listed} == set(last)
    assert not world.client.call("ListDeliveries", pb.ListDeliveriesRequest(), division="420000").deliveries


def test_when_wechat_refuses_an_sms_arrives_and_when_that_fails_too_the_inbox_has_it(world: World) -> None:
    world.simulator.order("wechat", fault="refuse", code="43004")
    world.tell("trace.findings_changed.v1", finding(id="F1"))
    station = {"recipient": f"station:{STATION}"}
    world.await_states({"wechat": "failed", "sms": "delivered"}, **station)
    (sms,) = world.simulator.sent("sms")
    assert sms["text"].startswith("【食链监管】断链预警：发货逾期无人收货，涉及第一小学食堂")
    world.simulator.order("sms", receipt=False)
    world.tell("trace.findings_changed.v1", finding(id="F2"))
    second = {**station, "cause": {"$regex": "^finding:F2"}}
    world.await_states({"wechat": "failed", "sms": "failed", "in_app": "delivered"}, **second)
    inbox = world.client.call("GetInbox", pb.GetInboxRequest(unread=True)).messages
    message = next(each for each in inbox if each.recipient == station["recipient"])
    read = world.client.call("MarkRead", pb.MarkReadRequest(request_id="r1", delivery_id=message.delivery_id)).message
    assert read.state == pb.DELIVERY_STATE_READ
    assert read.read_time.seconds


@pytest.mark.parametrize("fault", ["error", "gateway", "garbage", "hang"])
def test_wechat_that_misbehaves_twice_shows_the_message_once(world: World, fault: str) -> None:
    world.simulator.order("wechat", fault=fault, times=2)
    world.tell("trace.findings_changed.v1", finding())
    station = {"recipient": f"station:{STATION}"}
    for attempt in (1, 2):
        waiting = {**station, "state": "pending", "attempts": attempt}
        eventually(partial(world.db.deliveries.find_one, waiting))
        world.later(60)
    world.await_states({"wechat": "delivered"}, **station)
    assert len(world.simulator.sent("wechat")) == 1


def test_an_sms_of_unknown_fate_is_asked_for_and_not_sent_again(world: World) -> None:
    world.simulator.order("wechat", fault="refuse")
    world.simulator.order("sms", fault="gateway", times=1, receipt=None)
    world.tell("trace.findings_changed.v1", finding())
    station = {"recipient": f"station:{STATION}"}
    world.await_states({"wechat": "failed", "sms": "unknown"}, **station)
    world.later(120)
    world.await_states({"wechat": "failed", "sms": "sent"}, **station)
    assert len(world.simulator.sent("sms")) == 1


def test_a_worker_killed_while_sending_loses_nothing_and_sends_nothing_twice(world: World) -> None:
    """The provider has taken it, the worker dies before it hears so; another asks by OutId."""
    world.simulator.order("wechat", fault="refuse")
    world.simulator.order("sms", delay_s=4, receipt=None)
    world.tell("trace.findings_changed.v1", finding())
    station = {"recipient": f"station:{STATION}"}
    world.await_states({"wechat": "failed", "sms": "sending"}, **station)
    eventually(lambda: world.simulator.told()["calls"].get("sms"))
    world.worker.kill()
    eventually(lambda: world.simulator.sent("sms"))
    world.simulator.order("sms", receipt=None)
    world.worker.restart()
    world.await_states({"wechat": "failed", "sms": "unknown"}, **station)
    world.later(120)
    world.await_states({"wechat": "failed", "sms": "sent"}, **station)
    assert len(world.simulator.sent("sms")) == 1


def test_a_stale_token_is_replaced_once(world: World) -> None:
    world.tell("trace.findings_changed.v1", finding(id="F1"))
    eventually(lambda: world.simulator.sent("wechat"))
    before = world.simulator.told()["tokens"]
    world.simulator.withdraw_token()
    for number in range(2, 22):
        world.tell("trace.findings_changed.v1", finding(id=f"F{number}"))
    eventually(lambda: len(world.simulator.sent("wechat")), lambda number: number == 21)
    assert world.simulator.told()["tokens"] == before + 1


def test_robots_and_signed_webhooks_are_told_too(world: World) -> None:
    def subscribe(name: str, channel: pb.Channel.ValueType, **address: str) -> pb.Subscription:
        wanted = pb.Subscription(
            name=name,
            events=["finding_opened"],
            divisions=["370100"],
            audience=pb.AUDIENCE_ADDRESS,
            address=pb.Address(name=name, **address),
            channels=[channel, pb.CHANNEL_IN_APP],
        )
        request = pb.CreateSubscriptionRequest(request_id=name, subscription=wanted)
        made: pb.Subscription = world.client.call("CreateSubscription", request, division="370100").subscription
        return made

    subscribe("历下所群", pb.CHANNEL_WECOM, wecom_key=ROBOT)
    hook_url = f"{world.simulator.url}/hooks/city"
    hook = subscribe("市局系统", pb.CHANNEL_WEBHOOK, webhook_url=hook_url, webhook_secret=HOOK_SECRET)
    assert not hook.address.webhook_secret
    world.tell("trace.findings_changed.v1", finding())
    for channel in ("wecom", "webhook"):
        eventually(lambda channel=channel: world.states(channel=channel), lambda seen: set(seen.values()) == {"sent"})  # type: ignore[misc]
    assert [each["to"] for each in world.simulator.sent("wecom")] == [ROBOT]
    assert [each["to"] for each in world.simulator.sent("webhook")] == ["/hooks/city"]
    listed = world.client.call("ListSubscriptions", pb.ListSubscriptionsRequest(page_size=500)).subscriptions
    assert {each.name for each in listed if not each.is_default} == {"历下所群", "市局系统"}
    assert not [
        each
        for each in world.client.call(
            "ListSubscriptions", pb.ListSubscriptionsRequest(page_size=500), division="420000"
        ).subscriptions
        if not each.is_default
    ]
    ended = pb.DeleteSubscriptionRequest(request_id="d", subscription_id=hook.subscription_id)
    assert world.client.status("DeleteSubscription", ended, division="420000") is grpc.StatusCode.NOT_FOUND
    world.client.call("DeleteSubscription", ended, division="370100")


def test_a_recall_reaches_every_site_once_by_sms_and_keeps_within_the_rate(world: World) -> None:
    world.simulator.order("sms", rate=200)
    world.tell("registry.sites_changed.v1", {"sites": [site(number) for number in range(1, 301)]})
    eventually(lambda: world.db.sites.count_documents({}), lambda count: count == 301)
    recall = pb.SendNoticeRequest(
        request_id="n1", kind="recall", title="某批次牛奶召回", text="菌落总数超标，立即召回", division="370102"
    )
    begun = time.monotonic()
    cause = world.client.call("SendNotice", recall, division="370100").cause
    assert world.client.call("SendNotice", recall, division="370100").cause == cause
    sms = {"cause": cause, "channel": "sms", "state": {"$in": ["sent", "delivered"]}}
    eventually(lambda: world.db.deliveries.count_documents(sms), lambda count: count == 301)
    lasted = time.monotonic() - begun
    told = world.simulator.told()
    assert len({each["to"] for each in told["messages"]}) == len(told["messages"]) == 301
    assert told["refused"] == {}
    assert lasted >= 300 / 100
    assert world.states(cause=cause, recipient=f"station:{STATION}") == {"in_app": "delivered"}
    mine = world.client.call(
        "ListDeliveries", pb.ListDeliveriesRequest(), role="operator", division=None, operator_id=OPERATOR
    )
    assert len(mine.deliveries) == 50
    assert (
        world.client.status("SendNotice", recall, role="operator", operator_id=OPERATOR)
        is grpc.StatusCode.PERMISSION_DENIED
    )
    wrong = pb.SendNoticeRequest(request_id="n2", kind="gossip", title="", text="x", division="420000")
    assert world.client.status("SendNotice", wrong) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_quota_that_is_used_up_sends_the_next_message_elsewhere(world: World) -> None:
    world.simulator.order("wechat", fault="refuse")
    asked = pb.GetQuotaRequest(channel=pb.CHANNEL_SMS, address="13900000001", event="finding_opened")
    assert world.client.call("GetQuota", asked).left == 50
    for number in range(60):
        world.tell("trace.findings_changed.v1", finding(id=f"F{number}"))
    used_up = {"channel": "sms", "state": "failed", "error": "quota_used_up"}
    eventually(lambda: world.db.deliveries.count_documents(used_up), lambda count: count == 10)
    eventually(lambda: len(world.simulator.sent("sms")), lambda count: count == 50)
    assert world.client.call("GetQuota", asked).left == 0
    assert world.db.deliveries.count_documents({"channel": "in_app", "recipient": f"station:{STATION}"}) == 10
    assert not [reason for reason in world.simulator.told()["refused"] if reason.startswith("sms")]


def test_callbacks_are_verified_and_read_strictly(world: World) -> None:
    def post(path: str, **sent: Any) -> int:
        return httpx.post(world.web_url + path, trust_env=False, timeout=60, **sent).status_code

    assert post("/callbacks/sms/wrong/reports", json=[]) == 403
    assert post("/callbacks/sms/simulated/reports", json={"not": "an array"}) == 400
    assert post("/callbacks/sms/simulated/reports", content=b"\xff{") == 400
    assert post("/callbacks/sms/simulated/reports", json=[{"out_id": "Dx", "success": "yes"}]) == 400
    assert post("/callbacks/sms/simulated/reports", json=[{"out_id": "Dx", "success": True}]) == 200
    assert post("/callbacks/wechat?signature=0&timestamp=1&nonce=2", content=b"<xml/>") == 403
    signed = f"signature={wechat_signature(('simulated', '1', '2'))}&timestamp=1&nonce=2"
    assert post(f"/callbacks/wechat?{signed}", content=b"<xml>") == 400
    assert post(f"/callbacks/wechat?{signed}", content=b"<!DOCTYPE x><xml/>") == 400
    echo = httpx.get(f"{world.web_url}/callbacks/wechat?{signed}&echostr=hello", trust_env=False, timeout=60)
    assert echo.text == "hello"
    reply = {"phone_number": "13900000001", "content": "T", "send_time": "2026-10-08 12:00:00"}
    assert post("/callbacks/sms/simulated/replies", json=[reply, reply]) == 200
    quota = pb.GetQuotaRequest(channel=pb.CHANNEL_SMS, address="13900000001", event="notice")
    assert world.client.call("GetQuota", quota).stopped
    receipt = pb.RecordReceiptsRequest(request_id="x", receipts=[pb.Receipt(channel=pb.CHANNEL_SMS, delivery_id="D1")])
    assert world.client.status("RecordReceipts", receipt) is grpc.StatusCode.PERMISSION_DENIED
    assert world.bus.ready(NOTIFY_EVENTS.dead) == 0


def test_an_opened_recall_reaches_the_named_person_by_wechat_whoever_is_named_again(world: World) -> None:
    reached = {"contact_wechat": "openid-9", "version": 2}
    world.tell("registry.sites_changed.v1", {"sites": [site(9, **reached)]})
    eventually(lambda: world.db.sites.find_one({"contact_wechat": "openid-9"}))
    told = {"id": "RC1", "batches": ["SL1"], "product": "猪肉", "reason": "检出克伦特罗", "recall_class": 1,
            "issuer": "某肉联厂", "opened_at": "2026-10-08T04:00:00Z"}  # fmt: skip
    person = {"cause": "recall:RC1", "recipient": {"$regex": "^site:"}}
    world.tell("trace.recalls_opened.v1", {"recalls": [{**told, "version": 1, "sites": ["market:stall-00009"]}]})
    world.await_states({"wechat": "delivered"}, **person)
    again = {**told, "version": 2, "sites": ["market:stall-00009", SITE]}
    world.tell("trace.recalls_opened.v1", {"recalls": [again]})
    world.await_states({"sms": "delivered"}, **{**person, "recipient": f"site:{SITE}"})
    assert world.db.deliveries.count_documents(person) == 2
    [message] = world.simulator.sent("wechat")
    assert message["to"] == "openid-9"
    assert "猪肉" in message["text"]
    goods = [{"site": SITE, "batch": "SL1", "balance_before": {"quantity": "6", "unit": "KGM"}}]
    world.tell("trace.recalls_changed.v1", {"changes": [{**told, "version": 3, "goods": goods}]})
    world.await_states({"in_app": "delivered"}, cause="recall:RC1:3", recipient=f"site:{SITE}")
    end = {"closed_at": "2026-10-18T04:00:00Z", "closed_reason": "已全部召回", "version": 4}
    for _ in range(2):
        world.tell("trace.recalls_closed.v1", {"recalls": [{**told, **end, "sites": ["market:stall-00009", SITE]}]})
    closed = {"cause": "recall:RC1:closed", "recipient": {"$regex": "^site:"}}
    world.await_states({"wechat": "delivered", "sms": "delivered"}, **closed)
    assert world.db.deliveries.count_documents(closed) == 2


def test_web_is_ready_while_the_api_is(world: World, spawn: Callable[..., Process]) -> None:
    assert httpx.get(f"{world.web_url}/ready", trust_env=False, timeout=60).status_code == 200
    alone = spawn("services.notify", "web", grpc_notify=f"127.0.0.1:{free_port()}")
    eventually(lambda: alone.says("/live"))
    seen = eventually(lambda: alone.get("/ready"), lambda answer: answer is not None)
    assert seen is not None
    assert (seen.status_code, "UNAVAILABLE" in seen.text) == (503, True)
