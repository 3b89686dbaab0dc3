"""Calls of the platform's gRPC apis."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc

from clients.cli import where
from clients.cli.failing import Away, unanswered

TIMEOUT_S = 30.0
BIGGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; a chain may have 20,000 nodes."""

Metadata = tuple[tuple[str, str], ...]


@contextmanager
def channel(address: str) -> Iterator[grpc.Channel]:
    """A channel, encrypted when SHILIAN_TLS_CA_FILE is set. Raises Away when nobody listens there."""
    options = [("grpc.max_receive_message_length", BIGGEST_ANSWER)]
    credentials = _credentials()
    if credentials:
        opened = grpc.secure_channel(address, credentials, options)
    else:
        opened = grpc.insecure_channel(address, options)
    with opened:
        try:
            yield opened
        except grpc.RpcError as error:
            if why := unanswered(error):
                raise Away("gRPC", address, why) from error
            raise


def metadata(token: str | None, claims: Mapping[str, str] = where.PROVINCE) -> Metadata:
    """Who calls; on the local stack, without a token, somebody with these claims."""
    return (("authorization", f"Bearer {where.bearer(token, claims)}"),)


def _credentials() -> grpc.ChannelCredentials | None:
    """The authority to trust; with a certificate of our own too, where the server asks for one."""
    authority, key, certificate = (_file(f"SHILIAN_TLS_{name}_FILE") for name in ("CA", "KEY", "CERT"))
    return grpc.ssl_channel_credentials(authority, key, certificate) if authority else None


def _file(variable: str) -> bytes | None:
    path = os.environ.get(variable)
    return Path(path).read_bytes() if path else None
