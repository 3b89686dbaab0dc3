"""Who calls, and what the proto files let them call.

Each RPC declares its roles as an option (`shilian.access.v1.access`); tokens are JWTs signed with Ed25519 (EdDSA)
whose claims are `sub`, `role`, `division`, `operator_id`, `exp` and `aud` "shilian".
"""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from shilian.access.v1 import access_pb2

from chassis.api.errors import Unauthenticated
from chassis.caller import Caller
from contracts.divisions import scope_prefix

AUDIENCE: Final = "shilian"
LEEWAY_S: Final = 10
"""How far the issuer's clock may be ahead or behind, in seconds."""
REMEMBERED: Final = 4096
"""Verified tokens kept; verifying a signature costs more than answering a small call."""

PUBLIC: Final = "public"
ROLES: Final = frozenset({"regulator", "operator", "system", "laboratory", "vendor", "overseer"})
SCOPED_BY_DIVISION: Final = frozenset({"regulator", "overseer"})

_DIVISION: Final = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}")


class UndeclaredAccess(Exception):
    """RPCs without a usable access option; the server must not start."""


ANONYMOUS: Final = Caller("", PUBLIC)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call one RPC, and whether each call is written down."""

    roles: frozenset[str]
    audited: bool

    def admits(self, caller: Caller) -> bool:
        """Whether the caller's role may call."""
        return PUBLIC in self.roles or caller.role in self.roles


def access_table(services: Iterable[ServiceDescriptor]) -> dict[str, Access]:
    """Every RPC's access by its path, `/package.Service/Method`.

    Raises UndeclaredAccess naming the RPCs that declare no role, or one that means nothing.
    """
    methods = [method for service in services for method in service.methods]
    undeclared = [method.full_name for method in methods if not _roles(method) or None in _roles(method)]
    if undeclared:
        raise UndeclaredAccess(f"no role may call {', '.join(undeclared)}: declare (shilian.access.v1.access)")
    return {_path(method): Access(_named(method), _option(method).audited) for method in methods}


def _path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def _option(method: MethodDescriptor) -> access_pb2.Access:
    return method.GetOptions().Extensions[access_pb2.access]


def _roles(method: MethodDescriptor) -> list[str | None]:
    """Names of the roles; None for a number that names no role."""
    known = access_pb2.Role.DESCRIPTOR.values_by_number
    names = [known[role].name.removeprefix("ROLE_").lower() if role in known else "" for role in _option(method).roles]
    return [name if name in ROLES | {PUBLIC} else None for name in names]


def _named(method: MethodDescriptor) -> frozenset[str]:
    return frozenset(role for role in _roles(method) if role)


class Tokens:
    """Verifies bearer tokens with one public key and remembers those it has verified."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self._known: dict[str, tuple[Caller, float]] = {}

    @classmethod
    def from_file(cls, path: Path) -> "Tokens":
        """Reads a PEM public key. Raises OSError, or ValueError when it is no Ed25519 key."""
        key = load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError(f"{path} holds no Ed25519 public key")
        return cls(key)

    def caller(self, token: str) -> Caller:
        """Who holds the token. Raises Unauthenticated when it is bad or has expired."""
        caller, expires = self._known.get(token) or (None, 0.0)
        if caller and time.time() < expires:
            return caller
        self._known.pop(token, None)
        claims = self._verified(token)
        caller = _caller(claims)
        self._remember(token, caller, float(claims["exp"]) + LEEWAY_S)
        return caller

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self._key,
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                leeway=LEEWAY_S,
                options={"require": ["exp", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("token_expired", "the token has expired") from None
        except jwt.InvalidTokenError:
            raise Unauthenticated("token_invalid", "the token is not valid here") from None

    def _remember(self, token: str, caller: Caller, expires: float) -> None:
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[token] = (caller, expires)


def _caller(claims: Mapping[str, Any]) -> Caller:
    """Claims as a caller; a role that is scoped must say by what, or it would see everything or nothing."""
    role, division, operator_id = (_text(claims, name) for name in ("role", "division", "operator_id"))
    if role not in ROLES:
        raise Unauthenticated("token_role", "the token names no role of this platform")
    if role == "operator" and not operator_id:
        raise Unauthenticated("token_operator", "an operator's token must name operator_id")
    if role in SCOPED_BY_DIVISION and not division:
        raise Unauthenticated("token_division", f"the token of a {role} must name a division")
    if division and not _DIVISION.fullmatch(division):
        raise Unauthenticated("token_division", "the token's division is no division code")
    return Caller(str(claims["sub"]), role, scope_prefix(division) if division else None, operator_id)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None
