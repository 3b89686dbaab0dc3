"""An api as a process, and over TLS: it starts or says why not, lets in whom it trusts, stops clean on SIGTERM."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.integration.api_probe import Rpc, serving, settings
from tests.processes import DEADLINE_S, Process, free_port
from tests.stack import Database

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Files of a certificate for localhost, good for either side and its own authority, and of its key."""
    key = generate_private_key(SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(NAME, NAME, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


async def health(channel: grpc.aio.Channel) -> Any:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)


@pytest.mark.asyncio
async def test_tls_lets_in_only_clients_with_a_certificate(
    mongo: Database, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    authority, (cert, key) = certificate[0].read_bytes(), certificate
    tls = {"tls_cert_file": cert, "tls_key_file": key, "tls_client_ca_file": cert}
    known = grpc.ssl_channel_credentials(authority, key.read_bytes(), cert.read_bytes())
    stranger = grpc.ssl_channel_credentials(authority)

    async with serving(settings(mongo.url, tmp_path, **tls), Look=Rpc(answer=lambda *_: None)) as probe:
        address = f"localhost:{probe.api.grpc_port}"
        async with grpc.aio.secure_channel(address, known) as channel:
            assert (await health(channel)).status == health_pb2.HealthCheckResponse.SERVING
        for channel in (grpc.aio.secure_channel(address, stranger), grpc.aio.insecure_channel(address)):
            async with channel:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await health(channel)
                assert refused.value.code() is StatusCode.UNAVAILABLE


@pytest.mark.asyncio
async def test_an_api_process_serves_and_stops_clean(
    mongo: Database, tmp_path: Path, spawn: Callable[..., Process]
) -> None:
    trusted = settings(mongo.url, tmp_path).jwt_public_key_file
    options = {"mongo_url": mongo.url, "jwt_public_key_file": trusted, "grpc_port": free_port()}
    process = spawn("services.registry", "api", **options).wait_ready()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{options['grpc_port']}") as channel:
        assert (await health(channel)).status == health_pb2.HealthCheckResponse.SERVING
    assert process.stop() == 0
    assert '"message": "stopped"' in process.tail()


def test_an_api_process_that_cannot_start_says_why(mongo: Database, spawn: Callable[..., Process]) -> None:
    process = spawn("services.registry", "api", mongo_url=mongo.url)
    assert process.child.wait(timeout=DEADLINE_S) == 1
    assert "SHILIAN_JWT_PUBLIC_KEY_FILE" in process.tail()
    assert "Traceback" not in process.tail()
