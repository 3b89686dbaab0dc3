"""Our apis as tests call them: the real process of a service, and a client with tokens of its own key."""

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.descriptor import ServiceDescriptor

from tests.processes import ROOT, Process, free_port

StubClass = Callable[[grpc.Channel], Any]


def grpc_services() -> Iterator[tuple[str, ServiceDescriptor]]:
    """Every gRPC service there is, with whose api serves it."""
    for file in sorted((ROOT / "proto/shilian").glob("*/v1/*.proto")):
        module = import_module(f"shilian.{file.parents[1].name}.v1.{file.stem}_pb2")
        for service in module.DESCRIPTOR.services_by_name.values():
            yield file.parents[1].name, service


class Client:
    """Calls one api as anybody; `process` is the api itself."""

    def __init__(self, process: Process, port: int, key: Ed25519PrivateKey, stub: StubClass) -> None:
        self.process = process
        self.address = f"127.0.0.1:{port}"
        self._channel = grpc.insecure_channel(self.address)
        self._key = key
        self.stub = stub(self._channel)

    def call(
        self, rpc: str, request: Any, role: str = "regulator", division: str | None = "370000", **claims: str
    ) -> Any:
        """The answer; raises grpc.RpcError."""
        authorization = f"Bearer {self.token(role, division, **claims)}"
        return getattr(self.stub, rpc)(request, metadata=[("authorization", authorization)], timeout=60)

    def token(self, role: str = "regulator", division: str | None = "370000", **claims: str) -> str:
        """A token of the api's own key."""
        payload = {"sub": "tester", "aud": "shilian", "exp": time.time() + 600, "role": role, **claims}
        if division:
            payload["division"] = division
        return jwt.encode(payload, self._key, "EdDSA")

    def status(self, rpc: str, request: Any, **caller: Any) -> grpc.StatusCode:
        """The status of a call that is refused."""
        with pytest.raises(grpc.RpcError) as refused:
            self.call(rpc, request, **caller)
        code: grpc.StatusCode = refused.value.code()
        return code

    def close(self) -> None:
        self._channel.close()


@pytest.fixture
def start_api(spawn: Callable[..., Process], tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Starts apis: `start_api("services.trace", TraceServiceStub, mongo_url=…)`; they end with the test."""
    clients: list[Client] = []

    def start(service: str, stub: StubClass, **settings: Any) -> Client:
        key = Ed25519PrivateKey.generate()
        public = tmp_path / f"{uuid4().hex}.pem"
        public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        port = free_port()
        process = spawn(service, "api", grpc_port=port, jwt_public_key_file=public, **settings).wait_ready()
        clients.append(Client(process, port, key, stub))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
