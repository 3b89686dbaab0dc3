"""Notify killed with -9 at every step: nobody is told twice where the provider can tell; where not, doubt is shown."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx
import pytest
from shilian.notify.v1 import notify_pb2 as pb
from shilian.notify.v1.notify_pb2_grpc import NotifyServiceStub

from contracts.topology import EVENTS, NOTIFY_EVENTS
from tests.bus import Bus
from tests.calls import Client
from tests.faults.deaths import Deaths, deaths
from tests.integration.test_notify_service import HOOK_SECRET, ROBOT, SITE, STATION, Simulator, finding, grid, site
from tests.processes import Process, eventually, free_port
from tests.stack import Database

__all__ = ["deaths"]

Make = Callable[..., Deaths]

NOON, NIGHT = 12, 23
CLAIMED = ("sending", "committed")
"""Killed before the provider was called, and again once its forerunner's claim is found out."""
SENT = ("sent", "committed")
"""Killed before the provider's answer was stored, and again."""


def until(hour: int) -> float:
    """Seconds until the next such hour in Shanghai."""
    return ((hour - 8) * 3600 - time.time()) % 86_400


@pytest.fixture
def simulator(spawn: Callable[..., Process]) -> Iterator[Simulator]:
    port = free_port()
    spawn("deploy.simulator", simulator_port=port)
    with closing(Simulator(port)) as simulator:
        eventually(lambda: _answers(simulator))
        for provider in ("sms", "wechat"):
            simulator.order(provider, receipt=None)
        yield simulator


def _answers(simulator: Simulator) -> bool:
    try:
        return bool(simulator.told())
    except httpx.TransportError:
        return False


@pytest.fixture
def life(deaths: Make, simulator: Simulator, bus: Bus) -> Deaths:
    urls = dict.fromkeys(("sms_url", "wechat_url", "wecom_url"), simulator.url)
    known = dict.fromkeys(("sms_key_id", "sms_key_secret", "wechat_secret"), "simulated")
    life = deaths("services.notify", wechat_app_id="wx-simulated", wechat_template="TPL1", **urls, **known)
    bus.publish(EVENTS, "registry.grid_changed.v1", grid(), ce_id="g")
    bus.publish(EVENTS, "registry.sites_changed.v1", {"sites": [site()]}, ce_id="s")
    return life


@pytest.fixture
def api(start_api: Callable[..., Client], mongo: Database) -> Client:
    return start_api("services.notify", NotifyServiceStub, mongo_url=mongo.url)


def subscribe(api: Any, url: str, channel: str, event: str, **more: Any) -> None:
    """Somebody at an address of every kind, told on one channel."""
    address = pb.Address(
        name="值班", phone="13900000009", wechat="openid-9", wecom_key=ROBOT, webhook_url=f"{url}/hooks/x",
        webhook_secret=HOOK_SECRET,
    )  # fmt: skip
    channels = [pb.Channel.Value(f"CHANNEL_{channel.upper()}"), pb.CHANNEL_IN_APP]
    wanted: dict[str, Any] = {"name": "值班", "events": [event], "audience": pb.AUDIENCE_ADDRESS, "address": address}
    subscription = pb.Subscription(**wanted, channels=channels, **more)
    api.call("CreateSubscription", pb.CreateSubscriptionRequest(request_id=uuid4().hex, subscription=subscription))


def test_planning(life: Deaths, bus: Bus, api: Client, simulator: Simulator) -> None:
    life.ahead(until(NIGHT))
    heard = bus.listen(EVENTS, "notify.deliveries_changed.v1")
    bus.publish(EVENTS, "trace.findings_changed.v1", finding(open=False, version=2), ce_id="f")
    life.at("delivered:notify.events", "writing:deliveries", "committed:deliveries", "handled:notify.events")
    life.at("publishing:notify.deliveries_changed.v1", "published:notify.deliveries_changed.v1")
    notice = pb.SendNoticeRequest(request_id="n", kind="notice", title="停电", text="明日停电", division="370102")
    api.call("SendNotice", notice)
    life.at("fired:notice", "writing:deliveries", "committed:deliveries")
    last = life.finish()
    eventually(lambda: life.db.timers.count_documents({"kind": "notice"}), lambda left: left == 0)
    life.settle(last, NOTIFY_EVENTS)
    rows = list(life.db.deliveries.find())
    reached = sorted((row["event"], row["recipient"], row["channel"], row["state"]) for row in rows)
    assert reached == [
        ("finding_closed", f"station:{STATION}", "in_app", "delivered"),
        ("notice", f"site:{SITE}", "sms", "pending"),
    ]
    assert len(life.announced_once(heard, "deliveries")) == 2
    assert simulator.told()["calls"] == {}


@pytest.mark.parametrize(
    ("channel", "deaths_at", "state", "sent"),
    [
        # client_msg_id and webhook-id: sent again, and taken once.
        ("wechat", CLAIMED + SENT, "sent", 1),
        ("webhook", CLAIMED + SENT, "sent", 1),
        # OutId: asked for first, so sent after the first death and not after the second.
        ("sms", CLAIMED + SENT, "sent", 1),
        # Nothing to tell by: not sent again, and the row says that nobody knows.
        ("wecom", CLAIMED, "unknown", 0),
        ("wecom", SENT, "unknown", 1),
    ],
)
def test_sending(
    life: Deaths, bus: Bus, api: Client, simulator: Simulator,
    channel: str, deaths_at: tuple[str, ...], state: str, sent: int,
) -> None:  # fmt: skip
    life.ahead(until(NOON))
    heard = bus.listen(EVENTS, "notify.deliveries_changed.v1")
    subscribe(api, simulator.url, channel, "finding_closed")
    bus.publish(EVENTS, "trace.findings_changed.v1", finding(open=False, version=2), ce_id="f")
    life.at(*(f"{step}:{'deliveries' if step == 'committed' else channel}" for step in deaths_at))
    last = life.finish()
    row = eventually(lambda: life.db.deliveries.find_one({"channel": channel}), lambda row: row["state"] == state)
    life.settle(last, NOTIFY_EVENTS)
    assert len(simulator.sent(channel)) == sent
    told = life.announced_once(heard, "deliveries")
    assert max(each["version"] for each in told if each["id"] == row["_id"]) == row["version"]
    inbox = life.db.deliveries.count_documents({"recipient": row["recipient"], "channel": "in_app"})
    assert (row["error"], inbox) == (("abandoned", 1) if state == "unknown" else (None, 0))


def test_a_digest_and_its_receipt(life: Deaths, bus: Bus, api: Client, simulator: Simulator) -> None:
    life.ahead(until(NOON))
    subscribe(api, simulator.url, "sms", "finding_closed", digest=True)
    for number in range(3):
        bus.publish(EVENTS, "trace.findings_changed.v1", finding(False, 2, f"F{number}"), ce_id=f"f{number}")
    life.at("handled:notify.events")
    life.later(86_400)
    life.at("fired:digest", "writing:deliveries", "committed:deliveries")
    (last,) = life.finish()
    row = eventually(lambda: life.db.deliveries.find_one({"event": "digest", "state": "sent"}))
    last.kill()
    receipt = pb.Receipt(channel=pb.CHANNEL_SMS, delivery_id=row["_id"], delivered=True)
    api.call("RecordReceipts", pb.RecordReceiptsRequest(request_id="r", receipts=[receipt]), "system", None)
    life.at("fired:receipts", "writing:receipts", "committed:receipts")
    life.settle(life.finish(), NOTIFY_EVENTS)
    (sms,) = simulator.sent("sms")
    assert sms["key"] == row["_id"]
    states = {each["_id"]: each["state"] for each in life.db.deliveries.find({"channel": "sms"})}
    assert sorted(states.values()) == ["bundled", "bundled", "bundled", "delivered"]
    assert states[row["_id"]] == "delivered"
