"""Every RPC of every service, called by whoever may not and with what nobody can mean: refused, and nothing is seen."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final, NamedTuple

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from pymongo import MongoClient

from chassis.api.auth import ROLES, access_table
from clients.cli.asking import STUBS
from contracts.topology import COMMANDS, EVENTS
from tests.bus import Bus
from tests.calls import grpc_services
from tests.faults.requests import absurd, plausible
from tests.integration.inspection import OPERATOR, SITE, failed_test, finding, site
from tests.processes import eventually, free_port, spawning
from tests.stack import Database, Infra, fresh_database, fresh_vhost

SERVICES: Final = sorted({name for name, _ in grpc_services()})
METHODS: Final = {f"{name}.{method.name}": method for name, service in grpc_services() for method in service.methods}
ROLES_OF: Final = access_table([method.containing_service for method in METHODS.values()])
by_rpc = pytest.mark.parametrize("rpc", METHODS)

REFUSED: Final = {
    StatusCode.INVALID_ARGUMENT,
    StatusCode.NOT_FOUND,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.PERMISSION_DENIED,
    StatusCode.ABORTED,
}
SHANDONG, HUBEI = "370000", "420000"
OURS: Final = ("王记", "王秀兰", SITE, OPERATOR)


class Answer(NamedTuple):
    """What a call came to; of a stream its first message."""

    code: StatusCode
    told: str


class Apis:
    """The apis of all services, with something in their stores, called as anybody."""

    def __init__(self, key: Ed25519PrivateKey, stubs: dict[str, Any], databases: dict[str, Any]) -> None:
        self.key = key
        self.databases = databases
        self.known: dict[str, Any] = {}
        self._stubs = stubs

    def token(self, key: Ed25519PrivateKey | None = None, **claims: Any) -> str:
        """A token that is good but for what is said otherwise."""
        payload = {"sub": "tester", "aud": "shilian", "exp": time.time() + 600, "role": "regulator"}
        return jwt.encode({**payload, "division": SHANDONG, **claims}, key or self.key, "EdDSA")

    def call(self, rpc: str, request: Any, token: str | None) -> Answer:
        service, name = METHODS[rpc].containing_service.name, rpc.split(".")[1]
        metadata = [("authorization", f"Bearer {token}")] if token is not None else []
        try:
            answer = getattr(self._stubs[service], name)(request, metadata=metadata, timeout=20)
            told = [*islice(answer, 1)] if METHODS[rpc].server_streaming else [answer]
        except grpc.RpcError as error:
            return Answer(error.code(), str(error.details()))
        return Answer(StatusCode.OK, str(told))

    def held(self, service: str) -> dict[str, list[Any]]:
        """What a service's store holds, but for who called."""
        db = self.databases[service]
        names = sorted({*db.list_collection_names()} - {"audit", "inbox", "timers", "system.views"})
        return {name: list(db[name].find().sort("_id", 1)) for name in names}


@pytest.fixture(scope="module")
def apis(stack: Infra, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apis]:
    directory = tmp_path_factory.mktemp("apis")
    key = Ed25519PrivateKey.generate()
    public = directory / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with ExitStack() as entered:
        vhost = entered.enter_context(fresh_vhost(stack))
        spawn = entered.enter_context(spawning(directory))
        bus = Bus(vhost)
        bus.declare()
        entered.callback(bus.close)
        stubs: dict[str, Any] = {}
        databases, processes = {}, []
        for name in SERVICES:
            mongo: Database = entered.enter_context(fresh_database(stack))
            client = entered.enter_context(MongoClient[dict[str, Any]](mongo.url, tz_aware=True))
            databases[name] = client.get_default_database()
            settings = {"amqp_url": vhost.url, "mongo_url": mongo.url, "jwt_public_key_file": public}
            port = free_port()
            processes.append(spawn(f"services.{name}", "api", grpc_port=port, **settings))
            processes.append(spawn(f"services.{name}", "worker", **settings))
            channel = entered.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
            stubs |= {each.name: STUBS[each.name](channel) for of, each in grpc_services() if of == name}
        for process in processes:
            process.wait_ready()
        apis = Apis(key, stubs, databases)
        _fill(apis, bus)
        yield apis


def _fill(apis: Apis, bus: Bus) -> None:
    """Something to see of a site in Jinan, in every store."""
    bus.publish(EVENTS, "registry.sites_changed.v1", {"sites": [site()]})
    bus.publish(EVENTS, "trace.findings_changed.v1", {"findings": [finding(operator=OPERATOR)]})
    bus.publish(COMMANDS, "inspection.record_tests.v1", {"tests": [failed_test()]})
    databases = apis.databases
    eventually(lambda: databases["inspection"].tasks.count_documents({}), lambda count: count == 2)
    eventually(lambda: databases["notify"].deliveries.find_one({"event": "case_opened"}))
    eventually(lambda: databases["reporting"].cases.find_one())
    task, case = (databases["inspection"][name].find_one()["_id"] for name in ("tasks", "cases"))
    delivery = databases["notify"].deliveries.find_one()["_id"]
    apis.known = {
        "task_id": task, "case_id": case, "delivery_id": delivery, "site_id": SITE, "operator_id": OPERATOR,
        "site_ids": [SITE], "test_id": "Q1", "batch": "B1", "month": "2026-01", "division": "370105",
        # A walk has one start, and its time ends after it begins.
        "document_number": "", "ear_tag": "", "until_time": Timestamp(seconds=4_102_444_800),
    }  # fmt: skip


def request_of(rpc: str, apis: Apis) -> Any:
    return plausible(METHODS[rpc].input_type, apis.known)


def roles_of(method: MethodDescriptor) -> frozenset[str]:
    return ROLES_OF[f"/{method.containing_service.full_name}/{method.name}"].roles


def admitted(rpc: str, apis: Apis, **claims: Any) -> str:
    """A token of one who may call it."""
    roles = roles_of(METHODS[rpc])
    role = "regulator" if roles & {"regulator", "public"} else sorted(roles)[0]
    return apis.token(**{"role": role, "operator_id": OPERATOR, **claims})


@by_rpc
def test_whoever_may_not_call_is_refused(apis: Apis, rpc: str) -> None:
    request, roles = request_of(rpc, apis), roles_of(METHODS[rpc])
    before = apis.held(rpc.split(".")[0])
    if "public" not in roles:
        strangers = {
            "nobody": None,
            "rubbish": "x.y.z",
            "expired": admitted(rpc, apis, exp=time.time() - 60),
            "for others": admitted(rpc, apis, aud="elsewhere"),
            "by others": apis.token(Ed25519PrivateKey.generate()),
            "no role": apis.token(role="king"),
            "nowhere": apis.token(division=None),
        }
        codes = {name: apis.call(rpc, request, token).code for name, token in strangers.items()}
        assert codes == dict.fromkeys(strangers, StatusCode.UNAUTHENTICATED)
        others = sorted(ROLES - roles)
        refused = [apis.call(rpc, request, apis.token(role=role, operator_id="o")).code for role in others]
        assert dict(zip(others, refused, strict=True)) == dict.fromkeys(others, StatusCode.PERMISSION_DENIED)
    assert apis.held(rpc.split(".")[0]) == before


@by_rpc
def test_another_province_sees_and_changes_nothing(apis: Apis, rpc: str) -> None:
    service = rpc.split(".")[0]
    roles = roles_of(METHODS[rpc]) & {"regulator", "overseer", "operator"}
    before = apis.held(service)
    for role in sorted(roles):
        answer = apis.call(rpc, request_of(rpc, apis), apis.token(role=role, division=HUBEI, operator_id="uscc:other"))
        assert answer.code in REFUSED | {StatusCode.OK}, answer
        told = [name for name in OURS if name in answer.told]
        assert not told or answer.code is not StatusCode.OK, answer
    after = apis.held(service)
    changed = {name for name in before if [row for row in before[name] if row not in after[name]]}
    assert not changed


@by_rpc
def test_what_nobody_can_mean_is_refused_for_a_reason(apis: Apis, rpc: str) -> None:
    method, token = METHODS[rpc], admitted(rpc, apis)
    empty = apis.call(rpc, GetMessageClass(method.input_type)(), token)
    assert empty.code in REFUSED | {StatusCode.OK}, empty
    wrong = {}
    for what, request in absurd(method.input_type, apis.known):
        answer = apis.call(rpc, request, token)
        if answer.code not in REFUSED | {StatusCode.OK}:
            wrong[what] = answer
        if what.startswith("page_token"):
            assert answer.code in {StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND}, (what, answer)
    assert wrong == {}
