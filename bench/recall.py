"""A recall to 10,000 recipients: from trace's word to all messages taken by the provider and noted as sent."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from bench.desk import Desk, desk
from bench.filling import Sent
from bench.ground import Field, Ground
from bench.hearing import compare
from bench.result import Result, Side, measured
from contracts.recalls import Recall, RecallsOpenedV1
from contracts.registry import Cell, GridChangedV1, Officer, OperatorState, SiteFacts, SitesChangedV1
from contracts.topology import NOTIFY_EVENTS
from contracts.trace import Category, Link
from deploy.local.home import listens, wait_for
from services.notify import store, writes
from services.notify.domain import Channel, State

RECIPIENTS, TOLD_AT_ONCE = 10_000, 500
RATE: Final = 250
"""Messages a second that the provider takes; what is more it turns away."""

STATIONS: Final = 20
READY_S, WITHIN_S = 30.0, 300.0
WAITING: Final = [State.PENDING.value, State.SENDING.value, State.UNKNOWN.value]


def recall_notice(ground: Ground, _: int) -> Result:
    """Once: at the provider's rate it takes long enough, and it mostly waits, whatever else the machine does."""
    return measured(
        "recall_notice",
        "messages/s",
        1,
        ours=lambda: _trial(ground),
        limit=Side("the provider's rate limit", lambda: float(RATE), 0.8),
    )


def _trial(ground: Ground) -> float:
    words, key = ("services.notify", "worker"), "notify.deliveries_changed.v1"
    with _provider(ground) as provider:
        account = {"sms_url": provider, "sms_key_id": "simulated", "sms_key_secret": "simulated", "sms_rate": RATE}
        with desk(ground, words, store.COLLECTIONS, [NOTIFY_EVENTS], key, b'"recipient":', **account) as at:
            _tell(at.field)
            seconds = at.seconds(messages(), _all_sent)
            _verify(provider)
    return RECIPIENTS / seconds


def _all_sent(at: Desk) -> float:
    """When all deliveries by SMS are there and none of them waits any more."""
    deliveries = at.field.db[store.DELIVERIES]
    by_sms = {"channel": Channel.SMS.value}

    def none_waits() -> bool:
        if deliveries.find_one({**by_sms, "state": {"$in": WAITING}}, {"_id": 1}):
            return False
        return deliveries.count_documents({**by_sms, "state": State.SENT.value}) == RECIPIENTS

    at.ear.await_true(none_waits, at.child.runs, f"sent {RECIPIENTS} messages", WITHIN_S)
    return time.monotonic()


def _verify(provider: str) -> None:
    """Raises Wrong unless the provider took exactly one message for everybody."""
    with httpx.Client(base_url=provider, trust_env=False) as client:
        messages = client.get("/sent").json()["messages"]
    compare("sent", Counter(message["to"] for message in messages), Counter(map(_phone, range(RECIPIENTS))))


@contextmanager
def _provider(ground: Ground) -> Iterator[str]:
    """The provider with its limit; nobody is called back."""
    port = ground.port("simulator")
    url = f"http://127.0.0.1:{port}"
    with ground.running("simulator", ("deploy.simulator",), simulator_port=port) as child:
        wait_for("the provider's start", lambda: child.runs() and listens(port), READY_S)
        httpx.put(f"{url}/control/sms", json={"rate": RATE, "receipt": None}, trust_env=False).raise_for_status()
        yield url


def messages() -> list[Sent]:
    """The recall, part by part."""
    return [_opened(first) for first in range(0, RECIPIENTS, TOLD_AT_ONCE)]


def _opened(first: int) -> Sent:
    """A part of the recall as trace tells of it."""
    recall = Recall(
        id="bench",
        version=first // TOLD_AT_ONCE + 1,
        batches=("SL00000000000000001",),
        product="鲜牛奶",
        category=Category.DAIRY,
        reason="检出禁用药物",
        recall_class=1,
        issuer="山东省市场监督管理局",
        division="370000",
        opened_at=datetime.now(UTC),
        sites=tuple(map(_site_id, range(first, first + TOLD_AT_ONCE))),
    )
    body = RecallsOpenedV1(recalls=(recall,)).model_dump_json(exclude_defaults=True).encode()
    return Sent("trace.recalls_opened.v1", body, NOTIFY_EVENTS.name)


def _tell(field: Field) -> None:
    """Has notify know sites and grid, as if the registry had told of them."""
    sites = SitesChangedV1(sites=tuple(map(_site, range(RECIPIENTS))))
    cells = GridChangedV1(cells=tuple(map(_cell, range(STATIONS))))
    told: dict[str, list[Any]] = writes.replicated([sites, cells])
    for name, operations in told.items():
        field.db[name].bulk_write(operations, ordered=False)


def _site(number: int) -> SiteFacts:
    return SiteFacts(
        site=_site_id(number),
        operator=f"uscc:{number:018}",
        name=f"第{number}食堂",
        operator_name=f"第{number}餐饮公司",
        state=OperatorState.ACTIVATED,
        division="370102",
        link=Link.CATERING,
        version=1,
        cell=f"c{number % STATIONS}",
        station=f"st{number % STATIONS}",
        contact_name="王芳",
        contact_phone=_phone(number),
    )


def _site_id(number: int) -> str:
    return f"licence:JY23701{number:09}"


def _phone(number: int) -> str:
    return f"138{number:08}"


def _cell(number: int) -> Cell:
    station = {"station": f"st{number}", "station_name": f"第{number}所"}
    officer = Officer(officer=f"o{number}", name="赵所长", phone=f"139{number:08}")
    return Cell(cell=f"c{number}", name="网格", division="370102", officer=officer, version=1, **station)
