"""The gRPC server of an api process: services behind the gate, health, reflection, and a clean drain."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.api.audit import Audit
from chassis.api.auth import Tokens, access_table
from chassis.api.http import serve_http
from chassis.api.interceptor import Gate
from chassis.api.mongo import Store
from chassis.collections import Collection
from chassis.settings import Settings

LARGEST_REQUEST = 17 << 20
"""Bytes: a file of 16 MiB, and what is said of it."""


class Misconfigured(Exception):
    """A setting is missing or contradicts another; the message names it."""


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service: its descriptor, the generated `add_…Servicer_to_server`, and what makes its servicer."""

    descriptor: ServiceDescriptor
    add_to_server: Callable[[Any, grpc.aio.Server], None]
    servicer: Callable[[Store], Any]


@dataclass(frozen=True, slots=True)
class Api:
    """A running api: its store, and the ports it listens on."""

    store: Store
    grpc_port: int
    http_port: int


@asynccontextmanager
async def running(
    settings: Settings, services: Sequence[Service], collections: Iterable[Collection]
) -> AsyncIterator[Api]:
    """Serves inside the block. Leaving it drains: NOT_SERVING, no new call, up to `drain_s` for those in flight.

    Raises UndeclaredAccess when an RPC names no role, Misconfigured, and PyMongoError when the store is away.
    """
    access = access_table(service.descriptor for service in services)
    tokens = _tokens(settings)
    async with AsyncExitStack() as stack:
        store = Store.connect(settings.mongo_url)
        stack.callback(store.close)
        await store.ensure(collections)
        server = _Server(settings, Gate(access, tokens, Audit(store, settings.deadline_s), settings), services, store)
        http = await serve_http(settings.http_host, settings.http_port, server.problems)
        stack.callback(http.close)
        await server.start()
        stack.push_async_callback(server.drain)
        yield Api(store, server.port, http.sockets[0].getsockname()[1])


class _Server:
    """grpc.aio's server with our services, health and reflection on it."""

    def __init__(self, settings: Settings, gate: Gate, services: Sequence[Service], store: Store) -> None:
        self._drain_s = settings.drain_s
        self._store = store
        self._serving = False
        self._health = health.aio.HealthServicer()
        # Two processes on one port by accident would share its calls.
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", LARGEST_REQUEST)]
        self._grpc = grpc.aio.server(interceptors=[gate], options=options)
        for service in services:
            service.add_to_server(service.servicer(store), self._grpc)
        self._names = [service.descriptor.full_name for service in services]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection([*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._grpc)
        self.port = _listen(self._grpc, settings)

    async def start(self) -> None:
        await self._grpc.start()
        for name in (*self._names, health.OVERALL_HEALTH):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._serving = True

    async def drain(self) -> None:
        self._serving = False
        await self._health.enter_graceful_shutdown()
        await self._grpc.stop(self._drain_s)

    async def problems(self) -> list[str]:
        """What keeps the process from being ready."""
        return await self._store.problems() if self._serving else ["not serving: starting or draining"]


def _tokens(settings: Settings) -> Tokens:
    if settings.jwt_public_key_file is None:
        raise Misconfigured("SHILIAN_JWT_PUBLIC_KEY_FILE is not set: nobody could be let in")
    return Tokens.from_file(settings.jwt_public_key_file)


def _listen(server: grpc.aio.Server, settings: Settings) -> int:
    """Binds, with TLS when a certificate is set and with client certificates when their authority is."""
    address = f"{settings.grpc_host}:{settings.grpc_port}"
    certificate, key, client_ca = settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file
    if certificate is None and key is None and client_ca is None:
        return server.add_insecure_port(address)
    if certificate is None or key is None:
        raise Misconfigured("SHILIAN_TLS_CERT_FILE and SHILIAN_TLS_KEY_FILE go together")
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        root_certificates=client_ca.read_bytes() if client_ca else None,
        require_client_auth=client_ca is not None,
    )
    return server.add_secure_port(address, credentials)
