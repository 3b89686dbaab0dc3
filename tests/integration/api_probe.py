"""A gRPC service of a test's own, served by the chassis: its descriptor, its handlers, and a client for it."""

import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status
from shilian.access.v1 import access_pb2
from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.mongo import Store
from chassis.api.server import Api, Service, running
from chassis.collections import Collection
from chassis.settings import Settings

Answer = Callable[[Store, Any], Any]

KEY = Ed25519PrivateKey.generate()
THINGS = Collection("things")

_packages = (f"probe{number}.v1" for number in itertools.count())


@dataclass(frozen=True)
class Rpc:
    """An RPC: what answers it, who may call it, its messages."""

    answer: Answer
    roles: tuple[str, ...] = ("REGULATOR",)
    audited: bool = False
    streams: bool = False
    request: Any = pb.GetOperatorRequest
    response: Any = pb.GetOperatorResponse


@dataclass(frozen=True)
class Probe:
    """A served probe: the running api and how to call it."""

    api: Api
    channel: grpc.aio.Channel
    service: str
    rpcs: Mapping[str, Rpc]

    def call(
        self, method: str, request: Any = None, token: str | None = "", timeout: float | None = 60, **sent: str
    ) -> Any:
        """The call; `token` is a regulator's when not said, None for none; `sent` is further metadata."""
        rpc = self.rpcs[method]
        kind = self.channel.unary_stream if rpc.streams else self.channel.unary_unary
        path = f"/{self.service}/{method}"
        callable = kind(path, rpc.request.SerializeToString, rpc.response.FromString)
        bearer = {} if token is None else {"authorization": f"Bearer {token or make_token()}"}
        metadata = tuple((bearer | {key.replace("_", "-"): value for key, value in sent.items()}).items())
        return callable(request or rpc.request(), metadata=metadata, timeout=timeout)


def make_token(key: Any = KEY, **claims: Any) -> str:
    """A regulator's token of Shandong for an hour, but for what is said."""
    given = {"sub": "li.na", "role": "regulator", "division": "370000", "aud": "shilian", "exp": time.time() + 3600}
    return jwt.encode(given | claims, key, "EdDSA")


def settings(mongo_url: str, directory: Path, **more: Any) -> Settings:
    """Settings of an api that trusts our key and takes any free port."""
    file = directory / "jwt.pub.pem"
    file.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return Settings(mongo_url=mongo_url, jwt_public_key_file=file, **more)


@asynccontextmanager
async def serving(options: Settings, **rpcs: Rpc) -> AsyncIterator[Probe]:
    """Serves the RPCs, with a client connected until the server has drained."""
    service = service_of(rpcs)
    async with AsyncExitStack() as client, running(options, [service], [THINGS]) as api:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{api.grpc_port}")
        client.push_async_callback(channel.close, grace=5)
        yield Probe(api, channel, service.descriptor.full_name, rpcs)


def service_of(rpcs: Mapping[str, Rpc]) -> Service:
    """The RPCs as a service that `running` takes."""
    descriptor = _descriptor(next(_packages), rpcs)

    def add_to_server(store: Store, server: grpc.aio.Server) -> None:
        handlers = {name: _handler(rpc, store) for name, rpc in rpcs.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(descriptor.full_name, handlers),))

    return Service(descriptor, add_to_server, lambda store: store)


def _handler(rpc: Rpc, store: Store) -> Any:
    kind: Any = grpc.unary_stream_rpc_method_handler if rpc.streams else grpc.unary_unary_rpc_method_handler
    return kind(_bound(rpc, store), rpc.request.FromString, rpc.response.SerializeToString)


def _bound(rpc: Rpc, store: Store) -> Callable[[Any, Any], Any]:
    async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
        async for answer in rpc.answer(store, request):
            yield answer

    async def unary(request: Any, context: Any) -> Any:
        answer: Awaitable[Any] = rpc.answer(store, request)
        return await answer

    return stream if rpc.streams else unary


def _descriptor(package: str, rpcs: Mapping[str, Rpc]) -> ServiceDescriptor:
    needs = ["shilian/access/v1/access.proto", "shilian/registry/v1/registry.proto"]
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3", dependency=needs
    )
    service = file.service.add(name="ProbeService")
    for name, rpc in rpcs.items():
        types = {"input_type": rpc.request.DESCRIPTOR.full_name, "output_type": rpc.response.DESCRIPTOR.full_name}
        method = service.method.add(name=name, server_streaming=rpc.streams, **types)
        access = method.options.Extensions[access_pb2.access]
        access.roles.extend(access_pb2.Role.Value(f"ROLE_{role}") for role in rpc.roles)
        access.audited = rpc.audited
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName(f"{package}.ProbeService")


def details(error: grpc.aio.AioRpcError) -> tuple[ErrorInfo, list[tuple[str, str]]]:
    """ErrorInfo of an error, and the fields that BadRequest names with their rules."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status, "the error has no details"
    info, bad = ErrorInfo(), BadRequest()
    assert status.details[0].Unpack(info)
    for detail in status.details[1:]:
        assert detail.Unpack(bad)
    return info, [(violation.field, violation.reason) for violation in bad.field_violations]
