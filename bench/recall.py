"""A recall to 10,000 recipients: from the order to all messages taken by the provider and noted as sent."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc
import httpx
from shilian.notify.v1 import notify_pb2
from shilian.notify.v1.notify_pb2_grpc import NotifyServiceStub

from bench.calls import Server, serving
from bench.child import Child
from bench.ground import Field, Ground
from bench.hearing import POLL_S, WITHIN_S, Wrong, compare
from bench.result import Result, Side, measured
from contracts.registry import Cell, GridChangedV1, Officer, OperatorState, SiteFacts, SitesChangedV1
from contracts.trace import Link
from deploy.local.home import listens, wait_for
from services.notify import store, writes
from services.notify.domain import Channel, State

RECIPIENTS: Final = 10_000
RATE: Final = 400
"""Messages a second that the provider takes; what is more it turns away."""

STATIONS: Final = 20
READY_S: Final = 30.0
ON_THE_WAY: Final = [State.PENDING.value, State.SENDING.value, State.UNKNOWN.value]


@dataclass(frozen=True)
class Office:
    """Notify's worker and api, and the provider."""

    field: Field
    api: Server
    provider: str
    worker: Child

    def send(self) -> str:
        """Orders the recall; what it is the cause of."""
        request = notify_pb2.SendNoticeRequest(request_id="bench", kind="recall", title="召回", text="立即停售")
        with grpc.insecure_channel(self.api.address) as channel:
            cause: str = NotifyServiceStub(channel).SendNotice(request, metadata=self.api.metadata).cause
        return cause

    def await_sent(self, cause: str) -> float:
        """When (monotonic seconds) the last message was noted as sent. Raises Wrong when that is not in time."""
        deliveries = self.field.db[store.DELIVERIES]
        until = time.monotonic() + WITHIN_S
        mine = {"cause": cause, "channel": Channel.SMS.value}
        while self.worker.runs() and time.monotonic() < until:
            time.sleep(POLL_S)
            under_way = deliveries.find_one({"channel": Channel.SMS.value, "state": {"$in": ON_THE_WAY}}, {"_id": 1})
            if not under_way and deliveries.count_documents(mine) == RECIPIENTS:
                return time.monotonic()
        raise Wrong(f"not all of {RECIPIENTS} messages were sent within {WITHIN_S:.0f} s")

    def verify(self) -> None:
        """Raises Wrong unless the provider took exactly one message for everybody."""
        with httpx.Client(base_url=self.provider, trust_env=False) as client:
            messages = client.get("/sent").json()["messages"]
        compare("sent", Counter(message["to"] for message in messages), Counter(map(_phone, range(RECIPIENTS))))


def recall_notice(ground: Ground, _: int) -> Result:
    """Once: at the provider's rate it takes long enough, and a neighbour's load hardly slows what mostly waits."""
    return measured(
        "recall_notice",
        "messages/s",
        1,
        ours=lambda: _trial(ground),
        limit=Side("the provider's rate limit", lambda: float(RATE), 0.8),
    )


def _trial(ground: Ground) -> float:
    with _office(ground) as office:
        started = time.monotonic()
        seconds = office.await_sent(office.send()) - started
        office.verify()
    return RECIPIENTS / seconds


@contextmanager
def _office(ground: Ground) -> Iterator[Office]:
    with ground.field(store.COLLECTIONS) as field, ExitStack() as stack:
        _tell(field)
        provider = stack.enter_context(_provider(ground))
        account = {"sms_url": provider, "sms_key_id": "simulated", "sms_key_secret": "simulated", "sms_rate": RATE}
        urls = {"amqp_url": field.amqp_url, "mongo_url": field.mongo_url}
        http = ground.port("services.notify.http")
        words = ("services.notify", "worker")
        worker = stack.enter_context(ground.running(".".join(words), words, **urls, **account, http_port=http))
        api = stack.enter_context(serving(ground, field, "services.notify", "api"))
        wait_for("notify's start", lambda: worker.runs() and _is_ready(http), READY_S)
        yield Office(field, api, provider, worker)


@contextmanager
def _provider(ground: Ground) -> Iterator[str]:
    """The provider with its limit; nobody is called back."""
    port = ground.port("simulator")
    url = f"http://127.0.0.1:{port}"
    with ground.running("simulator", ("deploy.simulator",), simulator_port=port) as child:
        wait_for("the provider's start", lambda: child.runs() and listens(port), READY_S)
        httpx.put(f"{url}/control/sms", json={"rate": RATE, "receipt": None}, trust_env=False).raise_for_status()
        yield url


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _tell(field: Field) -> None:
    """Has notify know sites and grid, as if the registry had told of them."""
    sites = SitesChangedV1(sites=tuple(map(_site, range(RECIPIENTS))))
    cells = GridChangedV1(cells=tuple(map(_cell, range(STATIONS))))
    told: dict[str, list[Any]] = writes.replicated([sites, cells])
    for name, operations in told.items():
        field.db[name].bulk_write(operations, ordered=False)


def _site(number: int) -> SiteFacts:
    return SiteFacts(
        site=f"licence:JY23701{number:09}",
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


def _phone(number: int) -> str:
    return f"138{number:08}"


def _cell(number: int) -> Cell:
    station = {"station": f"st{number}", "station_name": f"第{number}所"}
    officer = Officer(officer=f"o{number}", name="赵所长", phone=f"139{number:08}")
    return Cell(cell=f"c{number}", name="网格", division="370102", officer=officer, version=1, **station)
