"""Tokens, and who may call what."""

import time
from pathlib import Path
from typing import Any

import grpc_health.v1.health_pb2  # noqa: F401 - a service that knows nothing of our option
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf import descriptor_pool
from shilian.registry.v1 import registry_pb2
from shilian.trace.v1 import trace_pb2

from chassis.api import auth
from chassis.api.auth import ANONYMOUS, Access, Tokens, UndeclaredAccess, access_table
from chassis.api.errors import Unauthenticated
from chassis.caller import Caller

KEY = Ed25519PrivateKey.generate()
REGISTRY = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]
TRACE = trace_pb2.DESCRIPTOR.services_by_name["TraceService"]


def token(key: Any = KEY, algorithm: str = "EdDSA", **claims: Any) -> str:
    given = {"sub": "li.na", "role": "regulator", "division": "370000", "aud": "shilian", "exp": time.time() + 3600}
    return jwt.encode({name: value for name, value in (given | claims).items() if value is not None}, key, algorithm)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(KEY.public_key())


@pytest.mark.parametrize(
    ("claims", "caller"),
    [
        ({}, Caller("li.na", "regulator", "37")),
        ({"division": "370102"}, Caller("li.na", "regulator", "370102")),
        ({"division": "370102001000"}, Caller("li.na", "regulator", "370102001")),
        ({"role": "operator", "operator_id": "uscc:1", "division": None}, Caller("li.na", "operator", None, "uscc:1")),
        ({"role": "system", "division": None}, Caller("li.na", "system")),
    ],
)
def test_a_token_says_who_calls(tokens: Tokens, claims: dict[str, Any], caller: Caller) -> None:
    assert tokens.caller(token(**claims)) == caller


def test_a_clock_two_seconds_off_is_forgiven(tokens: Tokens) -> None:
    assert tokens.caller(token(exp=time.time() - 2)) == Caller("li.na", "regulator", "37")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": time.time() - 3600}, "token_expired"),
        ({"exp": None}, "token_invalid"),
        ({"sub": None}, "token_invalid"),
        ({"aud": "another"}, "token_invalid"),
        ({"aud": None}, "token_invalid"),
        ({"key": Ed25519PrivateKey.generate()}, "token_invalid"),
        ({"key": "s" * 64, "algorithm": "HS256"}, "token_invalid"),
        ({"key": None, "algorithm": "none"}, "token_invalid"),
        ({"role": "admin"}, "token_role"),
        ({"role": "public"}, "token_role"),
        ({"role": None}, "token_role"),
        ({"division": None}, "token_division"),
        ({"division": "37*"}, "token_division"),
        ({"division": "370"}, "token_division"),
        ({"role": "overseer", "division": None}, "token_division"),
        ({"role": "operator"}, "token_operator"),
    ],
)
def test_a_bad_token_is_refused(tokens: Tokens, claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        tokens.caller(token(**claims))
    assert refused.value.reason == reason


def test_a_token_that_is_none_is_refused(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated):
        tokens.caller("not.a.token")


def test_a_token_is_verified_once(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    known = token()
    caller = tokens.caller(known)
    monkeypatch.setattr(jwt, "decode", lambda *_args, **_options: pytest.fail("verified again"))
    assert tokens.caller(known) is caller


def test_a_remembered_token_is_verified_again_when_it_has_expired(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(*_args: object, **_options: object) -> None:
        raise jwt.ExpiredSignatureError

    known = token(exp=time.time() + 60)
    tokens.caller(known)
    later = time.time() + 60 + auth.LEEWAY_S
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(jwt, "decode", expired)
    with pytest.raises(Unauthenticated):
        tokens.caller(known)


def test_remembered_tokens_are_bounded(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REMEMBERED", 2)
    for name in ("a", "b", "c"):
        tokens.caller(token(sub=name))
    assert len(tokens._known) == 2


def test_a_public_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).public_key()
    (tmp_path / "key.pem").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(ValueError, match="Ed25519"):
        Tokens.from_file(tmp_path / "key.pem")


def test_the_access_table_is_read_from_the_protos() -> None:
    table = access_table([REGISTRY, TRACE])
    assert len(table) == len(REGISTRY.methods) + len(TRACE.methods)
    assert table["/shilian.registry.v1.RegistryService/MergeSites"] == Access(frozenset({"regulator"}), audited=False)
    assert table["/shilian.trace.v1.TraceService/Trace"].audited


def test_a_service_whose_rpcs_declare_no_role_is_named() -> None:
    other = descriptor_pool.Default().FindServiceByName("grpc.health.v1.Health")
    with pytest.raises(UndeclaredAccess, match=r"grpc\.health\.v1\.Health\.Check"):
        access_table([REGISTRY, other])


def test_only_a_named_role_is_admitted() -> None:
    regulators, everybody = Access(frozenset({"regulator"}), False), Access(frozenset({"public"}), False)
    assert regulators.admits(Caller("a", "regulator"))
    assert not regulators.admits(Caller("a", "operator"))
    assert not regulators.admits(ANONYMOUS)
    assert everybody.admits(ANONYMOUS)
