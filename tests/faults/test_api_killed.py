"""An api has no connection to the bus: what it committed is announced by a worker, whatever becomes of the api."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from shilian.registry.v1 import registry_pb2 as pb
from shilian.registry.v1.registry_pb2_grpc import RegistryServiceStub

from contracts.topology import EVENTS
from tests.bus import Bus
from tests.calls import Client
from tests.processes import Process, eventually
from tests.stack import Database

USCC = "92370102MA3C0000X1"


def registration() -> pb.RegisterOperatorRequest:
    site = pb.NewSite(name="一店", local_number="1", address="历下区 1 号", division="370102", link=pb.LINK_CATERING)
    return pb.RegisterOperatorRequest(request_id=uuid4().hex, name="李四餐饮", uscc=USCC, sites=[site])


def test_an_api_killed_between_commit_and_publish_loses_no_announcement(
    bus: Bus, spawn: Callable[..., Process], start_api: Callable[..., Client], mongo: Database, db: Any
) -> None:
    heard = bus.listen(EVENTS, "registry.sites_changed.v1")
    api = start_api("services.registry", RegistryServiceStub, mongo_url=mongo.url)
    api.call("RegisterOperator", registration())
    api.process.kill()
    assert bus.ready(heard) == 0
    assert db.outbox.count_documents({}) > 0
    spawn("services.registry", "worker", amqp_url=bus.vhost.url, mongo_url=mongo.url).wait_ready()
    told = bus.await_message(heard).body["sites"]
    assert [site["operator"] for site in told] == [f"uscc:{USCC}"]
    eventually(lambda: db.outbox.count_documents({}), lambda rows: rows == 0)
    assert bus.take(heard) is None


def test_a_running_worker_hears_at_once_of_what_an_api_commits(
    bus: Bus, spawn: Callable[..., Process], start_api: Callable[..., Client], mongo: Database
) -> None:
    heard = bus.listen(EVENTS, "registry.sites_changed.v1")
    settings = {"amqp_url": bus.vhost.url, "mongo_url": mongo.url}
    # The scan is an hour away: only the change stream can tell.
    spawn("services.registry", "worker", relay_scan_s=3600, **settings).wait_ready()
    api = start_api("services.registry", RegistryServiceStub, mongo_url=mongo.url)
    api.call("RegisterOperator", registration())
    assert bus.await_message(heard).body["sites"]
